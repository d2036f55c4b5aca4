using FsCheck;
using FsCheck.Fluent;

namespace Preserve.Calibration.Tests.Measurements;

public class TableTests
{
    private const string MatMul = "# source\nsystem,vllm,dtype,m,n,k,us\nh100_sxm,0.24.0,bfloat16,8,4096,4096,17.5\nh100_sxm,0.24.0,fp8,8,4096,4096,11\n";
    private const string Attention = "system,kind,kernel,batch,len,q_heads,kv_heads,us\nh100_sxm,generation,fa3,8,1023,32,8,14.5\n";
    private const string Collectives = "system,library,version,op,gpus,bytes,us\nh100_sxm,vLLM_custom_eager,0.24,all_reduce,8,65536,22.5\n";

    [Fact]
    public void Rows_are_read_with_their_lines()
    {
        var errors = new List<MeasurementError>();
        MatMulTable.Read(new TableReader("gemm.csv", new StringReader(MatMul), errors)).ShouldBe(
        [
            new MatMulRow(3, "h100_sxm", Precision.Bf16, 8, 4096, 4096, 17.5, false),
            new MatMulRow(4, "h100_sxm", Precision.Fp8, 8, 4096, 4096, 11, false),
        ]);
        AttentionTable.Read(new TableReader("attention.csv", new StringReader(Attention), errors)).ShouldBe([new AttentionRow(2, "h100_sxm", true, "fa3", 8, 1023, 32, 8, 14.5)]);
        CollectiveTable.Read(new TableReader("collectives.csv", new StringReader(Collectives), errors))
            .ShouldBe([new CollectiveRow(2, "h100_sxm", "vLLM_custom", LaunchMode.Eager, "all_reduce", 8, 65_536, 22.5)]);
        errors.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("17.5", "NaN", "gemm.csv:3: us is 'NaN', but must be a number of microseconds from 0.001 to 3600000000")]
    [InlineData("17.5", "-17.5", "gemm.csv:3: us is '-17.5', but must be a number of microseconds from 0.001 to 3600000000")]
    [InlineData("17.5", "1e400", "gemm.csv:3: us is '1e400', but must be a number of microseconds from 0.001 to 3600000000")]
    [InlineData("17.5", "17.5us", "gemm.csv:3: us is '17.5us', but must be a number of microseconds from 0.001 to 3600000000")]
    [InlineData("8,4096,4096,17.5", "8.5,4096,4096,17.5", "gemm.csv:3: m is '8.5', but must be a whole number from 1 to 16777216")]
    [InlineData("8,4096,4096,17.5", "8,0,4096,17.5", "gemm.csv:3: n is '0', but must be a whole number from 1 to 16777216")]
    [InlineData("8,4096,4096,17.5", "8,4096,99999999999,17.5", "gemm.csv:3: k is '99999999999', but must be a whole number from 1 to 16777216")]
    [InlineData("bfloat16", "float64", "gemm.csv:3: dtype is 'float64', but must be one of bfloat16, fp8, int8")]
    [InlineData(",4096,11\n", "", "gemm.csv:4: 5 fields where the header has 7: 'h100_sxm,0.24.0,fp8,8,4096'")]
    [InlineData("dtype,m", "m,dtype", "gemm.csv:2: the header must be 'system,vllm,dtype,m,n,k,us', not 'system,vllm,m,dtype,n,k,us'")]
    public void What_is_wrong_is_named(string sound, string wrong, string error)
    {
        var errors = new List<MeasurementError>();
        MatMulTable.Read(new TableReader("gemm.csv", new StringReader(MatMul.Replace(sound, wrong, StringComparison.Ordinal)), errors));
        errors.Select(e => e.ToString()).ShouldBe([error]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("# only a comment\n")]
    public void A_table_without_a_header_is_refused(string text)
    {
        var errors = new List<MeasurementError>();
        MatMulTable.Read(new TableReader("gemm.csv", new StringReader(text), errors)).ShouldBeEmpty();
        errors.ShouldBe([new MeasurementError("gemm.csv", 0, "the table has no header")]);
    }

    [Fact]
    public void One_line_without_end_is_not_read_to_its_end()
    {
        var errors = new List<MeasurementError>();
        using var endless = new EndlessReader();
        MatMulTable.Read(new TableReader("gemm.csv", endless, errors)).ShouldBeEmpty();
        errors.ShouldHaveSingleItem().Message.ShouldBe("a line has more than 1000 characters: is this a table?");
        endless.Characters.ShouldBeLessThan(2000);
    }

    [Fact]
    public void Reading_ends_after_some_errors()
    {
        var errors = new List<MeasurementError>();
        MatMulTable.Read(new TableReader("gemm.csv", new StringReader(MatMul + string.Concat(Enumerable.Repeat("x\n", 10_000))), errors));
        errors.Count.ShouldBe(TableReader.MaxErrors);
    }

    [Fact]
    public void A_damaged_table_gives_rows_or_errors_in_it()
    {
        var damage = from at in Gen.Choose(0, MatMul.Length - 10)
                     from length in Gen.Choose(0, 9)
                     from put in Gen.Elements("", "-", "NaN", "1e999", ",", "\n", "\r\n", "\0", "\"", "99999999999999999999", "٣", "# ", "fp8")
                     from cut in Gen.Choose(0, 3 * MatMul.Length)
                     select (at, length, put, cut);
        Prop.ForAll(damage.ToArbitrary(), d =>
        {
            var text = MatMul.Remove(d.at, d.length).Insert(d.at, d.put);
            text = text[..Math.Min(d.cut, text.Length)];
            var errors = new List<MeasurementError>();
            var rows = MatMulTable.Read(new TableReader("gemm.csv", new StringReader(text), errors));
            rows.ShouldAllBe(r => r.Rows > 0 && r.Columns > 0 && r.Depth > 0 && r.Microseconds > 0 && double.IsFinite(r.Microseconds));
            errors.ShouldAllBe(e => e.Line <= text.Split('\n', StringSplitOptions.None).Length && e.Message.Length > 0 && e.Message.Length < 500);
            (errors.Count > 0 || rows.Count <= 3).ShouldBeTrue();
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(3000).WithReplay(77, 5));
    }

    /// <summary>A number that is cut is another number; a whole last line without an end is common.</summary>
    [Theory]
    [InlineData(",4096,11", "the last line has no line end: if the table was cut there, its last number, 11, may be too")]
    [InlineData(",4096,1", "the last line has no line end: if the table was cut there, its last number, 1, may be too")]
    [InlineData(",4096,11\n", null)]
    [InlineData(",4096,11\r\n", null)]
    [InlineData(",4096,11\n\n", null)]
    [InlineData(",4096,11\n# the end", null)]
    public void A_last_line_without_an_end_is_told(string end, string? doubt)
    {
        var errors = new List<MeasurementError>();
        var table = new TableReader("gemm.csv", new StringReader(MatMul.Replace(",4096,11\n", end, StringComparison.Ordinal)), errors);
        MatMulTable.Read(table).Count.ShouldBe(2);
        errors.ShouldBeEmpty();
        table.Cut.ShouldBe(doubt is null ? null : new MeasurementError("gemm.csv", 4, doubt));
    }

    [Fact]
    public void A_folder_without_tables_is_refused()
    {
        var folder = Directory.CreateTempSubdirectory();
        try
        {
            MeasurementSet.Read(folder.FullName).Errors.ShouldHaveSingleItem().Message.ShouldStartWith("none of gemm.csv, attention.csv");
            MeasurementSet.Read(Path.Combine(folder.FullName, "none")).Errors.ShouldHaveSingleItem().Message.ShouldBe("there is no such folder");
            File.WriteAllText(Path.Combine(folder.FullName, "gemm-h100-l2-hot.csv"), "m,n,k,us\n1,512,2048,5.61\n");
            MeasurementSet.Read(folder.FullName).Measurements!.HotMatMul.ShouldBe([new MatMulRow(2, "h100_sxm", Precision.Bf16, 1, 512, 2048, 5.61, true)]);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>The tables of layers and of resident weights belong to the system whose name they have. Those of the built-in systems name the chip alone.</summary>
    [Theory]
    [InlineData("own", "own", "own")]
    [InlineData("own_sxm", "own", "own")]
    [InlineData("own_sxm", "own_sxm", "own_sxm")]
    [InlineData("h100_sxm", "h100", "h100_sxm")]
    [InlineData("own", "h100", "h100_sxm")]
    [InlineData("h100", "h100", "h100")]
    public void Tables_of_one_system_have_its_name(string elsewhere, string name, string system)
    {
        var folder = Directory.CreateTempSubdirectory();
        try
        {
            File.WriteAllText(Path.Combine(folder.FullName, "gemm.csv"), $"system,vllm,dtype,m,n,k,us\n{elsewhere},none,bfloat16,8,4096,4096,17.5\n");
            File.WriteAllText(Path.Combine(folder.FullName, $"gemm-{name}-l2-hot.csv"), "m,n,k,us\n1,512,2048,5.61\n");
            File.WriteAllText(
                Path.Combine(folder.FullName, "layer-ops.csv"),
                $"device,model,tp,tokens,{string.Join(",", LayerTable.Operators.Select(o => o + "_us"))}\n{name},Llama-2-7b-hf,1,1,{string.Join(",", LayerTable.Operators.Select(_ => "200"))}\n");
            var read = MeasurementSet.Read(folder.FullName);
            read.Errors.ShouldBeEmpty();
            read.Measurements!.HotMatMul.ShouldHaveSingleItem().System.ShouldBe(system);
            read.Measurements.Layers.ShouldHaveSingleItem().System.ShouldBe(system);
            MeasurementSet.HotTableName(system).ShouldBe($"gemm-{name}-l2-hot.csv");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void A_built_in_system_has_one_table_of_resident_weights()
    {
        var folder = Directory.CreateTempSubdirectory();
        try
        {
            File.WriteAllText(Path.Combine(folder.FullName, "gemm-h100_sxm-l2-hot.csv"), "m,n,k,us\n1,512,2048,5.61\n");
            MeasurementSet.Read(folder.FullName).Errors.ShouldContain(new MeasurementError("gemm-h100_sxm-l2-hot.csv", 0, "the table of 'h100_sxm' must be named gemm-h100-l2-hot.csv"));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private sealed class EndlessReader : TextReader
    {
        public int Characters { get; private set; }

        public override int Read()
        {
            Characters++;
            return 'x';
        }
    }
}
