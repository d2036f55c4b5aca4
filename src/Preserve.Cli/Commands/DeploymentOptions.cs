using System.CommandLine;
using System.Globalization;

namespace Preserve.Cli.Commands;

/// <summary>The options that name a model, a device and one step, shared by the verbs that plan.</summary>
internal sealed class DeploymentOptions
{
    /// <summary>The device of PRESERVE (arXiv 2501.08192).</summary>
    public const string PublishedDevice = "ascend-910b2";

    private const string PublishedModel = "llama-3-70b";
    private const int PublishedRanks = 8, PublishedBatch = 4, PublishedContext = 16_384;

    private static readonly string[] _precisions = ["bf16", "fp8", "int8", "int4"];

    private readonly Option<string> _model = new("--model", "-m", "--config") { Description = "A model of the catalogue by id or common name, or a config.json.", Required = true, HelpName = "id|config.json" };
    private readonly Option<string[]> _models = new("--model", "-m") { Description = "A model of the catalogue by id or common name, or a config.json; several give their geometric mean.", AllowMultipleArgumentsPerToken = true, HelpName = "id|config.json ..." };
    private readonly Option<string> _device = new("--device", "-d") { Description = "A built-in device by id, or a device file.", HelpName = "id|file.json" };
    private readonly Option<int> _ranks = new("--tensor-parallel", "-t") { Description = "Ranks of the tensor-parallel group." };
    private readonly Option<string> _phase = new Option<string>("--phase") { Description = "Which step is run.", DefaultValueFactory = _ => "decode" }.AcceptOnlyFromAmong("decode", "prefill");
    private readonly Option<int> _batch = new("--batch", "-b") { Description = "Sequences in the batch." };
    private readonly Option<int> _context = new("--context", "-c") { Description = "Tokens that each sequence has cached before a decode step; tokens of each prompt in a prefill." };
    private readonly Option<string> _weights = Precisions("--weights", "Format of the weights.");
    private readonly Option<string> _activations = Precisions("--activations", "Format in which activations enter a matmul.");
    private readonly Option<string> _keyValues = Precisions("--key-values", "Format of the KV-cache.");
    private readonly Option<string> _home = new Option<string>("--kv-home") { Description = "Where the KV-cache lives: host brings it over the host link in every decode step.", DefaultValueFactory = _ => "device" }.AcceptOnlyFromAmong("device", "host");
    private readonly Option<string> _weightHome = new Option<string>("--weight-home") { Description = "Where the layers' matrices live: host brings those of a layer over the host link while the layer before it runs.", DefaultValueFactory = _ => "device" }.AcceptOnlyFromAmong("device", "host");
    private readonly Option<int> _batches = new("--batches") { Description = "Batches that a layer serves before the next layer, column by column: their weights cross once for all. More than 1 needs something on the host.", DefaultValueFactory = _ => 1, HelpName = "count" };
    private readonly Option<int?> _prompt = new("--prompt") { Description = "Of a decode step with its KV-cache on the host, the tokens that each prompt brought: keys and values of as many may be recomputed from stored activations. Without it all are transferred.", HelpName = "tokens" };
    private readonly Option<int> _promptTokens = new("--prompt", "-p") { Description = "Tokens of each prompt.", DefaultValueFactory = _ => 512, HelpName = "tokens" };
    private readonly Option<string> _stored = Precisions("--stored-activations", "Format of the activations that are stored on the host to recompute keys and values from; another than bf16 changes results.");
    private readonly Option<string> _recompute = new Option<string>("--recompute") { Description = "Whether keys and values of a KV-cache on the host are recomputed where that is faster.", DefaultValueFactory = _ => "best" }.AcceptOnlyFromAmong("best", "none");
    private readonly Option<string> _prefetch = new Option<string>("--prefetch") { Description = "How prefetches under collectives are chosen.", DefaultValueFactory = _ => "best" }.AcceptOnlyFromAmong("none", "paper", "best");

    private readonly Option<string> _targets = new Option<string>("--prefetch-targets") { Description = "What may be prefetched.", DefaultValueFactory = _ => "both" }.AcceptOnlyFromAmong("both", "weights", "kv");

    private readonly Option<int?> _blocks = new("--kv-block-tokens") { Description = "Tokens of a block of a paged KV-cache; without it each sequence's cache lies in one piece.", HelpName = "tokens" };

    private readonly Option<bool> _sequence = new("--sequence-parallel") { Description = "Let the ranks share the tokens of norms and additions: each all-reduce becomes a reduce-scatter and an all-gather." };

    private readonly Option<string> _fusion = new Option<string>("--fuse") { Description = "What shares a kernel with the collectives that sum: the residual addition and norm after them, or the matmul before them.", DefaultValueFactory = _ => "none" }.AcceptOnlyFromAmong("none", "norm", "matmul");

    /// <summary>One model and one policy; model and device have to be given.</summary>
    public DeploymentOptions()
    {
        _device.Required = true;
        _context.Description += " By default no more than the model has positions for.";
        SetDefaults(ranks: 1, batch: 1, context: 4096, precision: "bf16");
    }

    private DeploymentOptions(string model, string device, int ranks, int batch, int context, string precision)
    {
        _models.DefaultValueFactory = _ => [model];
        _device.DefaultValueFactory = _ => device;
        SetDefaults(ranks, batch, context, precision);
    }

    /// <summary>Whether a step starts with an empty L2.</summary>
    public Option<bool> Cold { get; } = new("--cold") { Description = "Start with an empty L2, and not with what the step before left." };

    /// <summary>Options of which none has to be given: the main setting of PRESERVE (arXiv 2501.08192).</summary>
    public static DeploymentOptions OfThePublication() => new(PublishedModel, PublishedDevice, PublishedRanks, PublishedBatch, PublishedContext, precision: "int8");

    /// <summary>Whether these are that setting.</summary>
    public static bool IsOfThePublication(IReadOnlyList<DeployedModel> deployed) => deployed is
        [{ Spec: { Device: PublishedDevice, TensorParallel: PublishedRanks, Weights: Precision.Int8, Activations: Precision.Int8, KeyValues: Precision.Int8 } spec }]
        && spec.Model.Name == ModelArgument.Read(PublishedModel).Spec.Name
        && spec.Steps[0] is DecodeSpec { Batch: PublishedBatch, Context: PublishedContext };

    /// <summary>Adds the options of several models, run with every policy and from the L2 that the step before left.</summary>
    public void AddSeveralTo(Command command)
    {
        foreach (var option in new Option[] { _models, _device, _ranks, _phase, _batch, _context, _weights, _activations, _keyValues })
            command.Options.Add(option);
    }

    /// <summary>Adds the options of one step on the device alone, whose prefetches the verb chooses itself.</summary>
    public void AddStepTo(Command command)
    {
        foreach (var option in new Option[] { _model, _device, _ranks, _phase, _batch, _context, _weights, _activations, _keyValues, _targets, _sequence, _fusion })
            command.Options.Add(option);
    }

    /// <summary>Adds the options of a step that is run.</summary>
    public void AddTo(Command command)
    {
        AddDeclarationTo(command);
        command.Options.Add(Cold);
    }

    /// <summary>Adds the options of what a deployment declares.</summary>
    public void AddDeclarationTo(Command command)
    {
        foreach (var option in new Option[] { _model, _device, _ranks, _phase, _batch, _context, _weights, _activations, _keyValues, _home, _prompt, _recompute, _stored, _weightHome, _batches, _blocks, _prefetch, _targets, _sequence, _fusion })
            command.Options.Add(option);
    }

    /// <summary>Adds the options of a whole generation.</summary>
    public void AddGenerationTo(Command command)
    {
        foreach (var option in new Option[] { _model, _device, _ranks, _promptTokens, _batch, _weights, _activations, _keyValues, _home, _recompute, _stored, _weightHome, _batches, _blocks, _prefetch, _targets, _sequence, _fusion })
            command.Options.Add(option);
    }

    /// <summary>Reads a whole generation: its decode step, which serves every length, and its prefill.</summary>
    /// <param name="parsed">The arguments.</param>
    /// <param name="tokens">Tokens that each sequence is given.</param>
    /// <exception cref="InputException">Something does not exist, is not sound, or does not fit.</exception>
    public DeployedModel ReadGeneration(ParseResult parsed, int tokens)
    {
        var (batch, prompt) = (parsed.GetValue(_batch), parsed.GetValue(_promptTokens));
        if (tokens is < 2 or > 1_000_000)
            throw new InputException($"--tokens is {tokens:#,0}, but must be 2 to 1,000,000: the prefill gives the first");
        if (prompt is < 1 or > 1_000_000)
            throw new InputException($"--prompt is {prompt:#,0}, but must be 1 to 1,000,000");
        var offload = OffloadOf(parsed);
        return Read(parsed, ModelArgument.Read(parsed.GetValue(_model)!), Policy(parsed.GetValue(_prefetch)), offload,
            [new DecodeSpec(batch, prompt + tokens - 2, Total: false, prompt), new PrefillSpec(batch, prompt)]);
    }

    /// <summary>Reads the model and the device, and checks them together as a declaration is checked. A context that is not given is within the model's positions.</summary>
    /// <exception cref="InputException">Something does not exist, is not sound, or does not fit.</exception>
    public DeployedModel Read(ParseResult parsed)
    {
        var model = ModelArgument.Read(parsed.GetValue(_model)!);
        return ReadStep(parsed, model, ContextOf(parsed, model), Policy(parsed.GetValue(_prefetch)), OffloadOf(parsed));
    }

    /// <summary>Reads one step on the device alone, which prefetches nothing by itself. A context that is not given is within the model's positions.</summary>
    /// <exception cref="InputException">Something does not exist, is not sound, or does not fit.</exception>
    public DeployedModel ReadStep(ParseResult parsed)
    {
        var model = ModelArgument.Read(parsed.GetValue(_model)!);
        return ReadStep(parsed, model, ContextOf(parsed, model), PrefetchPolicy.None, OffloadSpec.None);
    }

    /// <summary>Reads several models on one device, each checked as one is.</summary>
    /// <exception cref="InputException">Something does not exist, is not sound, or does not fit.</exception>
    public IReadOnlyList<DeployedModel> ReadSeveral(ParseResult parsed) => [.. parsed.GetValue(_models)!.Select(m => ReadStep(parsed, ModelArgument.Read(m), parsed.GetValue(_context), PrefetchPolicy.None, OffloadSpec.None))];

    private int ContextOf(ParseResult parsed, ImportedModel model)
    {
        var context = parsed.GetValue(_context);
        if (parsed.GetResult(_context) is not { Implicit: true })
            return context;
        // A decode step adds a token to its context.
        var decode = parsed.GetValue(_phase) == "decode";
        if (decode && model.Spec.MaxPositions == 1)
            throw new InputException("the model has 1 position, but a decode step needs one for its context and one for the token that it adds; --context gives a context beyond the positions");
        return Math.Min(context, decode ? model.Spec.MaxPositions - 1 : model.Spec.MaxPositions);
    }

    private DeployedModel ReadStep(ParseResult parsed, ImportedModel model, int context, PrefetchPolicy policy, OffloadSpec offload)
    {
        var batch = parsed.GetValue(_batch);
        var prompt = parsed.GetValue(_prompt);
        if (prompt is not null && (offload.KeyValues == Home.Device || parsed.GetValue(_phase) != "decode"))
            throw new InputException("--prompt says what can be recomputed of a KV-cache on the host in a decode step: it needs --kv-home host and --phase decode");
        if (prompt is 0)
            throw new InputException("--prompt is 0, but a prompt has a token or more");
        StepSpec step = parsed.GetValue(_phase) == "decode" ? new DecodeSpec(batch, context, Total: false, prompt ?? 0) : new PrefillSpec(batch, context);
        if (prompt is null && offload is { KeyValues: Home.Host, StoredActivations: not Precision.Bf16 })
            throw new InputException("--stored-activations is given, but no --prompt: without it nothing is known to be recomputed, and no activations are stored");
        // Without a prompt there are no activations to recompute from.
        if (offload.KeyValues == Home.Host && prompt is null)
            offload = offload with { Recompute = RecomputePolicy.None };
        return Read(parsed, model, policy, offload, [step]);
    }

    private OffloadSpec OffloadOf(ParseResult parsed)
    {
        var batches = parsed.GetValue(_batches);
        return OffloadSpec.None with
        {
            KeyValues = HomeOf(parsed.GetValue(_home)),
            Weights = HomeOf(parsed.GetValue(_weightHome)),
            Objective = batches == 1 ? Objective.Latency : Objective.Throughput,
            BatchesPerLayer = batches,
            StoredActivations = PrecisionOf(parsed.GetValue(_stored)),
            Recompute = parsed.GetValue(_recompute) == "none" ? RecomputePolicy.None : RecomputePolicy.Best,
        };
    }

    private DeployedModel Read(ParseResult parsed, ImportedModel model, PrefetchPolicy policy, OffloadSpec offload, StepSpec[] steps)
    {
        var (device, text) = DeviceArgument.Read(parsed.GetValue(_device)!);
        var blockTokens = parsed.GetValue(_blocks);
        if (blockTokens == 0)
            throw new InputException("--kv-block-tokens is 0, but a block holds a token or more; without the option each sequence's cache lies in one piece");
        var spec = new DeploymentSpec(
            model.Spec, device.Id, parsed.GetValue(_ranks), PrecisionOf(parsed.GetValue(_weights)), PrecisionOf(parsed.GetValue(_activations)),
            PrecisionOf(parsed.GetValue(_keyValues)), policy, SeparateProjections: false, steps, parsed.GetValue(_sequence), Fusion(parsed.GetValue(_fusion)))
        {
            PrefetchTargets = Targets(parsed.GetValue(_targets)),
            KeyValueBlockTokens = blockTokens ?? 0,
            Offload = offload,
        };

        // The tokens of a generation's prefill are its prompt.
        var tokens = steps.Length > 1 ? _promptTokens : _context;
        var faults = DeploymentRules.Check(spec, modelIsSound: true);
        if (faults.Count > 0)
            throw new InputException(string.Join("; ", faults.Select(f => OptionNames.In(f.Message, tokens.Name))));
        if (Optimizer.PlanningRefusal.Of(spec) is { } refusal)
            throw new InputException(OptionNames.In($"{refusal.Option}: {refusal.Reason}"));
        var fit = Optimizer.MemoryFit.Of(spec, device.MemoryBytes, device.HostMemoryBytes);
        if (fit is { FitsDevice: true, Fits: false, HostAvailableBytes: { } host })
        {
            var (needed, available) = Optimizer.MemoryFit.InGigabytes(fit.HostBytes, host);
            throw new InputException(
                $"{model.Spec.Name} does not fit the host's memory: {(spec.TensorParallel == 1 ? "one rank needs" : $"{spec.TensorParallel} ranks need")} {needed} GB there, and it has {available} GB; weights take {fit.HostWeightBytes / 1e9:0.0}, KV-cache {(fit.HostBytes - fit.HostWeightBytes) / 1e9:0.0}. A smaller batch or context, or a narrower format would need less");
        }
        if (!fit.Fits)
        {
            var (needed, available) = Optimizer.MemoryFit.InGigabytes(fit.NeededBytes, fit.AvailableBytes);
            throw new InputException(
                $"{model.Spec.Name} does not fit the memory of {device.Id}: {(spec.TensorParallel == 1 ? "one rank" : $"each of {spec.TensorParallel} ranks")} needs {needed} GB and has {available} GB; " +
                $"weights take {fit.WeightBytes / 1e9:0.0}, KV-cache {fit.KeyValueBytes / 1e9:0.0}, activations {fit.ActivationBytes / 1e9:0.0}. More ranks, {NeedingLess()}or a narrower format would need less");
        }
        return new DeployedModel(model, spec, device, text, steps[0].MaxContext);

        // Where the weights alone are too large, nothing of the batch would help.
        string NeedingLess() => string.Concat(new[]
        {
            fit.WeightBytes < fit.AvailableBytes ? "a smaller batch or context, " : null,
            fit.WeightBytes < fit.AvailableBytes && spec.Offload.BatchesPerLayer > 1 ? "fewer --batches, " : null,
            spec.Offload.Weights == Home.Device && parsed.GetResult(_weightHome) is not null ? "--weight-home host, " : null,
        });
    }

    private void SetDefaults(int ranks, int batch, int context, string precision)
    {
        _ranks.DefaultValueFactory = _ => ranks;
        _batch.DefaultValueFactory = _ => batch;
        _context.DefaultValueFactory = _ => context;
        foreach (var option in new[] { _weights, _activations, _keyValues })
            option.DefaultValueFactory = _ => precision;
        _stored.DefaultValueFactory = _ => "bf16";
    }

    private static Option<string> Precisions(string name, string description) =>
        new Option<string>(name) { Description = description }.AcceptOnlyFromAmong(_precisions);

    private static Precision PrecisionOf(string? name) => name switch
    {
        "fp8" => Precision.Fp8,
        "int8" => Precision.Int8,
        "int4" => Precision.Int4,
        _ => Precision.Bf16,
    };

    private static Home HomeOf(string? name) => name == "host" ? Home.Host : Home.Device;

    private static PrefetchPolicy Policy(string? name) => name switch
    {
        "none" => PrefetchPolicy.None,
        "paper" => PrefetchPolicy.Paper,
        _ => PrefetchPolicy.Best,
    };

    private static PrefetchTargets Targets(string? name) => name switch
    {
        "weights" => PrefetchTargets.Weights,
        "kv" => PrefetchTargets.KeyValues,
        _ => PrefetchTargets.Both,
    };

    private static CollectiveFusion Fusion(string? name) => name switch
    {
        "norm" => CollectiveFusion.Norm,
        "matmul" => CollectiveFusion.MatMul,
        _ => CollectiveFusion.None,
    };
}

/// <summary>A model on a device, accepted by all rules.</summary>
/// <param name="Model">The model.</param>
/// <param name="Spec">The deployment, with the step that is run, or the decode step and the prefill of a generation.</param>
/// <param name="Device">The device.</param>
/// <param name="DeviceFile">The text of the device's file where it is not built in.</param>
/// <param name="Context">The context at which the step runs; 0 for a prefill.</param>
internal sealed record DeployedModel(ImportedModel Model, DeploymentSpec Spec, Device Device, string? DeviceFile, int Context)
{
    /// <summary>Why keys and values of a KV-cache in host memory are recomputed or not, as a user of the tool knows it: it is the absence of a prompt that has them not recomputed.</summary>
    public string ReasonOf(SplitReport split)
    {
        var reason = OptionNames.In(split.Reason);
        return Spec.Steps[0] is DecodeSpec { Prompt: 0 }
            ? reason.Replace("--recompute is none", "without --prompt no activations are stored to recompute from", StringComparison.Ordinal)
            : reason;
    }

    /// <summary>What is to be known of this step: what the model's specification takes otherwise, why nothing can be prefetched, a sequence that it was not made for, a group
    /// beyond what is known of the device's links, a device that has taken the id of another.</summary>
    public IReadOnlyList<string> Notes => [.. Model.Notes, .. DeploymentAdvice.Of(Spec).Select(a => OptionNames.In(a.Message)).Distinct(), .. new[] { NoPrefetch, GroupReach.Beyond(Device, Spec.TensorParallel), Skew, Launch, Library, SetAside, BuiltInId }.OfType<string>()];

    private string? NoPrefetch => Spec.Prefetch != PrefetchPolicy.None && Device.UnknownL2 is { } unknown ? $"nothing is prefetched: {unknown}; give what is missing in a device file" : null;

    private string? Skew => Device.ScaleUp.SkewMicroseconds > 0 && Spec.TensorParallel > 1
        ? $"every collective waits {Device.ScaleUp.SkewMicroseconds.ToString(CultureInfo.InvariantCulture)} us for the last rank, as scale_up.skew_microseconds of {Device.Id} declares"
        : null;

    private string? Launch => Device.Collectives.Launch == LaunchMode.Eager && Spec.TensorParallel > 1
        ? $"collectives are called one by one and not as nodes of a captured graph, as collectives.launch of {Device.Id} declares"
        : null;

    private string? Library => Device.Collectives.Library is { } library && Spec.TensorParallel > 1
        ? $"collectives are those of {library}, as collectives.library of {Device.Id} declares; another library has those that it was not measured with"
        : null;

    private string? SetAside => Device.L2.SetAsideMebibytes > 0
        ? $"{Device.L2.SetAsideMebibytes.ToString(CultureInfo.InvariantCulture)} MiB of the L2 are set aside for prefetches, as l2.set_aside_mebibytes of {Device.Id} declares"
        : null;

    /// <summary>That the host's memory is not known, and what is kept there; null where nothing is, and where it is known and was checked.</summary>
    /// <param name="bytes">What one rank's plan keeps there.</param>
    public string? UnknownHost(long bytes) => Spec.Offload is { KeyValues: Home.Device, Weights: Home.Device } || Device.HostMemoryBytes is not null
        ? null
        : $"how much memory the host of {Device.Id} has is not known: whether it holds the {(Spec.TensorParallel * (bytes / 1e9)).ToString("0.0", CultureInfo.InvariantCulture)} GB that are kept there is not checked; host_link.host_memory_capacity_gigabytes of a device file says how much it has";

    /// <summary>That fitted constants stand in the place of fields of the user's own file; null where none do.</summary>
    /// <param name="plans">What is planned.</param>
    public string? Overridden(IEnumerable<ExecutionPlan> plans) => DeviceFile is not null && FieldUse.Overridden(Device, plans) is { Count: > 0 } fields
        ? $"constants that were fitted stand in the place of {string.Join(", ", fields)} of {Device.Id}, which change no time of this plan"
        : null;

    /// <summary>Whether the device's file has the id of a built-in device, and other contents.</summary>
    public bool HasBuiltInId => DeviceFile is not null && DeviceCatalogue.TextOf(Device.Id) is { } builtIn && builtIn.ReplaceLineEndings() != DeviceFile.ReplaceLineEndings();

    private string? BuiltInId => HasBuiltInId
        ? $"the device file has the id of the built-in device {Device.Id}, and other contents: the plan carries that id and is of the file"
        : null;
}
