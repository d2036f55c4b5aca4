using System.Globalization;
using Microsoft.CodeAnalysis;

namespace Preserve.Generators.Tests;

/// <summary>Devices of a project's own.</summary>
public class DeviceFileTests
{
    private static readonly string Deployment = Declarations.Small.With("Devices.A100Sxm80", "\"own-1\"");

    [Fact]
    public async Task Plans_are_made_with_it_and_carry_it()
    {
        var run = GeneratorRun.Of(TestCompilation.Of(Deployment), new DeviceText("/project/own.device.json", DeviceText.Own));
        run.ShouldCompile();
        (await Analysis.DiagnosticsOf(run.Output, new DeviceText("/project/own.device.json", DeviceText.Own))).ShouldHaveSingleItem().Id.ShouldBe("PRSV106");
        var plans = EmittedText.PlansOf(run.Source);
        plans.DeviceFile.ShouldBe(DeviceText.Own.TrimEnd('\n'));
        plans.Steps[0].Plan.Device.ShouldBe("own-1");
    }

    [Fact]
    public void The_path_does_not_count()
    {
        GeneratorRun.Of(TestCompilation.Of(Deployment), new DeviceText("/a/own.device.json", DeviceText.Own)).Source
            .ShouldBe(GeneratorRun.Of(TestCompilation.Of(Deployment), new DeviceText("C:\\b\\Other.Device.Json", DeviceText.Own)).Source);
    }

    [Theory]
    [InlineData("\r\n")]
    [InlineData("\r")]
    [InlineData("\n")]
    public void Line_ends_do_not_count(string lineEnd) =>
        GeneratorRun.Of(TestCompilation.Of(Deployment), new DeviceText("/own.device.json", DeviceText.Own.ReplaceLineEndings(lineEnd))).Source
            .ShouldBe(GeneratorRun.Of(TestCompilation.Of(Deployment), new DeviceText("/own.device.json", DeviceText.Own)).Source);

    [Theory]
    [InlineData("\"\"\"\"\"")]
    [InlineData("\u00e4\u00df\u6f22\u5b57 \ud83d\ude80")]
    [InlineData("{0} {{ $ \\ @ // # */")]
    public void Any_text_in_it_survives_the_literal(string name)
    {
        var text = DeviceText.Own.With("\"compute\"", $"\"name\": \"{name.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\",\n  \"compute\"");
        var run = GeneratorRun.Of(TestCompilation.Of(Deployment), new DeviceText("/own.device.json", text));
        run.ShouldCompile();
        DeviceFile.Parse(EmittedText.PlansOf(run.Source).DeviceFile!).Device.ShouldNotBeNull().Name.ShouldBe(name);
    }

    [Theory]
    [InlineData("\u2028")]
    [InlineData("\u0085")]
    [InlineData("\u0007")]
    public async Task A_name_that_would_break_the_line_of_a_plan_is_refused(string character)
    {
        var file = new DeviceText("/own.device.json", DeviceText.Own.With("\"compute\"", $"\"name\": \"a\\u{(int)character[0]:x4}b\",\n  \"compute\""));
        var run = GeneratorRun.Of(TestCompilation.Of(Deployment), file);
        run.Sources.ShouldBeEmpty();
        (await Analysis.DiagnosticsOf(run.Output, file)).ShouldContain(d => d.Id == "PRSV009" && d.GetMessage(CultureInfo.InvariantCulture).Contains("name", StringComparison.Ordinal));
    }

    /// <summary>The cache of 64 sequences of 8,098 tokens, 8,192 bytes each, and the 3 x 512 x 2,048 + 4 x 512 x 512 elements of each layer's matrices.</summary>
    [Theory]
    [InlineData("KeyValueHome = Home.Host", "'Deployed' needs 4.2 GB on the host, which has 1.0 GB for all ranks together; of these, the KV-cache takes 4.2 GB")]
    [InlineData("KeyValueHome = Home.Host, WeightHome = Home.Host", "'Deployed' needs 4.3 GB on the host, which has 1.0 GB for all ranks together; of these, weights take 0.0 GB and the KV-cache 4.2 GB")]
    public async Task What_the_host_cannot_hold_is_reported_with_both_sizes(string arguments, string message)
    {
        var file = new DeviceText("/own.device.json", DeviceText.Own.With("\"scale_up\"", "\"host_link\": { \"host_memory_capacity_gigabytes\": 1 },\n  \"scale_up\""));
        var source = Deployment.With("TensorParallel = 2", "TensorParallel = 2, " + arguments).With("Decode(Batch = 4, Context = 128)", "Generation(Batch = 64, Prompt = 8000, Tokens = 100)");
        var run = GeneratorRun.Of(TestCompilation.Of(source), file);
        run.Sources.ShouldBeEmpty();
        var diagnostic = (await Analysis.DiagnosticsOf(run.Output, file)).ShouldHaveSingleItem();
        diagnostic.Id.ShouldBe("PRSV006");
        diagnostic.GetMessage(CultureInfo.InvariantCulture).ShouldBe(message);
    }

    /// <summary>As the list of diagnostics has it, and its example.</summary>
    [Theory]
    [InlineData("PRSV009", DiagnosticSeverity.Error)]
    [InlineData("PRSV107", DiagnosticSeverity.Warning)]
    public async Task How_loud_a_device_file_is_a_global_config_says_and_no_editor_config(string id, DiagnosticSeverity byDefault)
    {
        var file = new DeviceText("/own.device.json", new DiagnosticPage(id).CodeOf("Bad").ShouldNotBeNull().DeviceFiles.ShouldHaveSingleItem());
        var silent = File.ReadAllText(Path.Combine(DiagnosticPage.Folder, "README.md")).Split("```ini\n")[1].Split("```")[0].Replace("PRSV107", id, StringComparison.Ordinal);
        silent.ShouldStartWith("is_global = true\n");
        (await ReportedUnder(silent)).ShouldBeEmpty();
        (await ReportedUnder(silent.With("none", "suggestion"))).ShouldBe([DiagnosticSeverity.Info]);
        foreach (var section in new[] { "[*]", "[*.json]", "[*.{cs,json}]" })
            (await ReportedUnder(silent.With("is_global = true", section))).ShouldBe([byDefault]);

        async Task<DiagnosticSeverity[]> ReportedUnder(string options) =>
            [.. (await Analysis.AllOf(TestCompilation.Of(""), options, file)).Where(d => d.Id == id).Select(d => d.Severity)];
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    [InlineData("\r")]
    public async Task Errors_are_reported_at_their_lines(string lineEnd)
    {
        var text = DeviceText.Own.With("\"capacity_gigabytes\": 32, ", "").With("bf16_teraflops\": 100", "bf16_teraflops\": -1").ReplaceLineEndings(lineEnd);
        var file = new DeviceText("/own.device.json", text);
        var run = GeneratorRun.Of(TestCompilation.Of(Deployment), file);
        run.Sources.ShouldBeEmpty();
        var diagnostics = await Analysis.DiagnosticsOf(run.Output, file);
        diagnostics.Select(d => d.Id).ShouldBe(["PRSV009", "PRSV009", "PRSV004"], ignoreOrder: true);
        diagnostics.Where(d => d.Id == "PRSV009").Select(d => d.Location.GetLineSpan()).Select(s => (s.Path, s.StartLinePosition.Line)).ShouldBe([("/own.device.json", 3), ("/own.device.json", 4)]);
        diagnostics.Where(d => d.Id == "PRSV009").Select(d => text[d.Location.SourceSpan.Start..d.Location.SourceSpan.End]).ShouldBe(
            ["-1 },", "{ \"nominal_gigabytes_per_second\": 1000 },"]);
    }

    [Fact]
    public async Task A_file_that_is_no_json_is_reported_at_its_line()
    {
        var file = new DeviceText("/own.device.json", "{\n  \"preserve_device\" 1\n}");
        var diagnostic = (await Analysis.DiagnosticsOf(TestCompilation.Of(Declarations.Small), file)).ShouldHaveSingleItem();
        diagnostic.Id.ShouldBe("PRSV009");
        diagnostic.Location.GetLineSpan().StartLinePosition.Line.ShouldBe(1);
    }

    [Fact]
    public async Task An_empty_file_is_reported()
    {
        var diagnostic = (await Analysis.DiagnosticsOf(TestCompilation.Of(Declarations.Small), new DeviceText("/own.device.json", ""))).ShouldHaveSingleItem();
        diagnostic.Id.ShouldBe("PRSV009");
    }

    [Fact]
    public async Task The_id_of_a_built_in_device_is_refused()
    {
        var file = new DeviceText("/own.device.json", DeviceText.Own.With("own-1", Devices.H100));
        var run = GeneratorRun.Of(TestCompilation.Of(Declarations.Small.With("Devices.A100Sxm80", "Devices.H100")), file);
        run.Sources.ShouldBeEmpty();
        var diagnostic = (await Analysis.DiagnosticsOf(run.Output, file)).ShouldHaveSingleItem();
        diagnostic.GetMessage(CultureInfo.InvariantCulture).ShouldBe("the id 'h100-sxm' is also that of a built-in device");
        AtTheId(diagnostic, Devices.H100).ShouldBeTrue();
    }

    /// <summary>Whether it is said from the value of the id to the end of its line.</summary>
    private static bool AtTheId(Diagnostic diagnostic, string id)
    {
        var text = DeviceText.Own.With("own-1", id);
        return text.Substring(diagnostic.Location.SourceSpan.Start, diagnostic.Location.SourceSpan.Length) == $"\"{id}\"," && diagnostic.Location.GetLineSpan().StartLinePosition.Line == 2;
    }

    [Fact]
    public async Task An_id_of_two_files_is_refused()
    {
        AdditionalText[] files = [new DeviceText("/a.device.json", DeviceText.Own), new DeviceText("/b.device.json", DeviceText.Own)];
        var run = GeneratorRun.Of(TestCompilation.Of(Deployment), files);
        run.Sources.ShouldBeEmpty();
        var diagnostics = await Analysis.DiagnosticsOf(run.Output, files);
        diagnostics.Select(d => d.GetMessage(CultureInfo.InvariantCulture))
            .ShouldBe(["the id 'own-1' is also that of 'b.device.json'", "the id 'own-1' is also that of 'a.device.json'"]);
        diagnostics.ShouldAllBe(d => AtTheId(d, "own-1"));
    }

    [Fact]
    public async Task A_misspelt_id_is_answered_with_the_own_one()
    {
        var file = new DeviceText("/own.device.json", DeviceText.Own);
        var diagnostic = (await Analysis.DiagnosticsOf(TestCompilation.Of(Deployment.With("\"own-1\"", "\"Own_1\"")), file)).ShouldHaveSingleItem();
        diagnostic.GetMessage(CultureInfo.InvariantCulture).ShouldBe("No device has the id 'Own_1'; did you mean 'own-1'?");
    }

    /// <summary>A device whose own file has a slip is not another one that is called nearly the same.</summary>
    [Theory]
    [InlineData("\"bf16_teraflops\"", "\"bf16_terraflops\"", "own-2", "; 'second.device.json' has errors, and no device is known of it")]
    [InlineData("\"id\"", "\"ident\"", "own-2", "; the id of 'second.device.json' cannot be read; the nearest id is 'own-1'")]
    [InlineData("{", "", "own-2", "; the id of 'second.device.json' cannot be read; the nearest id is 'own-1'")]
    [InlineData("{", "", "H200_sxm", "; the id of 'second.device.json' cannot be read; did you mean 'h200-sxm'?")]
    [InlineData("\"bf16_teraflops\"", "\"bf16_terraflops\"", "own-3", "; the nearest id is 'own-1'")]
    public async Task A_file_with_errors_is_named_where_its_device_may_be_meant(string part, string faulty, string device, string hint) =>
        await ShouldSay(device, hint, [new DeviceText("/own.device.json", DeviceText.Own), new DeviceText("/second.device.json", Faulty("own-2", part, faulty))]);

    [Theory]
    [InlineData("own-6", "; 'd6.device.json' has errors, and no device is known of it")]
    [InlineData("own-7", "; 'd7.device.json' has errors, and no device is known of it")]
    [InlineData("own-8", "; the id of 'd5.device.json' cannot be read")]
    public async Task The_file_of_the_same_id_is_named_before_one_whose_id_cannot_be_read(string device, string hint) =>
        await ShouldSay(device, hint, [
            new DeviceText("/d5.device.json", Faulty("own-5", "{", "")),
            new DeviceText("/d6.device.json", Faulty("own-6", "\"bf16_teraflops\"", "\"bf16_terraflops\"")),
            new DeviceText("/d7.device.json", Faulty("own-7", "\"bf16_teraflops\"", "\"bf16_terraflops\""))]);

    private static async Task ShouldSay(string device, string hint, AdditionalText[] files)
    {
        var diagnostic = (await Analysis.DiagnosticsOf(TestCompilation.Of(Deployment.With("\"own-1\"", $"\"{device}\"")), files)).Single(d => d.Id == "PRSV004");
        diagnostic.GetMessage(CultureInfo.InvariantCulture).ShouldBe($"No device has the id '{device}'{hint}");
        Mend.ArgumentsOf(diagnostic.Properties).ShouldBeEmpty();
    }

    /// <summary>The own device under another id, with the first of a part replaced.</summary>
    private static string Faulty(string id, string part, string faulty)
    {
        var text = DeviceText.Own.With("own-1", id);
        return text.IndexOf(part, StringComparison.Ordinal) is var at && at >= 0 ? text.Remove(at, part.Length).Insert(at, faulty) : throw new ArgumentException($"no {part}", nameof(part));
    }

    [Fact]
    public async Task A_rate_of_an_eighth_is_doubted_at_its_place_and_planned_with()
    {
        var file = new DeviceText("/own.device.json", DeviceText.Own.With("\"own link\", \"gigabytes_per_second_per_direction\": 100", "\"NVLink4\",\n    \"gigabytes_per_second_per_direction\": 56.25"));
        GeneratorRun.Of(TestCompilation.Of(Deployment), file).Sources.Length.ShouldBe(1);
        var doubt = (await Analysis.DiagnosticsOf(TestCompilation.Of(Deployment), file)).Single(d => d.Id == "PRSV107");
        doubt.Severity.ShouldBe(DiagnosticSeverity.Warning);
        doubt.GetMessage(CultureInfo.InvariantCulture).ShouldBe(
            "scale_up.gigabytes_per_second_per_direction is 56.25, about an eighth of the 450 that NVLink4 carries in one direction: was a rate in bytes divided by 8 as if it were one in bits?");
        doubt.Location.GetLineSpan().ShouldSatisfyAllConditions(
            s => s.Path.ShouldBe("/own.device.json"), s => s.StartLinePosition.Line.ShouldBe(7), s => s.StartLinePosition.Character.ShouldBe(42));
    }

    [Fact]
    public void Other_files_are_not_devices() =>
        GeneratorRun.Of(TestCompilation.Of(Deployment), new DeviceText("/own.json", DeviceText.Own)).Sources.ShouldBeEmpty();
}
