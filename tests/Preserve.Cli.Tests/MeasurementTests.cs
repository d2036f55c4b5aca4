using System.Text.Json;
using Preserve.Tests;

namespace Preserve.Cli.Tests;

/// <summary>The verbs that read measured tables.</summary>
public sealed class MeasurementTests : IDisposable
{
    /// <summary>A table of two systems, of which one is not built in; a weight of 134 MB is not read in 1 us.</summary>
    private const string Table = "system,vllm,dtype,m,n,k,us\nh100_sxm,0.24.0,bfloat16,8,4096,4096,17.5\nmine,0.24.0,bfloat16,8,8192,8192,60\nbroken,0.24.0,bfloat16,8,8192,8192,1\n";

    private readonly PreserveTool _tool = new();

    public MeasurementTests()
    {
        Directory.CreateDirectory(_tool.PathOf("own tables"));
        File.WriteAllText(Path.Combine(_tool.PathOf("own tables"), "gemm.csv"), Table);
    }

    [Fact]
    public async Task A_folder_without_tables_is_bad_input()
    {
        foreach (var verb in new[] { new[] { "validate" }, ["calibrate", "--system", "h100_sxm", "--base", "h100-sxm"] })
        {
            var (exitCode, output, errors) = await _tool.RunAsync([.. verb, "--measurements", "nowhere"]);
            exitCode.ShouldBe(2);
            output.ShouldBeEmpty();
            errors.ShouldContain("nowhere");
        }
    }

    [MeasuredFact]
    public async Task Validation_prints_the_documented_names_and_fails_where_asked_for_more()
    {
        var results = JsonDocument.Parse(await _tool.SucceedAsync("validate", "--measurements", MeasuredFolder.Path!, "--part", "held-out", "--json")).RootElement.GetProperty("results").EnumerateArray().ToList();
        results.Select(r => r.GetProperty("table").GetString()).Distinct().ShouldBe(["attention", "collectives", "gemm", "layer-ops", "gemm-h100-l2-hot"], ignoreOrder: true);
        foreach (var name in new[] { "system", "kind", "rows", "dropped", "mape", "p50", "p90", "bias", "insideBand" })
            results.Where(r => !r.TryGetProperty(name, out _)).ShouldBeEmpty(name);
        results.Where(r => r.GetProperty("insideBand").ValueKind == JsonValueKind.Number).ShouldAllBe(r => r.GetProperty("insideBand").GetDouble() >= 0 && r.GetProperty("insideBand").GetDouble() <= 1);
        var (exitCode, _, errors) = await _tool.RunAsync("validate", "--measurements", MeasuredFolder.Path!, "--max-mape", "1");
        exitCode.ShouldBe(1);
        errors.ShouldContain("more than 1 %");
    }

    [Theory]
    [InlineData("NaN")]
    [InlineData("0")]
    [InlineData("-5")]
    [InlineData("Infinity")]
    public async Task A_limit_that_nothing_could_break_is_refused(string limit)
    {
        var (exitCode, output, errors) = await _tool.RunAsync("validate", "--measurements", "own tables", "--max-mape=" + limit);
        exitCode.ShouldBe(2);
        output.ShouldBeEmpty();
        errors.ShouldContain("--max-mape is");
    }

    [Fact]
    public async Task What_is_not_compared_is_named_and_a_device_file_can_be()
    {
        var all = await Validated();
        all.GetProperty("results").EnumerateArray().Select(r => r.GetProperty("system").GetString()).Distinct().ShouldBe(["h100_sxm"]);
        all.GetProperty("skipped").EnumerateArray().Select(s => (s.GetProperty("system").GetString(), s.GetProperty("rows").GetInt32())).ShouldBe([("broken", 1), ("mine", 1)]);
        all.GetProperty("notCompared").GetArrayLength().ShouldBe(0);
        await File.WriteAllTextAsync(
            Path.Combine(_tool.PathOf("own tables"), "collectives.csv"), "system,library,version,op,gpus,bytes,us\nh100_sxm,NCCL,2,alltoall,8,65536,22.5\nh100_sxm,None,1,all_reduce,8,65536,22.5\n");
        (await Validated()).GetProperty("notCompared").EnumerateArray().Select(n => n.GetString()).ShouldBe(
        [
            "collectives.csv: 1 row of alltoall of h100_sxm: no cost law is of it",
            "collectives.csv: 1 row of all-reduce None 8 ranks of h100_sxm: h100-sxm has no constants of the library",
        ]);
        var text = await _tool.SucceedAsync("validate", "--measurements", "own tables");
        text.ShouldContain("mine: 1 row was not compared");
        text.ShouldContain("not compared: collectives.csv: 1 row of alltoall of h100_sxm: no cost law is of it");

        await File.WriteAllTextAsync(_tool.PathOf("own.json"), await _tool.SucceedAsync("devices", "h200-sxm"));
        var own = await Validated("--device", "own.json", "--system", "mine");
        own.GetProperty("results").EnumerateArray().Select(r => r.GetProperty("system").GetString()).ShouldBe(["mine"]);

        foreach (var (message, arguments) in new (string, string[])[]
        {
            ("which rows are of own.json is not known: give --system", ["--device", "own.json"]),
            ("which device 'mine' is is not known: give --device", ["--system", "mine"]),
            ("no row of own tables is of the system 'b200_sxm', only of broken, h100_sxm, mine", ["--system", "b200_sxm"]),
        })
        {
            var (exitCode, _, errors) = await _tool.RunAsync(["validate", "--measurements", "own tables", .. arguments]);
            exitCode.ShouldBe(2);
            errors.ShouldContain(message);
        }

        async Task<JsonElement> Validated(params string[] arguments)
        {
            var json = JsonDocument.Parse(await _tool.SucceedAsync(["validate", "--measurements", "own tables", "--json", .. arguments])).RootElement;
            SchemaCheck.Faults(json, Schema("validate")).ShouldBeEmpty();
            return json;
        }
    }

    [Theory]
    [InlineData("the only row of h100_sxm in own tables was dropped: gemm.csv:2: computing at 2982.616 TFLOP/s, but the machine's peak is 989.4", "8192,8192,0.045")]
    [InlineData("all 4 rows of h100_sxm in own tables were dropped: gemm.csv:2: ", "8192,8192,0.045", "8192,8192,0.045", "8192,8192,0.045", "8192,8192,0.045")]
    [InlineData("of the rows of h100_sxm in own tables none is of a shape that is held out", "4096,4096,17.5")]
    public async Task That_nothing_is_compared_has_its_reason(string message, params string[] rows)
    {
        await File.WriteAllTextAsync(
            Path.Combine(_tool.PathOf("own tables"), "gemm.csv"), "system,vllm,dtype,m,n,k,us\n" + string.Concat(rows.Select(r => $"h100_sxm,0.24.0,bfloat16,1,{r}\n")));
        var (exitCode, output, errors) = await _tool.RunAsync("validate", "--measurements", "own tables", "--system", "h100_sxm", "--part", "held-out");
        exitCode.ShouldBe(2);
        output.ShouldBeEmpty();
        errors.ShouldContain(message);
    }

    [Fact]
    public async Task An_error_is_told_from_the_limit_that_it_exceeds()
    {
        var results = JsonDocument.Parse(await _tool.SucceedAsync("validate", "--measurements", "own tables", "--json")).RootElement.GetProperty("results");
        var error = results.EnumerateArray().Single().GetProperty("mape").GetDouble();
        var (exitCode, _, errors) = await _tool.RunAsync("validate", "--measurements", "own tables", "--max-mape", (error - 0.001).ToString("R", System.Globalization.CultureInfo.InvariantCulture));
        exitCode.ShouldBe(1);
        var told = errors[(errors.IndexOf("mean error ", StringComparison.Ordinal) + 11)..];
        double.Parse(told[..told.IndexOf(' ', StringComparison.Ordinal)], System.Globalization.CultureInfo.InvariantCulture).ShouldBeGreaterThan(error - 0.001);
    }

    [Fact]
    public async Task A_calibrated_file_says_whose_it_is_and_how_it_was_made()
    {
        await WriteAllReducesAsync();
        string[] command = ["calibrate", "--measurements", "own tables", "--system", "mine", "--base", "h100-sxm", "--multiprocessors", "132", "--id", "mine-1", "--out", "it's mine.json"];
        var json = JsonDocument.Parse(await _tool.SucceedAsync([.. command, "--json"])).RootElement;
        SchemaCheck.Faults(json, Schema("calibrate")).ShouldBeEmpty();
        json.GetProperty("written").GetString().ShouldBe("it's mine.json");
        var file = JsonDocument.Parse(await _tool.SucceedAsync("devices", "it's mine.json")).RootElement;
        file.GetProperty("id").GetString().ShouldBe("mine-1");
        file.GetProperty("calibration").GetProperty("command").GetString().ShouldBe(
            @"preserve calibrate --measurements 'own tables' --system mine --base h100-sxm --multiprocessors 132 --id mine-1 --out 'it'\''s mine.json'");
        file.GetProperty("sources").EnumerateArray().Single(s => s.GetProperty("field").GetString() == "calibration").GetProperty("note").GetString()!
            .ShouldStartWith("fit to the tables of own tables, system mine");
    }

    [Fact]
    public async Task A_calibration_names_what_the_base_had_measured_and_it_has_not()
    {
        await WriteAllReducesAsync();
        string[] command = ["calibrate", "--measurements", "own tables", "--system", "mine", "--base", "h100-sxm", "--multiprocessors", "132"];
        var json = JsonDocument.Parse(await _tool.SucceedAsync([.. command, "--json"])).RootElement;
        SchemaCheck.Faults(json, Schema("calibrate")).ShouldBeEmpty();
        var notKept = json.GetProperty("notKept").EnumerateArray().Select(k => k.GetString()).ToList();
        notKept.ShouldContain("decode attention");
        notKept.ShouldContain("all-reduce NCCL 2, 4 ranks");
        (await _tool.SucceedAsync(command)).ShouldContain("measured in h100-sxm, and not in the new calibration: matmul bf16; matmul fp8; decode attention; ");
    }

    [Fact]
    public async Task A_calibration_of_nothing_is_not_written()
    {
        foreach (var json in new string[][] { [], ["--json"] })
        {
            var (exitCode, output, errors) = await _tool.RunAsync(
                ["calibrate", "--measurements", "own tables", "--system", "mine", "--base", "h100-sxm", "--multiprocessors", "132", "--id", "mine-1", "--out", "mine.json", .. json]);
            exitCode.ShouldBe(2);
            output.ShouldBeEmpty();
            errors.ShouldContain("nothing was fitted to the rows of 'mine', so mine.json was not written; matmul bf16 has 1 small, 0 large, 0 small resident rows to fit, but needs 12 of each");
            _tool.Files.ShouldBeEmpty();
        }
    }

    /// <summary>Sixty, or a cut six hundred: the row counts, and the doubt is told.</summary>
    [Fact]
    public async Task A_table_that_may_be_cut_is_told_by_both_verbs()
    {
        const string doubt = "gemm.csv:3: the last line has no line end: if the table was cut there, its last number, 60, may be too";
        string[] verb = ["--measurements", "own tables", "--system", "mine"];
        await File.WriteAllTextAsync(Path.Combine(_tool.PathOf("own tables"), "gemm.csv"), Table[..Table.IndexOf("\nbroken", StringComparison.Ordinal)]);
        foreach (var command in new string[][] { ["validate", .. verb, "--device", "h100-sxm"], ["calibrate", .. verb, "--base", "h100-sxm", "--multiprocessors", "132"] })
        {
            (await _tool.SucceedAsync(command)).ShouldContain("doubtful: " + doubt);
            var json = JsonDocument.Parse(await _tool.SucceedAsync([.. command, "--json"])).RootElement;
            SchemaCheck.Faults(json, Schema(command[0])).ShouldBeEmpty();
            json.GetProperty("doubts").EnumerateArray().Select(d => d.GetString()).ShouldBe([doubt]);
        }
        await File.AppendAllTextAsync(Path.Combine(_tool.PathOf("own tables"), "gemm.csv"), "\n");
        (await _tool.SucceedAsync(["validate", .. verb, "--device", "h100-sxm"])).ShouldNotContain("doubtful");
    }

    [Fact]
    public async Task A_calibration_names_the_systems_whose_rows_it_did_not_use()
    {
        string[] command = ["calibrate", "--measurements", "own tables", "--system", "mine", "--base", "h100-sxm", "--multiprocessors", "132"];
        var json = JsonDocument.Parse(await _tool.SucceedAsync([.. command, "--json"])).RootElement;
        json.GetProperty("skipped").EnumerateArray().Select(s => (s.GetProperty("system").GetString(), s.GetProperty("rows").GetInt32())).ShouldBe([("broken", 1), ("h100_sxm", 1)]);
        (await _tool.SucceedAsync(command)).ShouldContain("broken: 1 row was not used");
    }

    [Theory]
    [InlineData("1 of 1 rows of 'broken' in gemm.csv cannot be of h100-sxm, more than 10 %; the first is gemm.csv:4", "--system", "broken", "--multiprocessors", "132")]
    [InlineData("the file would say that it is h100-sxm, which 'mine' is not known to be: give --id", "--system", "mine", "--multiprocessors", "132", "--out", "o.json")]
    [InlineData("--id is 'A b', but must be of the letters", "--system", "h100_sxm", "--id", "A b")]
    [InlineData("how many multiprocessors the system 'mine' has is not known", "--system", "mine")]
    public async Task A_calibration_that_would_be_false_is_refused(string message, params string[] arguments)
    {
        var (exitCode, output, errors) = await _tool.RunAsync(["calibrate", "--measurements", "own tables", "--base", "h100-sxm", .. arguments]);
        exitCode.ShouldBe(2);
        output.ShouldBeEmpty();
        errors.ShouldContain(message);
        _tool.Files.ShouldBeEmpty();
    }

    [Fact]
    public async Task Times_in_another_unit_are_refused()
    {
        // 3 us, 2.6 TB/s and 400 TFLOP/s, in nanoseconds.
        int[] sizes = [512, 1024, 2048, 4096, 8192, 16_384];
        var rows =
            from columns in sizes
            from depth in sizes
            from m in (int[])[1, 16, 64, 512, 4096]
            select FormattableString.Invariant($"slow,0.24.0,bfloat16,{m},{columns},{depth},{1000 * (3 + (2.0 * columns * depth / 2.6e6) + (2.0 * m * columns * depth / 4e8)):0.0}");
        await File.WriteAllTextAsync(Path.Combine(_tool.PathOf("own tables"), "gemm.csv"), "system,vllm,dtype,m,n,k,us\n" + string.Join('\n', rows) + "\n");
        var (exitCode, output, errors) = await _tool.RunAsync(
            "calibrate", "--measurements", "own tables", "--base", "h100-sxm", "--system", "slow", "--multiprocessors", "132", "--id", "slow", "--out", "slow.json");
        exitCode.ShouldBe(2);
        output.ShouldBeEmpty();
        errors.ShouldContain("no large row of 'slow' in gemm.csv reaches more than 0.0");
        errors.ShouldContain("is its column us in microseconds?");
        _tool.Files.ShouldBeEmpty();
    }

    /// <summary>Twelve sizes of an all-reduce of the system <c>mine</c>: 15 us and what the bytes take at 300 GB/s.</summary>
    private Task WriteAllReducesAsync() => File.WriteAllTextAsync(
        Path.Combine(_tool.PathOf("own tables"), "collectives.csv"),
        "system,library,version,op,gpus,bytes,us\n" + string.Concat(Enumerable.Range(13, 12).Select(i => FormattableString.Invariant($"mine,NCCL,2,all_reduce,8,{1L << i},{15 + (1.75 * (1L << i) / 300e3):0.00}\n"))));

    public void Dispose() => _tool.Dispose();

    private static JsonElement Schema(string verb) => JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, verb + ".schema.json"))).RootElement;
}
