using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;

namespace Preserve.Generators.Tests;

/// <summary>Each fault is reported at its place with its numbers, and nothing is emitted.</summary>
public class FaultTests
{
    private const string Partial = "sealed partial class Deployed : Deployment";
    private const string Ranges = "but must be ";
    private const string OffsetTable = "and the learned position table of model 'Small' has 130 rows, of which those beyond its 128 positions stand before the first token's: there is nothing to read beyond its end";
    private const string Table = "and the learned position table of model 'Small' has 128 rows, one for each: there is nothing to read beyond its end";

    /// <summary>A part of the small declaration, what stands there instead with the fault marked, and what is said.</summary>
    public static TheoryData<string, string, string, string> Faults => new()
    {
        // Not partial, cannot be extended.
        { Partial, "sealed class [|Deployed|] : Deployment", "PRSV001", "'Deployed' must be partial, so that its plans can be generated" },
        { Partial, "sealed partial class [|Deployed|]", "PRSV002", "No plans can be generated for 'Deployed': it does not derive from Preserve.Deployment" },
        { Partial, "sealed partial record [|Deployed|]", "PRSV002", "No plans can be generated for 'Deployed': a record cannot derive from Preserve.Deployment" },
        { Partial, "static partial class [|Deployed|]", "PRSV002", "No plans can be generated for 'Deployed': a static class cannot derive from Preserve.Deployment" },
        { Partial, "sealed partial class [|Deployed|]<T> : Deployment", "PRSV002", "No plans can be generated for 'Deployed': it is generic, and a plan belongs to one type" },
        { "public " + Partial, "file " + "sealed partial class [|Deployed|] : Deployment", "PRSV002", "No plans can be generated for 'Deployed': it is file-local, so that no other file can add to it" },
        { Partial + ";", "sealed partial class [|Deployed|] : Deployment { protected override PlanSet Load() => base.Load(); }", "PRSV002", "No plans can be generated for 'Deployed': it declares 'Load' itself" },
        { Partial, "sealed partial class [|Load|] : Deployment", "PRSV002", "No plans can be generated for 'Load': it has the name of the member that is generated, 'Load'" },
        { Partial + ";", "partial class [|Deployed|] : Between; public class Between : Deployment { protected sealed override PlanSet Load() => base.Load(); }", "PRSV002", "No plans can be generated for 'Deployed': its base type 'Between' seals or hides 'Load'" },

        // The model and the device.
        { "[Deployment(typeof(Small)", "[Deployment([|typeof(string)|]", "PRSV003", "'string' is not a model: it does not carry [Model]" },
        { "[Deployment(typeof(Small)", "[Deployment([|typeof(Small.DecoderLayer)|]", "PRSV003", "'App.Small.DecoderLayer' is not a model: it does not carry [Model]" },
        { "[Deployment(typeof(Small), Devices.A100Sxm80", "[Deployment([|null!|], Devices.A100Sxm80", "PRSV003", "'null' is not a model: it does not carry [Model]" },
        { "[Deployment(typeof(Small), Devices.A100Sxm80", "[Deployment(device: Devices.A100Sxm80, [|model: typeof(int[])|]", "PRSV003", "'int[]' is not a model: it does not carry [Model]" },
        { "Devices.A100Sxm80", "[|\"h100-smx\"|]", "PRSV004", "No device has the id 'h100-smx'; did you mean 'h100-sxm'?" },
        { "Devices.A100Sxm80", "[|\"910b\"|]", "PRSV004", "No device has the id '910b'; the nearest id is 'ascend-910b2'" },
        { "Devices.A100Sxm80", "[|\"a100-sxm\"|]", "PRSV004", "No device has the id 'a100-sxm'; the nearest ids are 'a100-40-sxm' and 'a100-80-sxm'" },
        { "Devices.A100Sxm80", "[|\"something else\"|]", "PRSV004", "No device has the id 'something else'" },
        { "Devices.A100Sxm80", "[|null!|]", "PRSV004", "No device has the id ''" },

        // The degree.
        { "TensorParallel = 2", "[|TensorParallel = 16|]", "PRSV005", "TensorParallel is 16, which does not divide the 8 query heads of layer 'DecoderLayer'" },
        { "Intermediate = 2048)]|TensorParallel = 2", "Intermediate = 2047)]|[|TensorParallel = 2|]", "PRSV005", "TensorParallel is 2, which does not divide the 2,047 feed-forward elements of layer 'DecoderLayer'" },
        { "Heads = 8|TensorParallel = 2", "Heads = 12, KeyValueHeads = 6, HeadSize = 64|[|TensorParallel = 4|]", "PRSV005", "TensorParallel is 4, neither a divisor nor a multiple of the 6 key and value heads of layer 'DecoderLayer'" },

        // Layers.
        { "typeof(DecoderLayer)", "[|typeof(string)|]", "PRSV007", "'String' is not a layer: it does not carry [Layer]" },
        { "typeof(DecoderLayer)", "typeof(DecoderLayer), [|typeof(Small)|]", "PRSV007", "'Small' is not a layer: it does not carry [Layer]" },
        { "typeof(DecoderLayer)", "[|typeof(int[])|]", "PRSV007", "'int[]' is not a layer: it does not carry [Layer]" },
        { "Layers(typeof(DecoderLayer), Repeat = 4)", "[|Layers(Repeat = 4)|]", "PRSV007", "[Layers] of model 'Small' names no layer" },
        { "[Layer]\n    [Attention(Heads = 8)]", "[[|Layer|]]", "PRSV007", "layer 'DecoderLayer' has no attention: it does not carry [Attention]" },
        { "[Layer]|[FeedForward(Intermediate = 2048)]", "[[|Layer|]]|", "PRSV007", "layer 'DecoderLayer' has no feed-forward block: it does not carry [FeedForward]" },
        { "Attention(Heads = 8)", "[|Attention(Heads = 7)|]", "PRSV007", "HeadSize of layer 'DecoderLayer' is not given, and its 7 query heads do not divide the model's width of 512" },
        { "Heads = 8", "Heads = 8, [|KeyValueHeads = 3|]", "PRSV007", "KeyValueHeads of layer 'DecoderLayer' is 3, which does not divide its 8 query heads" },
        { "[Layer]", "[Layer([|SeparateNorms = true|])]", "PRSV007", "layer 'DecoderLayer' declares SeparateNorms, but not Parallel: each of its blocks has a norm of its own in any case" },
        { "Vocabulary = 1000", "Vocabulary = 1000, [|LearnedPositions = 64|]", "PRSV007", "model 'Small' has 64 learned positions, but none of its layers declares Position.Learned" },
        { "Model(Hidden = 512, Vocabulary = 1000)|[Layer]", "[|Model(Hidden = 512, Vocabulary = 1000)|]|[Layer(Position = Position.Learned)]", "PRSV007", "layer 'DecoderLayer' has learned positions, but model 'Small' does not give LearnedPositions, the rows of their table" },
        { "[Layers(typeof(DecoderLayer), Repeat = 4)]\npublic static class Small", "[Layers(typeof(DecoderLayer), Repeat = 4)]\npublic static partial class Small;\n[[|Layers(typeof(Small.DecoderLayer))|]]\npublic static partial class Small", "PRSV007", "[Layers] of model 'Small' stand in several partial declarations, which have no order" },

        // Ranges. An explicit 0 is a value.
        { "Hidden = 512", "[|Hidden = 0|]", "PRSV008", $"Hidden of model 'Small' is 0, {Ranges}1 to 1,048,576" },
        { "Hidden = 512", "[|Hidden = 1_048_577|]", "PRSV008", $"Hidden of model 'Small' is 1,048,577, {Ranges}1 to 1,048,576" },
        { "Vocabulary = 1000", "[|Vocabulary = -1|]", "PRSV008", $"Vocabulary of model 'Small' is -1, {Ranges}1 to 16,777,216" },
        { "Vocabulary = 1000", "Vocabulary = 1000, [|MaxPositions = 0|]", "PRSV008", $"MaxPositions of model 'Small' is 0, {Ranges}1 to 16,777,216" },
        { "Vocabulary = 1000|[Layer]", "Vocabulary = 1000, [|LearnedPositions = 0|]|[Layer]", "PRSV008", $"LearnedPositions of model 'Small' is 0, {Ranges}1 to 16,777,216" },
        { "Vocabulary = 1000", "Vocabulary = 1000, [|FinalNorm = (Norm)7|]", "PRSV008", "FinalNorm of model 'Small' is 7, but must be one of Norm.Rms, Norm.Layer" },
        { "Vocabulary = 1000", "Vocabulary = 1000, [|Name = null|]", "PRSV008", "Name '' must be one printable line, not empty, without '#', double blanks, or blanks around it" },
        { "Vocabulary = 1000", "Vocabulary = 1000, [|Name = \"a  b\"|]", "PRSV008", "Name 'a  b' must be one printable line, not empty, without '#', double blanks, or blanks around it" },
        { "Vocabulary = 1000", "Vocabulary = 1000, [|Name = \"a\\nb\"|]", "PRSV008", "Name 'a\\u000ab' must be one printable line, not empty, without '#', double blanks, or blanks around it" },
        { "Repeat = 4", "[|Repeat = 0|]", "PRSV008", $"Repeat of the layers of model 'Small' is 0, {Ranges}1 to 100,000" },
        { "[Layers(typeof(DecoderLayer), Repeat = 4)]", "[Layers(typeof(DecoderLayer), Repeat = 100_000), Layers(typeof(DecoderLayer), [|Repeat = 2|])]", "PRSV008", "the number of layers of model 'Small' is 100,002, but must be at most 100,000" },
        { "[Layer]", "[Layer([|Norm = (Norm)2|])]", "PRSV008", "Norm of layer 'DecoderLayer' is 2, but must be one of Norm.Rms, Norm.Layer" },
        { "[Layer]", "[Layer([|Position = (Position)(-1)|])]", "PRSV008", "Position of layer 'DecoderLayer' is -1, but must be one of Position.Rotary, Position.Learned, Position.None" },
        { "Heads = 8", "[|Heads = 0|], KeyValueHeads = 4", "PRSV008", $"Heads of layer 'DecoderLayer' is 0, {Ranges}1 to 65,536" },
        { "Heads = 8", "Heads = 8, [|KeyValueHeads = 0|]", "PRSV008", $"KeyValueHeads of layer 'DecoderLayer' is 0, {Ranges}1 to 65,536" },
        { "Heads = 8", "Heads = 8, [|HeadSize = 0|]", "PRSV008", $"HeadSize of layer 'DecoderLayer' is 0, {Ranges}1 to 65,536" },
        { "Heads = 8", "Heads = 8, [|Window = 0|]", "PRSV008", $"Window of layer 'DecoderLayer' is 0, {Ranges}1 to 2,147,483,647" },
        { "Heads = 8", "Heads = 8, [|Bias = (ProjectionBias)3|]", "PRSV008", "Bias of layer 'DecoderLayer' is 3, but must be one of ProjectionBias.None, ProjectionBias.QueryKeyValue, ProjectionBias.All" },
        { "Heads = 8", "Heads = 65_536, [|HeadSize = 65_536|]", "PRSV008", "Heads times HeadSize of layer 'DecoderLayer' is 4,294,967,296, but must be at most 16,777,216" },
        { "Intermediate = 2048", "[|Intermediate = 0|]", "PRSV008", $"Intermediate of layer 'DecoderLayer' is 0, {Ranges}1 to 16,777,216" },
        { "Intermediate = 2048", "Intermediate = 2048, [|Activation = (Activation)9|]", "PRSV008", "Activation of layer 'DecoderLayer' is 9, but must be one of Activation.SwiGlu, Activation.GeGlu, Activation.Gelu, Activation.Relu" },
        { "TensorParallel = 2", "[|TensorParallel = 0|]", "PRSV008", $"TensorParallel of the deployment is 0, {Ranges}1 to 1,024" },
        { "TensorParallel = 2", "TensorParallel = 2, [|Weights = (Precision)9|]", "PRSV008", "Weights of the deployment is 9, but must be one of Precision.Bf16, Precision.Fp8, Precision.Int8, Precision.Int4, Precision.Fp32" },
        { "TensorParallel = 2", "TensorParallel = 2, [|Prefetch = (PrefetchPolicy)3|]", "PRSV008", "Prefetch of the deployment is 3, but must be one of PrefetchPolicy.None, PrefetchPolicy.Paper, PrefetchPolicy.Best" },
        { "Batch = 4", "[|Batch = 0|]", "PRSV008", $"Batch of the decode step is 0, {Ranges}1 to 65,536" },
        { "Context = 128", "[|Context = 0|]", "PRSV008", $"Context of the decode step is 0, {Ranges}1 to 16,777,216" },
        { "Context = 128", "[|CachedTokens = 3|]", "PRSV008", $"CachedTokens of a decode step of 4 sequences is 3, {Ranges}4 to 1,073,741,824" },
        { "Decode(Batch = 4, Context = 128)", "Prefill(Batch = 4, [|Tokens = 0|])", "PRSV008", $"Tokens of the prefill step is 0, {Ranges}1 to 16,777,216" },
        { "Decode(Batch = 4, Context = 128)", "Prefill(Batch = 65_536, [|Tokens = 16_777_216|])", "PRSV008", "Batch times Tokens of the prefill step is 1,099,511,627,776, but must be at most 1,073,741,824" },
        { "Decode(Batch = 4, Context = 128)", "Generation(Batch = 65_536, [|Prompt = 16_777_000|], Tokens = 16)", "PRSV008", "Batch times Tokens of the prefill step is 1,099,497,472,000, but must be at most 1,073,741,824" },

        // Steps.
        { "Deployment(typeof(Small), Devices.A100Sxm80, TensorParallel = 2)|[Decode(Batch = 4, Context = 128)]", "[|Deployment(typeof(Small), Devices.A100Sxm80, TensorParallel = 2)|]|", "PRSV010", "the deployment declares no step: it needs a decode, a prefill or a generation, such as [Decode(Batch = 1, Context = 1024)]" },
        { "Decode(Batch = 4, Context = 128)", "[|Decode(Batch = 4)|]", "PRSV010", "the decode step gives neither Context, of each sequence, nor CachedTokens, of all together" },
        { "public sealed partial class Deployed : Deployment;", "public sealed partial class Deployed : Deployment;\n[[|Prefill(Batch = 1, Tokens = 128)|]]\npartial class Deployed;", "PRSV010", "the steps stand in several partial declarations, which have no order" },
        { "Context = 128", "Context = 128, [|CachedTokens = 128|]", "PRSV010", "the decode step gives both Context, of each sequence, and CachedTokens, of all together" },
        { "[Decode(Batch = 4, Context = 128)]", "[Decode(Batch = 4, Context = 128), Decode([|Batch = 4|], Context = 128)]", "PRSV010", "the step 'decode batch 4 context 128' is declared twice" },

        { "Context = 128", "Context = 128, [|Prompt = 0|]", "PRSV008", $"Prompt of the decode step is 0, {Ranges}1 to 16,777,216" },
        { "Context = 128", "Context = 128, [|Prompt = 129|]", "PRSV008", $"Prompt of a decode step with a context of 128 is 129, {Ranges}1 to 128" },
        { "Context = 128", "CachedTokens = 128, [|Prompt = 16|]", "PRSV010", "the decode step gives both Prompt, of each sequence, and CachedTokens, of all together" },
        { "TensorParallel = 2)]\n[Decode(Batch = 4, Context = 128)]", "TensorParallel = 2, KeyValueHome = Home.Host)]\n[Decode(Batch = 4, [|Context = 128|])]", "PRSV010", "the decode step does not give Prompt, the tokens whose activations are stored to recompute keys and values from: it needs one, or Recompute of the deployment to be RecomputePolicy.None" },
        { "TensorParallel = 2)]\n[Decode(Batch = 4, Context = 128)]", "TensorParallel = 2, KeyValueHome = Home.Host)]\n[Decode(Batch = 4, [|CachedTokens = 128|])]", "PRSV010", "the decode step gives CachedTokens, of all sequences together, and only those of a known length are recomputed: it needs Context and Prompt, of each sequence, or Recompute of the deployment to be RecomputePolicy.None" },
        { "Decode(Batch = 4, Context = 128)", "Generation([|Batch = 0|], Prompt = 16, Tokens = 4)", "PRSV008", $"Batch of the generation is 0, {Ranges}1 to 65,536" },
        { "Decode(Batch = 4, Context = 128)", "Generation(Batch = 4, [|Prompt = 0|], Tokens = 4)", "PRSV008", $"Prompt of the generation is 0, {Ranges}1 to 16,777,216" },
        { "Decode(Batch = 4, Context = 128)", "Generation(Batch = 4, Prompt = 16, [|Tokens = 1|])", "PRSV008", $"Tokens of the generation is 1, {Ranges}2 to 16,777,202" },
        { "Decode(Batch = 4, Context = 128)", "Generation(Batch = 4, Prompt = 16, [|Tokens = 16_777_203|])", "PRSV008", $"Tokens of the generation is 16,777,203, {Ranges}2 to 16,777,202" },
        { "[Decode(Batch = 4, Context = 128)]", "[Generation(Batch = 4, Prompt = 16, Tokens = 4), Generation([|Batch = 4|], Prompt = 16, Tokens = 4)]", "PRSV010", "the step 'decode batch 4 context 18 prompt 16' is declared twice" },
        { "[Decode(Batch = 4, Context = 128)]", "[Generation(Batch = 4, Prompt = 16, Tokens = 4), Prefill([|Batch = 4|], Tokens = 16)]", "PRSV010", "the step 'prefill batch 4 tokens 16' is declared twice" },
        { "TensorParallel = 2", "[|SequenceParallel = true|]", "PRSV012", "SequenceParallel is true, but divides tokens over the ranks of a group: it needs TensorParallel to be 2 or more" },
        { "TensorParallel = 2", "[|CollectiveFusion = CollectiveFusion.MatMul|]", "PRSV012", "CollectiveFusion is CollectiveFusion.MatMul, but one rank alone has no collectives to fuse kernels with: it needs TensorParallel to be 2 or more" },
        { "TensorParallel = 2", "TensorParallel = 2, SequenceParallel = true, [|CollectiveFusion = CollectiveFusion.Norm|]", "PRSV012", "a norm cannot share a kernel with a collective (CollectiveFusion) under SequenceParallel, where it runs between two of them; a matmul can" },

        // Beyond the last row of a learned table: of each sequence, of the one that has an equal share of a total or more, of a prompt and of a generation.
        { "Vocabulary = 1000|[Layer]|Context = 128", "Vocabulary = 1000, LearnedPositions = 128|[Layer(Position = Position.Learned)]|[|Context = 128|]", "PRSV014", $"the step reaches 129 tokens, {Table}" },
        { "Vocabulary = 1000|[Layer]|Context = 128", "Vocabulary = 1000, LearnedPositions = 128|[Layer(Position = Position.Learned)]|[|CachedTokens = 509|]", "PRSV014", $"the step reaches 129 tokens, {Table}" },
        { "Vocabulary = 1000|[Layer]|Decode(Batch = 4, Context = 128)", "Vocabulary = 1000, LearnedPositions = 128|[Layer(Position = Position.Learned)]|Prefill(Batch = 4, [|Tokens = 129|])", "PRSV014", $"the step reaches 129 tokens, {Table}" },
        { "Vocabulary = 1000|[Layer]|Decode(Batch = 4, Context = 128)", "Vocabulary = 1000, LearnedPositions = 128|[Layer(Position = Position.Learned)]|[|Generation(Batch = 4, Prompt = 100, Tokens = 30)|]", "PRSV014", $"the step reaches 129 tokens, {Table}" },

        // Rows beyond the model's positions stand before the first token's, and are there for none.
        { "Vocabulary = 1000|[Layer]|Context = 128", "Vocabulary = 1000, MaxPositions = 128, LearnedPositions = 130|[Layer(Position = Position.Learned)]|[|Context = 128|]", "PRSV014", $"the step reaches 129 tokens, {OffsetTable}" },
        { "Vocabulary = 1000|[Layer]|Decode(Batch = 4, Context = 128)", "Vocabulary = 1000, MaxPositions = 128, LearnedPositions = 130|[Layer(Position = Position.Learned)]|[|Generation(Batch = 4, Prompt = 100, Tokens = 30)|]", "PRSV014", $"the step reaches 129 tokens, {OffsetTable}" },

        // What lives in the host's memory.
        { "TensorParallel = 2", "TensorParallel = 2, [|KeyValueHome = (Home)2|]", "PRSV008", "KeyValueHome of the deployment is 2, but must be one of Home.Device, Home.Host" },
        { "TensorParallel = 2", "TensorParallel = 2, [|WeightHome = (Home)2|]", "PRSV008", "WeightHome of the deployment is 2, but must be one of Home.Device, Home.Host" },
        { "TensorParallel = 2", "TensorParallel = 2, [|Objective = (Objective)2|]", "PRSV008", "Objective of the deployment is 2, but must be one of Objective.Latency, Objective.Throughput" },
        { "TensorParallel = 2", "TensorParallel = 2, [|BatchesPerLayer = 0|]", "PRSV008", $"BatchesPerLayer of the deployment is 0, {Ranges}1 to 1,024" },
        { "TensorParallel = 2", "TensorParallel = 2, [|StoredActivations = (Precision)7|]", "PRSV008", "StoredActivations of the deployment is 7, but must be one of Precision.Bf16, Precision.Fp8, Precision.Int8, Precision.Int4, Precision.Fp32" },
        { "TensorParallel = 2", "TensorParallel = 2, [|Recompute = (RecomputePolicy)2|]", "PRSV008", "Recompute of the deployment is 2, but must be one of RecomputePolicy.None, RecomputePolicy.Best" },
        { "TensorParallel = 2", "TensorParallel = 2, [|Objective = Objective.Throughput|]", "PRSV012", "Objective is Objective.Throughput, but everything lives on the device, where layers need not be shared between batches: it needs KeyValueHome or WeightHome to be Home.Host" },
        { "TensorParallel = 2", "TensorParallel = 2, WeightHome = Home.Host, [|BatchesPerLayer = 8|]", "PRSV012", "BatchesPerLayer is 8, but Objective.Latency takes one batch through all layers: it needs Objective.Throughput" },
        { "TensorParallel = 2", "TensorParallel = 2, [|StoredActivations = Precision.Int8|]", "PRSV012", "StoredActivations is Precision.Int8, but no activations are stored: it needs KeyValueHome to be Home.Host and Recompute to be RecomputePolicy.Best" },
        { "TensorParallel = 2", "TensorParallel = 2, KeyValueHome = Home.Host, [|KeyValueBlockTokens = 16|], Recompute = RecomputePolicy.None", "PRSV013", "'Deployed' cannot be planned yet: a paged KV-cache in the host's memory is not planned for, only one in one piece" },
        { "TensorParallel = 2", "TensorParallel = 2, WeightHome = Home.Host, Objective = Objective.Throughput, [|BatchesPerLayer = 33|]", "PRSV013", "'Deployed' cannot be planned yet: layers that serve 33 batches are not planned for, only up to 32" },

        // Steps of nothing.
        { "[Deployment(typeof(Small), Devices.A100Sxm80, TensorParallel = 2)]\n[Decode(Batch = 4, Context = 128)]", "[[|Decode(Batch = 4, Context = 128)|], Prefill(Batch = 1, Tokens = 128)]", "PRSV015", "'Deployed' declares steps, but does not carry [Deployment], which says of which model they are and on which device they run: nothing is planned for it" },
        { "[Deployment(typeof(Small), Devices.A100Sxm80, TensorParallel = 2)]\n[Decode(Batch = 4, Context = 128)]\npublic sealed partial class Deployed : Deployment", "[[|Generation(Batch = 1, Prompt = 16, Tokens = 4)|]]\npublic abstract class Between : Deployment", "PRSV015", "'Between' declares steps, but does not carry [Deployment], which says of which model they are and on which device they run: nothing is planned for it" },

        // What must be given.
        { "Model(Hidden = 512, Vocabulary = 1000)", "[|Model(Vocabulary = 1000)|]", "PRSV011", "Hidden of model 'Small' must be given" },
        { "Model(Hidden = 512, Vocabulary = 1000)", "[|Model(Hidden = 512)|]", "PRSV011", "Vocabulary of model 'Small' must be given" },
        { "Attention(Heads = 8)", "[|Attention|]", "PRSV011", "Heads of layer 'DecoderLayer' must be given" },
        { "FeedForward(Intermediate = 2048)", "[|FeedForward|]", "PRSV011", "Intermediate of layer 'DecoderLayer' must be given" },
        { "Decode(Batch = 4, Context = 128)", "[|Decode(Context = 128)|]", "PRSV011", "Batch of the decode step must be given" },
        { "Decode(Batch = 4, Context = 128)", "[|Prefill(Batch = 1)|]", "PRSV011", "Tokens of the prefill step must be given" },
        { "Decode(Batch = 4, Context = 128)", "[|Generation(Batch = 1, Prompt = 16)|]", "PRSV011", "Tokens of the generation must be given" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Is_reported_at_its_place_and_nothing_is_emitted(string part, string by, string id, string message)
    {
        await Check(Replace(part, by), (id, message));
    }

    [Fact]
    public async Task A_model_without_layers_is_reported() =>
        await Check(
            Declarations.Small.With("[Model(Hidden = 512, Vocabulary = 1000)]\n[Layers(typeof(DecoderLayer), Repeat = 4)]", "[[|Model(Hidden = 512, Vocabulary = 1000)|]]"),
            ("PRSV007", "model 'Small' has no layers: it does not carry [Layers]"));

    [Fact]
    public async Task Several_faults_are_reported_together() =>
        await Check(
            Declarations.Small
                .With("Hidden = 512", "[|Hidden = 0|]")
                .With("Intermediate = 2048", "[|Intermediate = 0|]")
                .With("Devices.A100Sxm80, TensorParallel = 2", "[|\"nothing\"|], [|TensorParallel = 2000|]")
                .With("Decode(Batch = 4, Context = 128)", "[|Decode(Context = 128)|]"),
            ("PRSV008", "Hidden of model 'Small' is 0, but must be 1 to 1,048,576"),
            ("PRSV008", "Intermediate of layer 'DecoderLayer' is 0, but must be 1 to 16,777,216"),
            ("PRSV004", "No device has the id 'nothing'"),
            ("PRSV008", "TensorParallel of the deployment is 2,000, but must be 1 to 1,024"),
            ("PRSV011", "Batch of the decode step must be given"));

    /// <summary>Parts of two messages of which the second cannot be said beside the first: what it speaks of is not known then, is not there, or is named otherwise.</summary>
    private static readonly (string Of, string[] Hidden)[] Hiding =
    [
        ("is not a model", ["TensorParallel is ", "learned position table"]),
        ("names no layer", ["DecoderLayer", "none of its layers", "learned position table"]),
        ("is not a layer", ["DecoderLayer", "none of its layers", "learned position table"]),
        ("which have no order", ["none of its layers", "declares no step"]),
        ("has no attention", ["query heads"]),
        ("do not divide the model's width", ["query heads"]),
        ("Hidden of model", ["the model's width"]),
        ("Heads of layer", ["query heads"]),
        ("Heads times HeadSize of layer", ["query heads"]),
        ("Position of layer", ["none of its layers"]),
        ("Name '", ["of model"]),
        ("Batch of the decode step is", ["CachedTokens of a decode step", "the step reaches"]),
        ("does not carry [Deployment]", ["No plans can be generated", "must be partial", "which have no order"]),
        // A sequence alone is no share of two ranks.
        ("of the generation must be given", ["SequenceParallel"]),
    ];

    /// <summary>Any two faults of different parts of the declaration: each is told beside the other, and no third.</summary>
    [Fact]
    public async Task Whatever_else_is_wrong_is_said_at_once_and_only_once()
    {
        var faults = Faults.Select(f => (Edits: EditsOf(f.Data.Item1, f.Data.Item2), Said: (Id: f.Data.Item3, Message: f.Data.Item4))).ToList();
        // All pairs would take as long as all other tests of this class.
        var pairs = from i in Enumerable.Range(0, faults.Count) from j in Enumerable.Range(0, i) where (i + (2 * j)) % 5 == 0 select (One: faults[i], Other: faults[j]);
        var looked = 0;
        foreach (var (one, other) in pairs.Where(p => AreApart(p.One.Edits, p.Other.Edits) && !Hides(p.One.Said.Message, p.Other.Said.Message) && !Hides(p.Other.Said.Message, p.One.Said.Message)))
        {
            var (source, _) = Markup.Parse(one.Edits.Concat(other.Edits).Aggregate(Declarations.Small, (text, edit) => text.With(edit.From, edit.To)));
            var compilation = TestCompilation.Of(source);
            // Two parts that do not go together are the compiler's.
            if (compilation.GetDiagnostics().Any(d => d.Severity == DiagnosticSeverity.Error))
                continue;
            looked++;
            (await Analysis.DiagnosticsOf(compilation)).Where(d => d.Severity == DiagnosticSeverity.Error)
                .Select(d => (d.Id, d.GetMessage(CultureInfo.InvariantCulture).Replace("'Load' cannot", "'Deployed' cannot", StringComparison.Ordinal)))
                .ShouldBe([one.Said, other.Said], ignoreOrder: true, source);
        }
        looked.ShouldBeGreaterThan(500);

        static bool Hides(string one, string other) => Hiding.Any(h => one.Contains(h.Of, StringComparison.Ordinal) && h.Hidden.Any(hidden => other.Contains(hidden, StringComparison.Ordinal)));

        static bool AreApart((string From, string To)[] one, (string From, string To)[] other)
        {
            var spans = one.Concat(other).Select(e => (Start: Declarations.Small.IndexOf(e.From, StringComparison.Ordinal), e.From.Length)).OrderBy(s => s.Start).ToList();
            return spans.Zip(spans.Skip(1)).All(p => p.First.Start + p.First.Length <= p.Second.Start);
        }
    }

    [Fact]
    public async Task Of_a_first_try_that_lacks_much_all_is_said_and_nothing_that_follows()
    {
        var said = await Analysis.DiagnosticsOf(TestCompilation.Of("""
            using Preserve;

            [Model(Vocabulary = 0)]
            [Layers(typeof(Block), typeof(string), Repeat = 0)]
            public static class Small
            {
                [Attention(Heads = 8, KeyValueHeads = 3, HeadSize = 64)]
                public sealed class Block;
            }

            [Deployment(typeof(Small), "a100-80", TensorParallel = 3, SequenceParallel = true, KeyValueHome = Home.Host, KeyValueBlockTokens = 16)]
            [Decode(Context = 128)]
            public sealed class Deployed<T>;
            """));
        said.Select(d => $"{d.Id} {d.GetMessage(CultureInfo.InvariantCulture)}").ShouldBe(
        [
            "PRSV011 Hidden of model 'Small' must be given",
            "PRSV008 Vocabulary of model 'Small' is 0, but must be 1 to 16,777,216",
            "PRSV007 'Block' is not a layer: it does not carry [Layer]",
            "PRSV007 layer 'Block' has no feed-forward block: it does not carry [FeedForward]",
            "PRSV007 'String' is not a layer: it does not carry [Layer]",
            "PRSV008 Repeat of the layers of model 'Small' is 0, but must be 1 to 100,000",
            "PRSV007 KeyValueHeads of layer 'Block' is 3, which does not divide its 8 query heads",
            "PRSV004 No device has the id 'a100-80'; did you mean 'a100-80-sxm'?",
            "PRSV005 TensorParallel is 3, which does not divide the 8 query heads of layer 'Block'",
            "PRSV013 'Deployed' cannot be planned yet: a paged KV-cache in the host's memory is not planned for, only one in one piece",
            "PRSV010 the decode step does not give Prompt, the tokens whose activations are stored to recompute keys and values from: it needs one, or Recompute of the deployment to be RecomputePolicy.None",
            "PRSV011 Batch of the decode step must be given",
            "PRSV001 'Deployed' must be partial, so that its plans can be generated",
            "PRSV002 No plans can be generated for 'Deployed': it is generic, and a plan belongs to one type",
            "PRSV002 No plans can be generated for 'Deployed': it does not derive from Preserve.Deployment",
        ], ignoreOrder: true);
    }

    /// <summary>A sound declaration with every argument that there is.</summary>
    private const string EveryArgument = """
        using Preserve;

        [Model(Name = "small", Hidden = 512, Vocabulary = 1000, MaxPositions = 4096, TiedEmbeddings = true, LearnedPositions = 4096, EmbeddingScale = true, FinalNorm = Norm.Rms,
            LogitSoftCap = true, HeadBias = true)]
        [Layers(typeof(Local), Repeat = 2), Layers(typeof(Local), typeof(Global), Repeat = 4)]
        public static class Small
        {
            [Layer(Norm = Norm.Rms, PostNorm = true, Position = Position.Rotary, Parallel = true, SeparateNorms = true)]
            [Attention(Heads = 6, KeyValueHeads = 2, HeadSize = 64, Bias = ProjectionBias.All, QueryKeyNorm = true, Window = 64, SoftCap = true)]
            [FeedForward(Intermediate = 2048, Activation = Activation.Gelu, Bias = true)]
            public sealed class Local;

            [Layer(Position = Position.Learned)]
            [Attention(Heads = 8)]
            [FeedForward(Intermediate = 2048)]
            public sealed class Global;
        }

        [Deployment(typeof(Small), Devices.A100Sxm80, TensorParallel = 2, Weights = Precision.Int8, Activations = Precision.Bf16, KeyValues = Precision.Bf16, Prefetch = PrefetchPolicy.Paper,
            PrefetchTargets = PrefetchTargets.Weights, SequenceParallel = true, CollectiveFusion = CollectiveFusion.MatMul, KeyValueHome = Home.Host, WeightHome = Home.Host,
            Objective = Objective.Throughput, BatchesPerLayer = 4, StoredActivations = Precision.Fp8, Recompute = RecomputePolicy.Best, SeparateProjections = true)]
        [Decode(Batch = 6, Context = 1000, Prompt = 100), Prefill(Batch = 4, Tokens = 1000), Generation(Batch = 4, Prompt = 1000, Tokens = 100)]
        public sealed partial class OnHost : Deployment;

        [Deployment(typeof(Small), "h100-sxm", KeyValueBlockTokens = 16)]
        [Decode(Batch = 4, CachedTokens = 1000)]
        public sealed partial class Paged : Deployment;
        """;

    /// <summary>The compiler says of an argument that has no value what is wrong with it, and nothing is known of what follows from it.</summary>
    [Fact]
    public async Task Of_an_argument_without_a_value_the_compiler_speaks_alone()
    {
        (await Analysis.DiagnosticsOf(TestCompilation.Of(EveryArgument))).ShouldNotContain(d => d.Severity == DiagnosticSeverity.Error);
        // Each argument in one of three ways: all in each would take as long as all other tests of this class.
        string[] values = ["Undefined", "default(System.Guid)", ""];
        var arguments = CSharpSyntaxTree.ParseText(EveryArgument).GetRoot().DescendantNodes().OfType<AttributeArgumentSyntax>().ToList();
        arguments.Count.ShouldBeGreaterThan(50);
        for (var i = 0; i < arguments.Count; i++)
            await TheCompilerSpeaksAlone(arguments[i].Expression.Span, values[i % values.Length]);
    }

    /// <summary>What is misspelled may be what seems to be missing.</summary>
    [Fact]
    public async Task Of_an_argument_of_no_property_the_compiler_speaks_alone()
    {
        foreach (var name in CSharpSyntaxTree.ParseText(EveryArgument).GetRoot().DescendantNodes().OfType<NameEqualsSyntax>())
            await TheCompilerSpeaksAlone(name.Name.Span, name.Name + "s");
    }

    [Theory]
    [InlineData("Model(", "Model(512, ")]
    [InlineData("Layer(Norm", "Layer(1, Norm")]
    [InlineData("Attention(Heads = 6", "Attention(6")]
    [InlineData("FeedForward(Intermediate = 2048, ", "FeedForward(2048, ")]
    [InlineData("Decode(Batch = 6, Context = 1000", "Decode(6, 1000")]
    [InlineData("Prefill(Batch = 4, Tokens = 1000", "Prefill(4, 1000")]
    [InlineData("Generation(Batch = 4, Prompt = 1000, ", "Generation(4, 1000, ")]
    [InlineData("Devices.A100Sxm80, TensorParallel = 2", "Devices.A100Sxm80, 2")]
    public async Task Of_an_argument_without_its_name_the_compiler_speaks_alone(string part, string by)
    {
        EveryArgument.Split(part).Length.ShouldBe(2);
        await TheCompilerSpeaksAlone(new TextSpan(EveryArgument.IndexOf(part, StringComparison.Ordinal), part.Length), by);
    }

    private static async Task TheCompilerSpeaksAlone(TextSpan part, string by)
    {
        var compilation = TestCompilation.Of(EveryArgument.Remove(part.Start, part.Length).Insert(part.Start, by));
        compilation.GetDiagnostics().ShouldContain(d => d.Severity == DiagnosticSeverity.Error);
        (await Analysis.DiagnosticsOf(compilation)).Where(d => d.Severity == DiagnosticSeverity.Error).ShouldBeEmpty($"'{by}' in place of '{EveryArgument.Substring(part.Start, part.Length)}'");
    }

    [Theory]
    [InlineData("Deploymnt")]
    [InlineData("Deploymnt, System.IDisposable")]
    public async Task Of_a_base_type_that_does_not_exist_the_compiler_speaks_alone(string bases)
    {
        var compilation = TestCompilation.Of(Declarations.Small.With("class Deployed : Deployment", "class Deployed : " + bases));
        compilation.GetDiagnostics().Select(d => d.Id).ShouldContain("CS0246");
        (await Analysis.DiagnosticsOf(compilation)).ShouldBeEmpty();
        GeneratorRun.Of(compilation).Sources.ShouldBeEmpty();
    }

    /// <summary>What a deployment needs does not hang on the type that declares it.</summary>
    [Fact]
    public async Task A_deployment_that_is_not_partial_may_not_fit_either() =>
        await Check(
            Declarations.Small.With("[Deployment(typeof(Small), Devices.A100Sxm80, TensorParallel = 2)]", "[[|Deployment(typeof(Small), Devices.A100Sxm80, TensorParallel = 2)|]]")
                .With("Batch = 4, Context = 128", "Batch = 8192, Context = 4000").With(Partial, "sealed class [|Deployed|] : Deployment"),
            ("PRSV006", "'Deployed' needs 134.3 GB on each a100-80-sxm, which has 80.0 GB; of these, weights take 0.0 GB, the KV-cache 134.3 GB and activations 0.1 GB"),
            ("PRSV001", "'Deployed' must be partial, so that its plans can be generated"));

    /// <summary>Whichever file the compiler is given first.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_deployment_of_several_parts_is_marked_where_it_is_declared_one(bool isDeclaredFirst)
    {
        var declared = Declarations.Small.With("class Deployed : Deployment", "class Deployed : System.ICloneable");
        const string other = "namespace App; partial class Deployed { public object Clone() => this; }";
        var run = GeneratorRun.Of(isDeclaredFirst ? [declared, other] : [other, declared]);
        var diagnostic = (await Analysis.DiagnosticsOf(run.Output)).ShouldHaveSingleItem();
        diagnostic.Id.ShouldBe("PRSV002");
        diagnostic.Location.SourceTree!.ToString().ShouldBe(declared);
        diagnostic.Location.SourceSpan.ShouldBe(new TextSpan(declared.IndexOf("Deployed :", StringComparison.Ordinal), "Deployed".Length));
    }

    [Fact]
    public async Task A_type_nested_in_one_that_is_not_partial_is_reported() =>
        await Check(
            Declarations.Small.With("public sealed partial class Deployed : Deployment;", "public sealed partial class [|Deployed|] : Deployment; }")
                .With("[Deployment(", "public class Outer { [Deployment("),
            ("PRSV002", "No plans can be generated for 'Deployed': its containing type 'Outer' is not partial"));

    [Fact]
    public async Task A_type_nested_in_a_generic_one_is_reported() =>
        await Check(
            Declarations.Small.With("public sealed partial class Deployed : Deployment;", "public sealed partial class [|Deployed|] : Deployment; }")
                .With("[Deployment(", "public partial class Outer<T> { [Deployment("),
            ("PRSV002", "No plans can be generated for 'Deployed': its containing type 'Outer' is generic, and a plan belongs to one type"));

    /// <summary>A modifier would not help: what it cannot change is said first.</summary>
    [Theory]
    [InlineData("public class Outer<T>", "its containing type 'Outer' is generic, and a plan belongs to one type")]
    [InlineData("file class Outer", "its containing type 'Outer' is file-local, so that no other file can add to it")]
    [InlineData("public partial class Far<T> { public class Outer", "its containing type 'Far' is generic, and a plan belongs to one type", "}")]
    [InlineData("public class Outer", "it is generic, and a plan belongs to one type", "", "<T>")]
    public async Task What_no_modifier_mends_is_said_before_a_missing_one(string outer, string reason, string end = "", string parameters = "") =>
        await Check(
            Declarations.Small.With("public sealed partial class Deployed : Deployment;", $"public sealed partial class [|Deployed|]{parameters} : Deployment; }}{end}")
                .With("[Deployment(", outer + " { [Deployment("),
            ("PRSV002", $"No plans can be generated for 'Deployed': {reason}"));

    /// <summary>Of a cache on the host the device keeps none.</summary>
    [Theory]
    [InlineData("TensorParallel = 2, Weights = Precision.Int8", "207.1 GB on each h100-sxm, which has 80.0 GB; of these, weights take 35.3 GB, the KV-cache 171.8 GB and activations 0.1 GB")]
    [InlineData("KeyValueHome = Home.Host, Recompute = RecomputePolicy.None", "149.8 GB on each h100-sxm, which has 80.0 GB; of these, weights take 141.1 GB and activations 8.7 GB")]
    public async Task A_deployment_that_does_not_fit_is_reported_with_its_sizes(string arguments, string needs)
    {
        var run = GeneratorRun.Of(PublishedModels.Deployed("Llama3_70B", "Devices.H100, " + arguments, "Decode(Batch = 128, Context = 8_191)"));
        run.Sources.ShouldBeEmpty();
        var diagnostic = (await Analysis.DiagnosticsOf(run.Output)).ShouldHaveSingleItem();
        diagnostic.Id.ShouldBe("PRSV006");
        diagnostic.GetMessage(CultureInfo.InvariantCulture).ShouldBe("'Llama3_70BDeployed' needs " + needs);
    }

    [Fact]
    public async Task A_step_beyond_any_machine_is_reported() =>
        await Check(
            Declarations.Small
                .With("Hidden = 512", "Hidden = 1_048_576").With("Heads = 8", "Heads = 65_536, HeadSize = 256").With("Repeat = 4", "Repeat = 1000")
                .With("Batch = 4, Context = 128", "[|Batch = 65_536|], Context = 16_777_216"),
            ("PRSV008", "the number of operations of the step 'decode batch 65536 context 16777216' is 83,011,197,704,562,878,185,472, but must be at most 4,611,686,018,427,387,904"));

    [Fact]
    public void Sizes_beyond_64_bits_do_not_fit()
    {
        var layer = new LayerSpec("L", Norm.Rms, false, Position.Rotary, false, new MultiHeadAttentionSpec(65_536, 65_536, 256, default, false, 0, false),
            new FeedForwardSpec[] { new DenseFeedForwardSpec(2048, Activation.SwiGlu, false) });
        var model = new ModelSpec("M", 1_048_576, 1000, 4096, false, 0, false, Norm.Rms, false, false, new[] { new LayerGroup(new[] { layer }, 1000) });
        var deployment = new DeploymentSpec(model, Devices.H100, 1, default, default, default, PrefetchPolicy.Best, false, new StepSpec[] { new DecodeSpec(65_536, 16_777_216, Total: false) });
        DeviceResolver.Resolve(deployment, []).ShouldBe(new Resolution.Boundless(80_000_000_000));
    }

    [Fact]
    public async Task A_language_without_raw_literals_is_reported()
    {
        var old = TestCompilation.Language.WithLanguageVersion(LanguageVersion.CSharp10);
        var source = Declarations.Small.With("class DecoderLayer;", "class DecoderLayer { }").With("Deployed : Deployment;", "Deployed : Deployment { }");
        var compilation = TestCompilation.Of(source);
        compilation = compilation.ReplaceSyntaxTree(compilation.SyntaxTrees[0], CSharpSyntaxTree.ParseText(source, old, "File0.cs"));
        GeneratorRun.Of(compilation).Sources.ShouldBeEmpty();
        var diagnostic = (await Analysis.DiagnosticsOf(compilation)).ShouldHaveSingleItem();
        diagnostic.GetMessage(CultureInfo.InvariantCulture).ShouldBe("No plans can be generated for 'Deployed': a plan needs C# 11 or later, and the project's is 10.0");
    }

    [Fact]
    public void Every_diagnostic_of_a_declaration_is_provoked()
    {
        var provoked = Faults.Select(f => f.Data.Item3).Append("PRSV006").Distinct();
        // Device files have tests of their own.
        Analysis.Analyzers.SelectMany(a => a.SupportedDiagnostics).Where(d => d.DefaultSeverity == DiagnosticSeverity.Error).Select(d => d.Id).Except(["PRSV009"]).ShouldBe(provoked, ignoreOrder: true);
    }

    private static string Replace(string parts, string by) => EditsOf(parts, by).Aggregate(Declarations.Small, (source, edit) => source.With(edit.From, edit.To));

    /// <summary>Two parts of the source can change together; a bar parts them, but not that of a mark.</summary>
    private static (string From, string To)[] EditsOf(string parts, string by)
    {
        var from = parts.Split('|');
        return [.. from.Zip(from.Length == 1 ? [by] : System.Text.RegularExpressions.Regex.Split(by, @"(?<!\[)\|(?!\])"))];
    }

    /// <summary>The places are marked in the order of the source; so are the diagnostics.</summary>
    internal static async Task Check(string marked, params (string Id, string Message)[] expected)
    {
        var (source, spans) = Markup.Parse(marked);
        var run = GeneratorRun.Of(source);
        run.Compilation.GetDiagnostics().Where(d => d.Severity >= DiagnosticSeverity.Warning).ShouldBeEmpty();
        run.Sources.ShouldBeEmpty();
        run.Reported.ShouldBeEmpty();
        var diagnostics = await Analysis.DiagnosticsOf(run.Output);
        diagnostics.Select(d => (d.Id, d.GetMessage(CultureInfo.InvariantCulture))).ShouldBe(expected);
        diagnostics.Select(d => source.Substring(d.Location.SourceSpan.Start, d.Location.SourceSpan.Length))
            .ShouldBe(spans.Select(s => source.Substring(s.Start, s.Length)));
        diagnostics.Select(d => d.Location.SourceSpan).ShouldBe(spans);
        diagnostics.ShouldAllBe(d => d.Severity == DiagnosticSeverity.Error);
    }
}
