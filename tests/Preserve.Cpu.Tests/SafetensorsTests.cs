using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Preserve.Fuzz;

namespace Preserve.Cpu.Tests;

public sealed partial class SafetensorsTests : IDisposable
{
    private static readonly ModelSpec s_model = SmallModels.Model(16, 20, new LayerGroup(new[] { SmallModels.Layer(queryKeyNorm: true, bias: ProjectionBias.QueryKeyValue) }, 2));

    private readonly DirectoryInfo _folder = Folder();

    private readonly ITestOutputHelper _output;

    public SafetensorsTests(ITestOutputHelper output) => _output = output;

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("F32")]
    [InlineData("BF16")]
    public async Task A_model_computes_the_same_from_a_file_as_from_the_weights_that_were_written_to_it(string type)
    {
        var weights = new SeededWeights(s_model, 3);
        using var file = SafetensorsFile.Open(Write(weights, type));
        foreach (var ranks in new[] { 1, 2 })
        {
            var deployment = Deployments.Of(s_model, ranks);
            var (prefill, decode) = (Deployments.Plan(deployment, new PrefillSpec(1, 5)), Deployments.Plan(deployment, new DecodeSpec(1, 6, Total: false)));
            var tokens = Deployments.Tokens(s_model, 1, 7, 4);
            using var expected = new CpuBackend(s_model, weights);
            using var actual = new CpuBackend(s_model, new SafetensorsWeights(s_model, [file]));
            (await Deployments.LogitsAsync(actual, prefill, decode, tokens)).ShouldHaveTheBitsOf(await Deployments.LogitsAsync(expected, prefill, decode, tokens), () => $"{ranks} ranks");
        }
    }

    [Theory]
    [InlineData("{}", 0, null)]
    [InlineData("""{"__metadata__":{}}""", 0, null)]
    [InlineData("""{"b":{"dtype":"U8","shape":[1],"data_offsets":[4,5]},"\u0061":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}""", 5, null)]
    [InlineData("""{"":{"shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"data_offsets":[0,8],"dtype":"C64"}}""", 8, null)]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F64","shape":[0,9223372036854775807,9223372036854775807],"data_offsets":[8,8]},"c":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}""", 8, null)]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[0],"data_offsets":[4,4]}}""", 8, "tensor 'b' begins at byte 4, within 'a', which ends at 8")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\u0061":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""", 2, "tensor 'a' stands in the header twice")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}   """, 8, null)]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 4, "tensor 'a' ends at byte 8, and the file has 4 behind its header")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 9, "1 bytes behind the last tensor, 'a', belong to no tensor")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8, "tensor 'a' takes 8 bytes, and its shape and type 12")]
    [InlineData("""{"a":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}}""", 8, "tensor 'a' is of type 'F33', which the format does not have")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8, "tensor 'a' has a shape with something else than whole numbers from 0 to 9223372036854775807")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,9223372036854775808]}}""", 8, "tensor 'a' has a data_offsets with something else than whole numbers from 0 to 9223372036854775807")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", 8, "tensor 'a' ends at byte 0, before it begins at 8")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}""", 8, "tensor 'a' has 1 data_offsets, and the format wants begin and end")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}}""", 8, "tensor 'a' has a shape whose bytes do not fit 64 bits")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2]}}""", 8, "tensor 'a' has no data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}}""", 8, "tensor 'a' has a field 'x', which the format does not have")]
    [InlineData("""{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 8, "tensor 'a' has 'dtype' twice")]
    [InlineData("""{"a":{"dtype":"F32","shape":[[[[2]]]],"data_offsets":[0,8]}}""", 8, "tensor 'a' has a shape with something else than whole numbers from 0 to 9223372036854775807")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}""", 8, "tensor 'a' stands in the header twice")]
    [InlineData("""{"a":{"dtype":"U8","shape":[5],"data_offsets":[0,5]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}""", 8, "tensor 'b' begins at byte 4, within 'a', which ends at 5")]
    [InlineData("""{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}""", 8, "tensor 'b' begins at byte 4, and bytes [3, 4) before it belong to no tensor")]
    [InlineData("""{"a":{"dtype":"F4","shape":[3,2],"data_offsets":[0,3]},"b":{"dtype":"F6_E2M3","shape":[4],"data_offsets":[3,6]},"c":{"dtype":"F6_E3M2","shape":[2,4],"data_offsets":[6,12]}}""", 12, null)]
    [InlineData("""{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}}""", 1, "tensor 'a' has 12 bits by its shape and type, which are no whole bytes")]
    [InlineData("""{"a":{"dtype":"F6_E2M3","shape":[4],"data_offsets":[0,4]}}""", 4, "tensor 'a' takes 4 bytes, and its shape and type 3")]
    [InlineData("""{"a":{"dtype":"F4","shape":[9223372036854775807,4],"data_offsets":[0,8]}}""", 8, "tensor 'a' has a shape whose bytes do not fit 64 bits")]
    [InlineData("""{"__metadata__":{"a":"1"},"__metadata__":{"b":"1"}}""", 0, "'__metadata__' stands in the header twice")]
    [InlineData("""{"__metadata__":{"a":"1","a":"2"}}""", 0, "'__metadata__' has 'a' twice")]
    [InlineData("""{"__metadata__":{"a":1}}""", 0, "'__metadata__' has a value that is no string")]
    [InlineData("""{"a":7}""", 0, "tensor 'a' is no object")]
    [InlineData("""{"a":{"dtype":"F32","sh""", 0, "the header is no JSON at or behind tensor 'a'")]
    [InlineData("[]", 0, "the header does not begin with '{'")]
    [InlineData("", 0, "the header does not begin with '{'")]
    public void A_header_is_checked_before_anything_is_read(string header, int data, string? fault)
    {
        var path = Write(header, data);
        if (fault is null)
        {
            SafetensorsFile.Open(path).Dispose();
            return;
        }
        Should.Throw<SafetensorsException>(() => SafetensorsFile.Open(path)).Message.ShouldBe(fault);
        SafetensorsFaults.IsRight(fault, File.ReadAllBytes(path)).ShouldBeTrue();
    }

    [Theory]
    [InlineData(0, 0, "the file has 0 bytes, and its first 8 are the header's length")]
    [InlineData(7, 0, "the file has 7 bytes, and its first 8 are the header's length")]
    [InlineData(8, 1, "the header is said to have 1 bytes, and only 0 follow")]
    [InlineData(8, 100_000_001, "the header is said to have 100000001 bytes, and the format allows 100000000")]
    [InlineData(8, ulong.MaxValue, "the header is said to have 18446744073709551615 bytes, and the format allows 100000000")]
    public void A_header_must_fit_its_file(int bytes, ulong length, string fault)
    {
        var file = new byte[Math.Max(bytes, 8)];
        BinaryPrimitives.WriteUInt64LittleEndian(file, length);
        var path = Path.Combine(_folder.FullName, "short.safetensors");
        File.WriteAllBytes(path, file[..bytes]);
        Should.Throw<SafetensorsException>(() => SafetensorsFile.Open(path)).Message.ShouldBe(fault);
    }

    [Theory]
    [InlineData("/dev/zero")]
    [InlineData("/dev/null", "the file has 0 bytes, and its first 8 are the header's length")]
    [InlineData("/proc/version")]
    [InlineData("/sys/devices/system/cpu/online")]
    public void What_the_system_makes_up_is_no_file_of_tensors(string path, string? fault = null)
    {
        Assert.SkipUnless(File.Exists(path), $"there is no {path} here");
        if (fault is null)
            Should.Throw<IOException>(() => SafetensorsFile.Open(path)).Message.ShouldBe($"'{path}' cannot be mapped into memory: it is a device, a pipe or made up by the system");
        else
            Should.Throw<SafetensorsException>(() => SafetensorsFile.Open(path)).Message.ShouldBe(fault);
    }

    [Fact]
    public void A_folder_is_no_file_of_tensors() =>
        Should.Throw<IOException>(() => SafetensorsFile.Open(_folder.FullName)).Message.ShouldBe($"'{_folder.FullName}' cannot be mapped into memory: it is a folder");

    [Fact]
    public void A_pipe_is_no_file_of_tensors()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "pipes have no path here");
        var path = Path.Combine(_folder.FullName, "pipe");
        MakePipe(path, Convert.ToUInt32("600", 8)).ShouldBe(0);
        // Who opens one end waits for the other.
        using var both = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        Should.Throw<IOException>(() => SafetensorsFile.Open(path)).Message.ShouldBe($"'{path}' cannot be mapped into memory: it is a device, a pipe or made up by the system");
    }

    [LibraryImport("libc", EntryPoint = "mkfifo", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakePipe(string path, uint mode);

    [Fact]
    public void A_model_names_the_tensor_that_it_misses()
    {
        using var empty = SafetensorsFile.Open(Write("{}", 0));
        Fault([empty]).ShouldBe("tensor 'model.embed_tokens.weight', Embedding of Small, stands in none of the files");
        using var other = SafetensorsFile.Open(Write("""{"model.embed_tokens.weight":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 8, "other"));
        Fault([other]).ShouldBe("tensor 'model.embed_tokens.weight' has shape [2], and Embedding of Small has [20, 16]");
        Fault([other, other]).ShouldBe("tensor 'model.embed_tokens.weight', Embedding of Small, stands in 2 of the files");
        using var whole = SafetensorsFile.Open(Write("""{"model.embed_tokens.weight":{"dtype":"I64","shape":[20,16],"data_offsets":[0,2560]}}""", 2560, "whole"));
        Fault([whole]).ShouldBe("tensor 'model.embed_tokens.weight' is of type I64, and only F32, F16 and BF16 are read");

        static string Fault(SafetensorsFile[] files) => Should.Throw<SafetensorsException>(() => new SafetensorsWeights(s_model, files)).Message;
    }

    /// <summary>What a declaration forgets changes the numbers, and nothing that it names tells of it.</summary>
    [Fact]
    public void Tensors_that_the_model_does_not_name_are_refused_unless_they_may_be_left()
    {
        using var file = SafetensorsFile.Open(Write(new SeededWeights(s_model, 3), "F32"));
        var layer = s_model.Stack[0].Pattern[0];
        var unbiased = s_model with { Stack = new LayerGroup[] { new(new[] { layer with { Attention = layer.HeadedAttention() with { Bias = ProjectionBias.None } } }, 2) } };
        Fault(unbiased).ShouldBe("tensor 'model.layers.0.self_attn.q_proj.bias' is no weight of Small, and 5 more of the files are none: declare it, or say that it may be left unread");
        Fault(unbiased, name => !name.EndsWith("1.self_attn.v_proj.bias", StringComparison.Ordinal))
            .ShouldBe("tensor 'model.layers.1.self_attn.v_proj.bias' is no weight of Small: declare it, or say that it may be left unread");
        Loads(unbiased, name => name.EndsWith("bias", StringComparison.Ordinal));
        var shorter = s_model with { Stack = new LayerGroup[] { new(new[] { layer }, 1) } };
        Fault(shorter).ShouldBe("tensor 'model.layers.1.input_layernorm.weight' is no weight of Small, and 13 more of the files are none: declare it, or say that it may be left unread");
        Loads(shorter, name => name.StartsWith("model.layers.1.", StringComparison.Ordinal));
        var tied = s_model with { TiedEmbeddings = true };
        Fault(tied).ShouldBe("tensor 'lm_head.weight' is no weight of Small: its output head is the embedding, and this is no copy of it");
        Loads(tied, name => name == "lm_head.weight");

        string Fault(ModelSpec model, Func<string, bool>? mayBeLeft = null) => Should.Throw<SafetensorsException>(() => new SafetensorsWeights(model, [file], null, mayBeLeft)).Message;

        void Loads(ModelSpec model, Func<string, bool> mayBeLeft) => new SafetensorsWeights(model, [file], null, mayBeLeft).Model.ShouldBe(model);
    }

    /// <summary>Checkpoints of tied models often hold the head all the same.</summary>
    [Theory]
    [InlineData("F32")]
    [InlineData("BF16")]
    public void A_tied_model_may_have_its_embedding_twice(string type)
    {
        using var file = SafetensorsFile.Open(Write(new TiedWeights(new SeededWeights(s_model, 3)), type));
        var values = new float[16];
        new SafetensorsWeights(s_model with { TiedEmbeddings = true }, [file]).Read(new WeightName(WeightKind.Embedding, -1), 19, 0, values);
        values.ShouldContain(v => v != 0);
    }

    [Fact]
    public void Files_and_names_that_are_none_are_refused_before_anything_is_looked_for()
    {
        using var empty = SafetensorsFile.Open(Write("{}", 0));
        Should.Throw<ArgumentException>(() => new SafetensorsWeights(s_model, [empty, null!])).Message.ShouldBe("one of the files is null (Parameter 'files')");
        Should.Throw<ArgumentException>(() => new SafetensorsWeights(s_model, [empty], _ => null!)).Message.ShouldBe("Embedding of Small has no name (Parameter 'nameOf')");
        var learned = SmallModels.Model(16, 20, new LayerGroup(new[] { SmallModels.Layer(position: Position.Learned) }, 1));
        Should.Throw<NotSupportedException>(() => new SafetensorsWeights(learned, [empty])).Message.ShouldBe("checkpoints of Llama, Mistral and Qwen have no Positions: give the names of another kind");
    }

    [Fact]
    public void A_closed_file_is_not_read()
    {
        var file = SafetensorsFile.Open(Write("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 8));
        file.Dispose();
        file.Dispose();
        Should.Throw<ObjectDisposedException>(() => file.Read(file.Tensors[0], 0, new float[2])).ObjectName.ShouldBe(typeof(SafetensorsFile).FullName);
    }

    /// <summary>What is unmapped under a read ends the process.</summary>
    [Fact]
    public async Task A_file_may_be_closed_while_it_is_read()
    {
        const int Elements = 1 << 20;
        var path = Write($$$"""{"a":{"dtype":"BF16","shape":[{{{Elements}}}],"data_offsets":[0,{{{2 * Elements}}}]}}""", 2 * Elements);
        for (var round = 0; round < 20; round++)
        {
            var file = SafetensorsFile.Open(path);
            using var reading = new ManualResetEventSlim();
            var read = Task.Run(() =>
            {
                var values = new float[Elements];
                while (true)
                {
                    file.Read(file.Tensors[0], 0, values);
                    reading.Set();
                }
            });
            reading.Wait();
            file.Dispose();
            (await Should.ThrowAsync<ObjectDisposedException>(() => read)).ObjectName.ShouldBe(typeof(SafetensorsFile).FullName);
        }
    }

    [Fact]
    public void Damaged_files_give_tensors_or_an_error_that_names_the_fault()
    {
        var files = new DamagedHeaders(new SafetensorsFuzz(_folder.FullName), _folder.FullName);
        var tally = FuzzTally.Run(files, cases: 10_000, seed: 20_252);
        _output.WriteLine($"{tally.Cases} damaged headers: {tally.Refused.Values.Sum()} refused with {tally.Refused.Count} kinds of errors, {tally.Accepted} sound all the same; {files.LeftOut} that were not damaged were left out");
        tally.Crashes.ShouldBeEmpty();
        tally.Cases.ShouldBe(10_000);
        (tally.Accepted + tally.Refused.Values.Sum()).ShouldBe(10_000);
        tally.Accepted.ShouldBeGreaterThan(100);
        tally.Refused.Values.Sum().ShouldBeGreaterThan(8_000);
        tally.Refused.Count.ShouldBeGreaterThan(15);
    }

    /// <summary>The error of a file is told from others, of another kind, another tensor or other numbers.</summary>
    [Theory]
    [InlineData("tensor 'a' ends at byte 8, and the file has 4 behind its header", true)]
    [InlineData("tensor 'b' ends at byte 8, and the file has 4 behind its header", false)]
    [InlineData("tensor 'a' ends at byte 9, and the file has 4 behind its header", false)]
    [InlineData("tensor 'a' ends at byte 8, and the file has 5 behind its header", false)]
    [InlineData("tensor 'a' ends at byte 8, and the file has 4 behind its header, and more", false)]
    [InlineData("tensor 'a' takes 8 bytes, and its shape and type 8", false)]
    [InlineData("tensor 'a' is no object", false)]
    [InlineData("tensor 'a' is damaged", false)]
    [InlineData("the header is no JSON", false)]
    [InlineData("the header is no JSON at or behind tensor 'a'", false)]
    [InlineData("the header does not begin with '{'", false)]
    [InlineData("4 bytes behind the last tensor, 'a', belong to no tensor", false)]
    public void An_error_is_right_of_the_file_that_has_it(string error, bool isRight)
    {
        var path = Write("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 4);
        SafetensorsFaults.IsRight(error, File.ReadAllBytes(path)).ShouldBe(isRight);
    }

    /// <summary>A folder in memory where the system has one: thousands of files are written, and none is to stay.</summary>
    private static DirectoryInfo Folder()
    {
        const string memory = "/dev/shm";
        return Directory.Exists(memory)
            ? Directory.CreateDirectory(Path.Combine(memory, $"preserve-safetensors-{Guid.NewGuid():N}"))
            : Directory.CreateTempSubdirectory("preserve-safetensors-");
    }

    private string Write(string header, int data, string name = "file")
    {
        var json = Encoding.UTF8.GetBytes(header);
        var bytes = new byte[8 + json.Length + data];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, (ulong)json.Length);
        json.CopyTo(bytes, 8);
        var path = Path.Combine(_folder.FullName, name + ".safetensors");
        File.WriteAllBytes(path, bytes);
        return path;
    }

    /// <summary>Writes a model's weights as a checkpoint has them.</summary>
    private string Write(IWeightSource weights, string type)
    {
        var header = new Dictionary<string, object>();
        using var data = new MemoryStream();
        foreach (var (name, rows, columns) in ModelWeights.Of(s_model))
        {
            var begin = data.Length;
            var row = new float[columns];
            for (var r = 0; r < rows; r++)
            {
                weights.Read(name, r, 0, row);
                foreach (var value in row)
                    data.Write(type == "F32" ? BitConverter.GetBytes(value) : BitConverter.GetBytes(Bfloat16.Narrow(value)));
            }
            header.Add(SafetensorsWeights.LlamaName(name), new { dtype = type, shape = rows == 1 ? new[] { columns } : [rows, columns], data_offsets = new[] { begin, data.Length } });
        }
        var path = Write(JsonSerializer.Serialize(header), 0, type);
        using var file = File.Open(path, FileMode.Append);
        file.Write(data.ToArray());
        return path;
    }

    /// <summary>Gives the embedding for the head.</summary>
    private sealed class TiedWeights(IWeightSource weights) : IWeightSource
    {
        public void Read(WeightName weight, int row, int column, Span<float> values) =>
            weights.Read(weight.Kind == WeightKind.Head ? new WeightName(WeightKind.Embedding, -1) : weight, row, column, values);
    }
}
