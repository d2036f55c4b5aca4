using System.Globalization;
using System.Text.RegularExpressions;
using Preserve.Generators.Tests;

namespace Preserve.Package.Tests;

/// <summary>Every diagnostic, provoked by the code of its page in a project that uses the package; and every fix, applied by the formatter of the SDK,
/// which loads them as an editor does.</summary>
public sealed partial class DiagnosticTests(PackageFixture fixture)
{
    /// <summary>Of each id how severe it is, what stands at its place, and a part of its message. What cannot be provoked, a fault of the planner itself,
    /// has a test beside the generator.</summary>
    private static readonly (string Id, string Severity, string Place, string Message)[] _expected =
    [
        ("PRSV001", "error", "OnH100", "'OnH100' must be partial"),
        ("PRSV002", "error", "OnH100", "does not derive from Preserve.Deployment"),
        ("PRSV003", "error", "typeof(Small.DecoderLayer)", "'PRSV003.Small.DecoderLayer' is not a model"),
        ("PRSV004", "error", "\"h100\"", "did you mean 'h100-sxm'?"),
        ("PRSV005", "error", "TensorParallel = 6", "TensorParallel is 6, which does not divide the 16 query heads"),
        ("PRSV006", "error", "Deployment(typeof(Small)", "needs 3,302.2 GB on each h100-sxm, which has 80.0 GB"),
        ("PRSV007", "error", "Layer]", "layer 'DecoderLayer' has no feed-forward block"),
        ("PRSV008", "error", "Window = 0", "Window of layer 'DecoderLayer' is 0, but must be 1 to 2,147,483,647"),
        ("PRSV009", "error", "1.6 }", "hbm.nominal_gigabytes_per_second is 1.6, but must be from 4 to 50000"),
        ("PRSV010", "error", "Decode(", "the decode step gives neither Context, of each sequence, nor CachedTokens"),
        ("PRSV011", "error", "Model(", "Hidden of model 'Small' must be given"),
        ("PRSV012", "error", "BatchesPerLayer = 8", "BatchesPerLayer is 8, but Objective.Latency takes one batch"),
        ("PRSV013", "error", "BatchesPerLayer = 64", "layers that serve 64 batches are not planned for, only up to 32"),
        ("PRSV014", "error", "Context = 2_000", "the step reaches 2,001 tokens, and the learned position table of model 'Small' has 1,024 rows"),
        ("PRSV015", "error", "Decode(", "'OnH100' declares steps, but does not carry [Deployment]"),
        ("PRSV101", "warning", "TensorParallel = 8", "TensorParallel is 8, and layer 'DecoderLayer' has 4 key and value heads"),
        ("PRSV102", "warning", "Context = 200_000", "the step reaches 200,001 tokens, and the model was made for sequences of 131,072"),
        ("PRSV103", "warning", "Recompute = RecomputePolicy.Best", "a token's activations are 4,096 bytes, the keys and values that they make 2,048"),
        ("PRSV104", "warning", "Devices.B200", "l2.read_terabytes_per_second of b200-sxm is not known"),
        ("PRSV105", "warning", "Deployment(typeof(Small)", "needs 75.2 of 80.0 GB of each h100-sxm, 94 %"),
        ("PRSV106", "warning", "Devices.Ascend910B2", "'ascend-910b2' was measured"),
        ("PRSV107", "warning", "56.25 }", "56.25, about an eighth of the 450 that NVLink4 carries in one direction"),
        ("PRSV108", "warning", "TensorParallel = 16", "collectives were measured over 8 ranks at most: those of 16 take the device file's rates of collectives"),
        ("PRSV201", "warning", "OnH100", "decode batch 4 context 2048: 1,742.6 us (80 %: 1,686.1 to 1,850.8), 1.172 times as fast as the base plan"),
        ("PRSV202", "warning", "OnH100", "decode batch 4 context 2048: 1.172 times as fast as the base plan, and preserve_minimum_speedup.decode asks for 1.5"),
        ("PRSV203", "warning", "OnH100", "takes 1,742.6 us, and preserve_maximum_step_microseconds allows 100"),
        ("PRSV204", "warning", "OnH100", "preserve_minimum_speedup is '1,05', but must be a number above 0"),
    ];

    private const string NestedDeployment = """
        using Preserve;
        namespace Nested;
        public static class Outer
        {
            [Deployment(typeof(App.Small), Devices.H100)]
            [Decode(Batch = 1, Context = 64)]
            public sealed partial class OnH100 : Deployment;
        }
        """;

    private static readonly string[] _fixable = ["PRSV001", "PRSV002", "PRSV004", "PRSV005", "PRSV012", "PRSV014", "PRSV102", "PRSV103", "PRSV104"];

    [Fact]
    public async Task Every_id_is_reported_at_its_place_and_every_fix_mends_what_it_is_for()
    {
        _expected.Select(e => e.Id).Append("PRSV900").ShouldBe(DiagnosticPage.Ids);
        var app = AppOfPages();
        var build = await app.BuildAsync("-p:PreserveShowPlans=true");
        build.ExitCode.ShouldBe(1, build.Text);
        build.Text.ShouldNotContain("error CS");
        var reported = ReportsIn(build.Text);
        foreach (var (id, severity, place, message) in _expected)
        {
            reported.Exists(r => r.Id == id && r.Severity == severity && r.Message.Contains(message, StringComparison.Ordinal) && PlaceOf(r).StartsWith(place, StringComparison.Ordinal))
                .ShouldBeTrue($"{id} at {place}: {message}\n{build.Text}");
        }
        // Each page provokes its own id, and what plans give is told of every plan.
        reported.ShouldAllBe(r => r.File.StartsWith(r.Id, StringComparison.Ordinal) || (r.File == "Nested.cs" && r.Id == "PRSV002") || r.Id == "PRSV201");

        _fixable.ShouldBe(DiagnosticPage.Ids.Where(i => new DiagnosticPage(i).Text.Contains("\n## Fix\n", StringComparison.Ordinal)));
        (await app.FormatAsync(["analyzers", "--no-restore", "--severity", "warn", "--diagnostics", .. _fixable])).TextOfSuccess();
        var mended = await app.BuildAsync("--no-restore");
        mended.Text.ShouldNotContain("error CS");
        // What is left is in no file that can be mended.
        ReportsIn(mended.Text).Select(r => r.File.Split('.')[0]).Distinct().Order(StringComparer.Ordinal).ShouldBe(
            _expected.Select(e => e.Id).Except(_fixable).Except(["PRSV201"]), mended.Text);
        app.Read("Nested.cs").ShouldContain("public static partial class Outer");
        app.Read("PRSV002.cs").ShouldContain("public sealed partial class OnH100 : Deployment;");

        string PlaceOf(Report report) => app.Read(report.File).Split('\n')[report.Line - 1][(report.Column - 1)..];
    }

    /// <summary>The formatter asks for the mend of the first that it finds, and the first of each id has none here.</summary>
    [Fact]
    public async Task A_fault_without_a_mend_keeps_no_other_from_being_mended()
    {
        var app = fixture.CreateApp();
        app.Replace("App.csproj", "$(PreserveVersion)", fixture.Version);
        const string steps = "Generation(Batch = 1, Prompt = 9_000, Tokens = 10), Prefill(Batch = 2, Tokens = ";
        var source = $$"""
            using Preserve;
            namespace Faulty;
            [Model(Hidden = 1024, Vocabulary = 1000, MaxPositions = 8_192)]
            [Layers(typeof(DecoderLayer), Repeat = 2)]
            public static class Short
            {
                [Layer]
                [Attention(Heads = 8)]
                [FeedForward(Intermediate = 2048)]
                public sealed class DecoderLayer;
            }

            [Deployment(typeof(App.Small), "no device of this world"), Decode(Batch = 1, Context = 64)]
            public sealed partial class First : Deployment;

            [Deployment(typeof(App.Small), "H200-sxm"), Decode(Batch = 1, Context = 64)]
            public sealed partial class Second : Deployment;

            [Deployment(typeof(Short), Devices.H100), {{steps}}9_000)]
            public sealed partial class Third : Deployment;

            """;
        app.Write("Faulty.cs", source);
        (await app.RestoreAsync()).TextOfSuccess();
        (await app.FormatAsync("analyzers", "--no-restore", "--severity", "warn", "--diagnostics", "PRSV004", "PRSV102")).TextOfSuccess().ShouldNotContain("Unable to fix");
        app.Read("Faulty.cs").ShouldBe(source.Replace("\"H200-sxm\"", "Devices.H200", StringComparison.Ordinal).Replace(steps + "9_000", steps + "8_192", StringComparison.Ordinal));
    }

    /// <summary>An app with the bad code of each page in a file and a namespace of its own, under the options of the page.</summary>
    private ConsumerApp AppOfPages()
    {
        var app = fixture.CreateApp();
        app.Replace("App.csproj", "$(PreserveVersion)", fixture.Version);
        var options = "root = true\n";
        foreach (var (id, severity, _, _) in _expected)
        {
            var page = new DiagnosticPage(id);
            var (source, own, devices) = (page.CodeOf("Bad") ?? page.CodeOf("Reported")).ShouldNotBeNull();
            app.Write($"{id}.cs", $"using Preserve;\nnamespace {id};\n{source}");
            options += $"[{id}.cs]\n{own.Replace("[*.cs]\n", "", StringComparison.Ordinal)}";
            // A build prints no information.
            if (id == "PRSV106")
                options += $"dotnet_diagnostic.{id}.severity = {severity}\n";
            foreach (var device in devices)
                app.Write($"{id}.device.json", device.Replace("\"own-1\"", $"\"{id}\"", StringComparison.Ordinal));
        }
        app.Write(".editorconfig", options);
        app.Write("Nested.cs", NestedDeployment);
        return app;
    }

    private static List<Report> ReportsIn(string build) =>
    [
        .. Reported().Matches(build).Select(m => new Report(
            m.Groups[1].Value, Number(m.Groups[2]), Number(m.Groups[3]), m.Groups[4].Value, m.Groups[5].Value, m.Groups[6].Value)).Distinct(),
    ];

    private static int Number(Group digits) => int.Parse(digits.Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"([\w.]+)\((\d+),(\d+)\): (warning|error) (PRSV\d+): (.*)")]
    private static partial Regex Reported();

    private sealed record Report(string File, int Line, int Column, string Severity, string Id, string Message);
}
