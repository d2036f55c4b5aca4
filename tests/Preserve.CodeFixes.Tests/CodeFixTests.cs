using System.Runtime.CompilerServices;
using Microsoft.CodeAnalysis;

namespace Preserve.CodeFixes.Tests;

/// <summary>A fault, what the fix is called, and the source after it: that compiles, is planned, and has the fault no more.</summary>
public class CodeFixTests
{
    private const string Partial = "public sealed partial class Deployed : Deployment;";

    /// <summary>A part of the small declaration, what stands there with a fault, the id, the title, and what stands there after the fix.</summary>
    public static TheoryData<string, string, string, string, string> Cases => new()
    {
        // Partial.
        { Partial, "public sealed class Deployed : Deployment;", "PRSV001", "Make 'Deployed' partial", Partial },
        { Partial, "/* why */ class Deployed : Deployment;", "PRSV001", "Make 'Deployed' partial", "/* why */ partial class Deployed : Deployment;" },
        { "[Deployment(|" + Partial, "public static class Outer\n{\n[Deployment(|public sealed class Deployed : Deployment;\n}", "PRSV001", "Make 'Deployed' partial", "public static partial class Outer\n{\n[Deployment(|" + Partial + "\n}" },
        { "[Deployment(|" + Partial, "public record Outer\n{\n[Deployment(|" + Partial + "\n}", "PRSV002", "Make 'Deployed' partial", "public partial record Outer\n{\n[Deployment(|" + Partial + "\n}" },

        // The base type, before any interface and what stands behind the name.
        { Partial, "public sealed partial class Deployed;", "PRSV002", "Derive 'Deployed' from Deployment", Partial },
        { Partial, "public partial class Deployed // why\n{\n}", "PRSV002", "Derive 'Deployed' from Deployment", "public partial class Deployed : Deployment // why\n{\n}" },
        { Partial, "public partial class Deployed : /* not */ System.IDisposable\n{\n    public void Dispose()\n    {\n    }\n}", "PRSV002", "Derive 'Deployed' from Deployment", "public partial class Deployed : /* not */ Deployment, System.IDisposable\n{\n    public void Dispose()\n    {\n    }\n}" },
        { Partial, "public partial class Deployed(int Of)\n{\n    public int Of { get; } = Of;\n}", "PRSV002", "Derive 'Deployed' from Deployment", "public partial class Deployed(int Of) : Deployment\n{\n    public int Of { get; } = Of;\n}" },
        { Partial, "public sealed partial class Deployed;\npublic class Deployment;", "PRSV002", "Derive 'Deployed' from Deployment", "public sealed partial class Deployed : Preserve.Deployment;\npublic class Deployment;" },
        { Partial, "public sealed partial class Deployed;\npartial class Deployed : System.ICloneable\n{\n    public object Clone() => this;\n}", "PRSV002", "Derive 'Deployed' from Deployment", Partial + "\npartial class Deployed : System.ICloneable\n{\n    public object Clone() => this;\n}" },

        // The device that is meant: the constant of a built-in one, the id of an own one.
        { "Devices.A100Sxm80", "\"h100-smx\"", "PRSV004", "Change to Devices.H100", "Devices.H100" },
        { "Devices.A100Sxm80", "\"Own_1\"", "PRSV004", "Change to \"own-1\"", "\"own-1\"" },
        { "typeof(Small), Devices.A100Sxm80", "device: \"h200_sxm\", model: typeof(Small)", "PRSV004", "Change to Devices.H200", "device: Devices.H200, model: typeof(Small)" },
        { "using Preserve;|[Deployment(|Devices.A100Sxm80", "using Model = Preserve.ModelAttribute; using Layers = Preserve.LayersAttribute; using Layer = Preserve.LayerAttribute; using Attention = Preserve.AttentionAttribute; using FeedForward = Preserve.FeedForwardAttribute; using Decode = Preserve.DecodeAttribute; using Deployment = Preserve.Deployment;|[Preserve.Deployment(|\"h100-smx\"", "PRSV004", "Change to Devices.H100", "using Model = Preserve.ModelAttribute; using Layers = Preserve.LayersAttribute; using Layer = Preserve.LayerAttribute; using Attention = Preserve.AttentionAttribute; using FeedForward = Preserve.FeedForwardAttribute; using Decode = Preserve.DecodeAttribute; using Deployment = Preserve.Deployment;|[Preserve.Deployment(|Preserve.Devices.H100" },

        // The nearest degree, by all rules.
        { "TensorParallel = 2", "TensorParallel = 16", "PRSV005", "Set TensorParallel = 8", "TensorParallel = 8" },
        { "TensorParallel = 2", "TensorParallel = 3", "PRSV005", "Set TensorParallel = 2", "TensorParallel = 2" },
        { "Heads = 8|Intermediate = 2048|TensorParallel = 2", "Heads = 12, KeyValueHeads = 6, HeadSize = 64|Intermediate = 3072|TensorParallel = 5", "PRSV005", "Set TensorParallel = 6", "Heads = 12, KeyValueHeads = 6, HeadSize = 64|Intermediate = 3072|TensorParallel = 6" },
        { "Intermediate = 2048|TensorParallel = 2", "Intermediate = 2050|TensorParallel = 7, SequenceParallel = true", "PRSV005", "Set TensorParallel = 2", "Intermediate = 2050|TensorParallel = 2, SequenceParallel = true" },

        // One that fits, of a device that is too small for the nearest.
        { "TensorParallel = 2|Batch = 4, Context = 128", "TensorParallel = 3|Batch = 8192, Context = 1600", "PRSV005", "Set TensorParallel = 2", "TensorParallel = 2|Batch = 8192, Context = 1600" },
        { "Devices.A100Sxm80, TensorParallel = 2|Batch = 4, Context = 128", "Devices.A100Sxm40, TensorParallel = 3|Batch = 8192, Context = 1600", "PRSV005", "Set TensorParallel = 4", "Devices.A100Sxm40, TensorParallel = 4|Batch = 8192, Context = 1600" },
        { "Devices.A100Sxm80, TensorParallel = 2|Batch = 4, Context = 128", "\"own-1\", TensorParallel = 3|Batch = 8192, Context = 1600", "PRSV005", "Set TensorParallel = 4", "\"own-1\", TensorParallel = 4|Batch = 8192, Context = 1600" },

        // An option that does nothing.
        { "TensorParallel = 2", "TensorParallel = 1, SequenceParallel = true", "PRSV012", "Remove SequenceParallel", "TensorParallel = 1" },
        { "TensorParallel = 2", "TensorParallel = 1, CollectiveFusion = CollectiveFusion.MatMul", "PRSV012", "Remove CollectiveFusion", "TensorParallel = 1" },
        { "TensorParallel = 2", "TensorParallel = 2, Objective = Objective.Throughput", "PRSV012", "Remove Objective", "TensorParallel = 2" },
        { "TensorParallel = 2", "TensorParallel = 2, StoredActivations = Precision.Int8, Prefetch = PrefetchPolicy.None", "PRSV012", "Remove StoredActivations", "TensorParallel = 2, Prefetch = PrefetchPolicy.None" },
        { "TensorParallel = 2", "TensorParallel = 2, SequenceParallel = true, CollectiveFusion = CollectiveFusion.Norm", "PRSV012", "Remove CollectiveFusion", "TensorParallel = 2, SequenceParallel = true" },

        { "TensorParallel = 2", "TensorParallel = 2, Objective = Objective.Throughput, BatchesPerLayer = 8", "PRSV012", "Remove Objective and BatchesPerLayer", "TensorParallel = 2" },

        // No comment is lost.
        { "TensorParallel = 2)]", "TensorParallel = 2, // a pair\n    Objective = Objective.Throughput)]", "PRSV012", "Remove Objective", "TensorParallel = 2 // a pair\n    )]" },
        { "TensorParallel = 2", "Objective = Objective.Throughput, // why\n    TensorParallel = 2", "PRSV012", "Remove Objective", " // why\n    TensorParallel = 2" },

        { "TensorParallel = 2)]", "TensorParallel = 2,\n    Objective = /* why */ Objective.Throughput, // o\n    Prefetch = PrefetchPolicy.None)]", "PRSV012", "Remove Objective", "TensorParallel = 2,\n    /* why */  // o\n    Prefetch = PrefetchPolicy.None)]" },
        { "TensorParallel = 2)]", "TensorParallel = 2, Objective = /* why */ Objective.Throughput)]", "PRSV012", "Remove Objective", "TensorParallel = 2 /* why */ )]" },
        { "TensorParallel = 2)]", "TensorParallel = 2, Objective = // why\n    Objective.Throughput)]", "PRSV012", "Remove Objective", "TensorParallel = 2 // why\n    )]" },
        { "TensorParallel = 2", "TensorParallel = 1 + /* three */ 2", "PRSV005", "Set TensorParallel = 2", "TensorParallel = /* three */ 2" },
        { "TensorParallel = 2", "TensorParallel = 1 + // three\n        2 /* so */", "PRSV005", "Set TensorParallel = 2", "TensorParallel = // three\n        2 /* so */" },
        { "TensorParallel = 2", "/* so */ TensorParallel /* is */ = /* now */ 3 /* here */", "PRSV005", "Set TensorParallel = 2", "/* so */ TensorParallel /* is */ = /* now */ 2 /* here */" },

        // A list of several lines stays one.
        { "Devices.A100Sxm80, TensorParallel = 2)]", "Devices.B200, // new\n    TensorParallel = 2 // two\n)]", "PRSV104", "Set Prefetch = PrefetchPolicy.None", "Devices.B200, // new\n    TensorParallel = 2, // two\n    Prefetch = PrefetchPolicy.None\n)]" },
        { "typeof(Small), Devices.A100Sxm80, TensorParallel = 2)]", "\n    typeof(Small), Devices.B200, TensorParallel = 2\n    // all\n)]", "PRSV104", "Set Prefetch = PrefetchPolicy.None", "\n    typeof(Small), Devices.B200, TensorParallel = 2,\n    Prefetch = PrefetchPolicy.None\n    // all\n)]" },
        { "Devices.A100Sxm80, TensorParallel = 2)]", "Devices.B200, TensorParallel = 2 // two\n)]", "PRSV104", "Set Prefetch = PrefetchPolicy.None", "Devices.B200, TensorParallel = 2, // two\n    Prefetch = PrefetchPolicy.None\n)]" },
        { "Devices.A100Sxm80, TensorParallel = 2)]", "Devices.B200,\n    TensorParallel = 2 /* two */)]", "PRSV104", "Set Prefetch = PrefetchPolicy.None", "Devices.B200,\n    TensorParallel = 2 /* two */, Prefetch = PrefetchPolicy.None)]" },

        // Within the positions; digits stay grouped.
        { "Vocabulary = 1000|Context = 128", "Vocabulary = 1000, MaxPositions = 64|Context = 128", "PRSV102", "Set Context = 63", "Vocabulary = 1000, MaxPositions = 64|Context = 63" },
        { "Vocabulary = 1000|Context = 128", "Vocabulary = 1000, MaxPositions = 8_192|Context = 8_192 /* all */", "PRSV102", "Set Context = 8191", "Vocabulary = 1000, MaxPositions = 8_192|Context = 8_191 /* all */" },
        { "Vocabulary = 1000|Decode(Batch = 4, Context = 128)", "Vocabulary = 1000, MaxPositions = 100|Prefill(Batch = 4, Tokens = 129)", "PRSV102", "Set Tokens = 100", "Vocabulary = 1000, MaxPositions = 100|Prefill(Batch = 4, Tokens = 100)" },
        { "Vocabulary = 1000|Decode(Batch = 4, Context = 128)", "Vocabulary = 1000, MaxPositions = 128|Generation(Batch = 4, Prompt = 100, Tokens = 40)", "PRSV102", "Set Tokens = 29", "Vocabulary = 1000, MaxPositions = 128|Generation(Batch = 4, Prompt = 100, Tokens = 29)" },

        { "Vocabulary = 1000|Context = 128", "Vocabulary = 1000, MaxPositions = 128|CachedTokens = 600", "PRSV102", "Set CachedTokens = 508", "Vocabulary = 1000, MaxPositions = 128|CachedTokens = 508" },

        // Within the rows of the table.
        { "Vocabulary = 1000|[Layer]|Context = 128", "Vocabulary = 1000, LearnedPositions = 64|[Layer(Position = Position.Learned)]|Context = 128", "PRSV014", "Set Context = 63", "Vocabulary = 1000, LearnedPositions = 64|[Layer(Position = Position.Learned)]|Context = 63" },
        { "Vocabulary = 1000|[Layer]|Context = 128", "Vocabulary = 1000, MaxPositions = 64, LearnedPositions = 66|[Layer(Position = Position.Learned)]|Context = 128", "PRSV014", "Set Context = 63", "Vocabulary = 1000, MaxPositions = 64, LearnedPositions = 66|[Layer(Position = Position.Learned)]|Context = 63" },

        // A split that cannot pay, and what only it needs.
        { "Heads = 8|TensorParallel = 2|Context = 128", "Heads = 8, KeyValueHeads = 4|TensorParallel = 2, KeyValueHome = Home.Host, Recompute = RecomputePolicy.Best, StoredActivations = Precision.Fp32|Context = 128, Prompt = 64", "PRSV103", "Set Recompute = RecomputePolicy.None", "Heads = 8, KeyValueHeads = 4|TensorParallel = 2, KeyValueHome = Home.Host, Recompute = RecomputePolicy.None|Context = 128, Prompt = 64" },

        // No prefetch where there is none.
        { "Devices.A100Sxm80, TensorParallel = 2", "Devices.B200", "PRSV104", "Set Prefetch = PrefetchPolicy.None", "Devices.B200, Prefetch = PrefetchPolicy.None" },
        { "Devices.A100Sxm80, TensorParallel = 2", "Devices.H100, Prefetch = PrefetchPolicy.Paper", "PRSV104", "Set Prefetch = PrefetchPolicy.None", "Devices.H100, Prefetch = PrefetchPolicy.None" },
        { "Devices.A100Sxm80, TensorParallel = 2", "Devices.B200, Prefetch = PrefetchPolicy.Paper, TensorParallel = 2", "PRSV104", "Set Prefetch = PrefetchPolicy.None", "Devices.B200, Prefetch = PrefetchPolicy.None, TensorParallel = 2" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Mends_what_is_reported(string part, string faulty, string id, string title, string mended)
    {
        var own = new DeviceText("/own.device.json", DeviceText.Own);
        var (before, after) = (Put(part, faulty), Put(part, mended));
        (await Editor.TitlesAsync(before, id, own)).ShouldBe([title]);
        (await Editor.FixedAsync(before, id, own)).ShouldBe(after);
        await ShouldBeSound(after, id, own);
    }

    /// <summary>On a device that is too small for any degree, or not known, the nearest is set.</summary>
    [Theory]
    [InlineData("Devices.A100Sxm80, TensorParallel = 3|Batch = 8192, Context = 30_000")]
    [InlineData("\"own-3\", TensorParallel = 3|Batch = 8192, Context = 1600")]
    public async Task Mends_the_degree_where_none_fits(string faulty)
    {
        var source = Put("Devices.A100Sxm80, TensorParallel = 2|Batch = 4, Context = 128", faulty);
        (await Editor.FixedAsync(source, "PRSV005")).ShouldBe(source.With("TensorParallel = 3", "TensorParallel = 2"));
    }

    /// <summary>A fault that does not hang on it keeps no mend back.</summary>
    [Fact]
    public async Task Mends_one_fault_beside_another()
    {
        var declaration = Declarations.Small.With("Context = 128", "Context = 128, Prompt = 129");
        (await Editor.FixedAsync(declaration.With("TensorParallel = 2", "TensorParallel = 3"), "PRSV005")).ShouldBe(declaration);
    }

    /// <summary>The part that carries <c>[Deployment]</c> gets the base, whatever stands in another file.</summary>
    [Fact]
    public async Task Mends_the_part_that_is_declared_a_deployment()
    {
        const string other = "namespace App;\n\npartial class Deployed\n{\n    public object Clone() => this;\n}\n";
        var declared = Declarations.Small.With(Partial, "public sealed partial class Deployed : System.ICloneable;");
        (await Editor.FixedAsync([other, declared], "PRSV002")).ShouldBe([other, declared.With(": System.ICloneable", ": Deployment, System.ICloneable")]);
    }

    private static readonly string Learned = Declarations.Small.With("Vocabulary = 1000", "Vocabulary = 1000, LearnedPositions = 64").With("[Layer]", "[Layer(Position = Position.Learned)]");

    /// <summary>Ids, and sources with several of their faults.</summary>
    public static TheoryData<string, string, string> Several => new()
    {
        { "PRSV001", Twice("public sealed class Deployed : Deployment;", "public sealed class Deployed2 : Deployment;"), Twice(Partial, Partial.With("Deployed :", "Deployed2 :")) },
        { "PRSV002", Within("record Outer", "struct Other"), Within("partial record Outer", "partial struct Other") },
        { "PRSV002", Twice("public sealed partial class Deployed;", "public partial class Deployed2\n{\n}"), Twice(Partial, "public partial class Deployed2 : Deployment\n{\n}") },
        { "PRSV002", Within("record Outer", "struct Other").With(Partial, "public sealed partial class Deployed;"), Within("partial record Outer", "partial struct Other") },
        { "PRSV004", TwoDevices("\"h100-smx\"", "\"h200_sxm\""), TwoDevices("Devices.H100", "Devices.H200") },
        { "PRSV005", TwoDevices("Devices.A100Sxm80, TensorParallel = 16", "Devices.H100, TensorParallel = 3"), TwoDevices("Devices.A100Sxm80, TensorParallel = 8", "Devices.H100, TensorParallel = 2") },
        { "PRSV012", TwoDevices("Devices.H100, Objective = Objective.Throughput", "Devices.H100, StoredActivations = Precision.Int8"), TwoDevices("Devices.H100", "Devices.H100") },
        { "PRSV012", Declarations.Small.With("TensorParallel = 2", "CollectiveFusion = CollectiveFusion.Norm, TensorParallel = 2, BatchesPerLayer = 8, SequenceParallel = true"), Declarations.Small.With("TensorParallel = 2", "TensorParallel = 2, SequenceParallel = true") },
        { "PRSV012", Declarations.Small.With("TensorParallel = 2", "SequenceParallel = true, TensorParallel = 1, CollectiveFusion = CollectiveFusion.MatMul"), Declarations.Small.With("TensorParallel = 2", "TensorParallel = 1") },
        { "PRSV012", Declarations.Small.With("TensorParallel = 2", "TensorParallel = 2, Objective = Objective.Throughput, StoredActivations = Precision.Int8"), Declarations.Small },
        {
            "PRSV014",
            Learned.With("[Decode(Batch = 4, Context = 128)]", "[Decode(Batch = 4, Context = 128), Prefill(Batch = 1, Tokens = 128)]"),
            Learned.With("[Decode(Batch = 4, Context = 128)]", "[Decode(Batch = 4, Context = 63), Prefill(Batch = 1, Tokens = 64)]")
        },
        {
            "PRSV102",
            Declarations.Small.With("Vocabulary = 1000", "Vocabulary = 1000, MaxPositions = 64").With("[Decode(Batch = 4, Context = 128)]", "[Decode(Batch = 4, Context = 128), Prefill(Batch = 1, Tokens = 128)]"),
            Declarations.Small.With("Vocabulary = 1000", "Vocabulary = 1000, MaxPositions = 64").With("[Decode(Batch = 4, Context = 128)]", "[Decode(Batch = 4, Context = 63), Prefill(Batch = 1, Tokens = 64)]")
        },
        { "PRSV103", OnHost("Recompute = RecomputePolicy.Best, StoredActivations = Precision.Fp32", "Recompute = RecomputePolicy.Best"), OnHost("Recompute = RecomputePolicy.None", "Recompute = RecomputePolicy.None") },
        { "PRSV104", TwoDevices("Devices.B200", "Devices.B200"), TwoDevices("Devices.B200, Prefetch = PrefetchPolicy.None", "Devices.B200, Prefetch = PrefetchPolicy.None") },
    };

    /// <summary>Ids, and sources of which the first fault has no mend: it stays, and those behind it are mended.</summary>
    public static TheoryData<string, string, string> SeveralBehindOneWithoutAMend => new()
    {
        { "PRSV002", Within("class Outer<T>", "struct Other"), Within("class Outer<T>", "partial struct Other") },
        { "PRSV004", TwoDevices("\"something else\"", "\"h200_sxm\""), TwoDevices("\"something else\"", "Devices.H200") },
        { "PRSV004", TwoDevices("\"mi325x\"", "\"h200_sxm\""), TwoDevices("\"mi325x\"", "Devices.H200") },
        {
            "PRSV102",
            Declarations.Small.With("Vocabulary = 1000", "Vocabulary = 1000, MaxPositions = 64").With("[Decode(Batch = 4, Context = 128)]", "[Generation(Batch = 4, Prompt = 100, Tokens = 30), Prefill(Batch = 1, Tokens = 128)]"),
            Declarations.Small.With("Vocabulary = 1000", "Vocabulary = 1000, MaxPositions = 64").With("[Decode(Batch = 4, Context = 128)]", "[Generation(Batch = 4, Prompt = 100, Tokens = 30), Prefill(Batch = 1, Tokens = 64)]")
        },
    };

    [Theory]
    [MemberData(nameof(SeveralBehindOneWithoutAMend))]
    public async Task Mends_what_it_can_behind_what_it_cannot(string id, string faulty, string mended) => (await Editor.AllFixedAsync([faulty], id)).ShouldBe([mended]);

    [Theory]
    [MemberData(nameof(Several))]
    public async Task Mends_all_of_a_file_at_once(string id, string faulty, string mended)
    {
        (await Editor.AllFixedAsync([faulty], id)).ShouldBe([mended]);
        await ShouldBeSound(mended, id);
    }

    [Fact]
    public async Task Mends_all_of_a_project_at_once()
    {
        var other = Declarations.Deployment.With("Deployed :", "Deployed2 :");
        (await Editor.AllFixedAsync([Declarations.Small.With("TensorParallel = 2", "TensorParallel = 16"), other.With("TensorParallel = 2", "TensorParallel = 3")], "PRSV005"))
            .ShouldBe([Declarations.Small.With("TensorParallel = 2", "TensorParallel = 8"), other]);
    }

    /// <summary>Where the mend is not mechanical, none is offered.</summary>
    [Theory]
    [InlineData("Devices.A100Sxm80", "\"something else\"", "PRSV004")]
    [InlineData("Devices.A100Sxm80", "\"own-2\"", "PRSV004")]
    [InlineData("Devices.A100Sxm80", "\"a100-sxm\"", "PRSV004")]
    [InlineData("Devices.A100Sxm80", "\"rtx3090\"", "PRSV004")]
    [InlineData("Devices.A100Sxm80", "\"h800-sxm\"", "PRSV004")]
    [InlineData("Devices.A100Sxm80", "\"tpu-v6e\"", "PRSV004")]
    [InlineData("Intermediate = 2048)]|TensorParallel = 2", "Intermediate = 2047)]|TensorParallel = 2, SequenceParallel = true", "PRSV005")]
    [InlineData("Vocabulary = 1000|Decode(Batch = 4, Context = 128)", "Vocabulary = 1000, MaxPositions = 64|Decode(Batch = 4, Context = 128, Prompt = 100)", "PRSV102")]
    [InlineData("Vocabulary = 1000|Decode(Batch = 4, Context = 128)", "Vocabulary = 1000, MaxPositions = 64|Generation(Batch = 4, Prompt = 100, Tokens = 30)", "PRSV102")]
    [InlineData(Partial, "public sealed partial class Deployed<T> : Deployment;", "PRSV002")]
    [InlineData("[Deployment(|" + Partial, "public class Outer<T>\n{\n[Deployment(|" + Partial + "\n}", "PRSV002")]
    [InlineData(Partial, "public sealed partial class Deployed : System.Exception;", "PRSV002")]
    [InlineData(Partial, "public sealed partial record Deployed;", "PRSV002")]
    [InlineData(Partial, "public static partial class Deployed;", "PRSV002")]
    public async Task Offers_nothing_that_would_not_mend(string part, string faulty, string id) =>
        (await Editor.TitlesAsync(Put(part, faulty), id, new DeviceText("/own.device.json", DeviceText.Own))).ShouldBeEmpty();

    [Fact]
    public void Every_fix_is_tried_alone_and_all_at_once()
    {
        var ids = Editor.Fixes.SelectMany(f => f.FixableDiagnosticIds).ToList();
        ids.ShouldBeUnique();
        Cases.Select(c => c.Data.Item3).Distinct().ShouldBe(ids, ignoreOrder: true);
        Editor.Fixes.ShouldAllBe(f => f.GetFixAllProvider() != null);
        Several.Select(s => s.Data.Item1).Distinct().ShouldBe(ids, ignoreOrder: true);
    }

    [Fact]
    public void The_page_of_each_id_that_has_a_fix_and_its_row_say_so_and_no_other()
    {
        var pages = Directory.GetFiles(Pages(), "PRSV*.md").Where(p => File.ReadAllText(p).Contains("\n## Fix\n", StringComparison.Ordinal)).Select(Path.GetFileNameWithoutExtension);
        var mended = Editor.Fixes.SelectMany(f => f.FixableDiagnosticIds).Order(StringComparer.Ordinal).ToList();
        pages.ShouldBe(mended, ignoreOrder: true);
        var rows = File.ReadLines(Path.Combine(Pages(), "README.md")).Select(l => l.Split('|', StringSplitOptions.TrimEntries)).Where(r => r is ["", ['[', 'P', ..], _, not "", ""]);
        rows.Select(r => r[1][1..r[1].IndexOf(']', StringComparison.Ordinal)]).ShouldBe(mended);
    }

    private static async Task ShouldBeSound(string source, string id, params AdditionalText[] files)
    {
        var run = GeneratorRun.Of(TestCompilation.Of(source), files);
        run.ShouldCompile();
        run.Sources.ShouldNotBeEmpty();
        (await Analysis.DiagnosticsOf(run.Output, files)).ShouldNotContain(d => d.Id == id || d.Severity == DiagnosticSeverity.Error);
    }

    /// <summary>The small declaration with some parts replaced; bars part them.</summary>
    private static string Put(string parts, string by) =>
        parts.Split('|').Zip(by.Split('|')).Aggregate(Declarations.Small, (source, pair) => source.With(pair.First, pair.Second));

    private static string Twice(string first, string second) =>
        Declarations.Small.With(Partial, first) + Declarations.Small[Declarations.Small.IndexOf("[Deployment", StringComparison.Ordinal)..].With(Partial, second);

    private static string TwoDevices(string first, string second) =>
        Twice(Partial, Partial.With("Deployed :", "Deployed2 :")) is var twice && twice.Split("Devices.A100Sxm80, TensorParallel = 2") is [var head, var middle, var end]
            ? head + first + middle + second + end
            : throw new InvalidOperationException();

    /// <summary>Two deployments, each within a type.</summary>
    private static string Within(string first, string second) => Declarations.Model + Nested(first, Partial) + Nested(second, Partial.With("Deployed :", "Deployed2 :"));

    private static string Nested(string outer, string deployed) =>
        $"public {outer}\n{{\n{Declarations.Small[Declarations.Small.IndexOf("[Deployment", StringComparison.Ordinal)..].With(Partial, deployed)}}}\n";

    /// <summary>Two deployments whose KV-cache lives in the host's memory, with few key and value heads.</summary>
    private static string OnHost(string first, string second)
    {
        const string device = "Devices.A100Sxm80, TensorParallel = 2, KeyValueHome = Home.Host, ";
        return TwoDevices(device + first, device + second).With("Heads = 8", "Heads = 8, KeyValueHeads = 4").Replace("Context = 128", "Context = 128, Prompt = 64", StringComparison.Ordinal);
    }

    private static string Pages([CallerFilePath] string file = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "../../docs/diagnostics"));
}
