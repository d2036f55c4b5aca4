using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve;

/// <summary>The words that stand for enumeration values in the text of plans and graphs.</summary>
internal static class Names
{
    public static readonly Words<StreamKind> Streams = new("stream",
        (StreamKind.Compute, "compute"),
        (StreamKind.Collective, "collective"),
        (StreamKind.Prefetch, "prefetch"),
        (StreamKind.HostToDevice, "host-to-device"),
        (StreamKind.DeviceToHost, "device-to-host"));

    public static readonly Words<Precision> Precisions = new("format",
        (Precision.Bf16, "bf16"),
        (Precision.Fp8, "fp8"),
        (Precision.Int8, "int8"),
        (Precision.Int4, "int4"),
        (Precision.Fp32, "fp32"));

    public static readonly Words<PrefetchPolicy> Policies = new("policy",
        (PrefetchPolicy.None, "none"),
        (PrefetchPolicy.Paper, "paper"),
        (PrefetchPolicy.Best, "best"));

    public static readonly Words<TensorRole> Roles = new("role",
        (TensorRole.Weight, "weight"),
        (TensorRole.KeyValues, "key-values"),
        (TensorRole.Value, "value"),
        (TensorRole.BlockTable, "block-table"),
        (TensorRole.Activations, "activations"));

    public static readonly Words<SplitOutcome> SplitOutcomes = new("split",
        (SplitOutcome.Sequential, "sequential"),
        (SplitOutcome.Pipelined, "pipelined"),
        (SplitOutcome.Between, "between"),
        (SplitOutcome.CannotPay, "cannot-pay"),
        (SplitOutcome.NotFaster, "not-faster"),
        (SplitOutcome.NotAsked, "not-asked"),
        (SplitOutcome.NotPossible, "not-possible"));

    public static readonly Words<TensorMemory> HostMemories = new("host memory",
        (TensorMemory.PinnedHost, "host pinned"),
        (TensorMemory.PageableHost, "host pageable"));

    public static readonly Words<Norm> Norms = new("norm", (Norm.Rms, "rms"), (Norm.Layer, "layer"));

    public static readonly Words<CollectiveKind> Collectives = new("collective",
        (CollectiveKind.AllReduce, "all-reduce"),
        (CollectiveKind.AllGather, "all-gather"),
        (CollectiveKind.ReduceScatter, "reduce-scatter"));

    public static readonly Words<ElementwiseFunction> Functions = new("function",
        (ElementwiseFunction.Add, "add"),
        (ElementwiseFunction.Scale, "scale"),
        (ElementwiseFunction.Position, "position"),
        (ElementwiseFunction.Rotary, "rotary"),
        (ElementwiseFunction.Store, "store"),
        (ElementwiseFunction.SwiGlu, "swiglu"),
        (ElementwiseFunction.GeGlu, "geglu"),
        (ElementwiseFunction.Gelu, "gelu"),
        (ElementwiseFunction.Relu, "relu"),
        (ElementwiseFunction.SoftCap, "soft-cap"));

    public static readonly Words<GuardOutcome> GuardOutcomes = new("outcome of a guard",
        (GuardOutcome.Kept, "kept"),
        (GuardOutcome.Nominal, "nominal"),
        (GuardOutcome.Refused, "refused"),
        (GuardOutcome.NothingToGain, "nothing-to-gain"));

    public static readonly Words<Verdict> Verdicts = new("verdict",
        (Verdict.Whole, "whole"),
        (Verdict.Part, "part"),
        (Verdict.NoRoom, "no-room"),
        (Verdict.WindowTooShort, "too-short"),
        (Verdict.ComputeBound, "compute-bound"),
        (Verdict.LinkBound, "link-bound"),
        (Verdict.WouldEvict, "would-evict"),
        (Verdict.NotSearched, "not-searched"),
        (Verdict.Contention, "contention"),
        (Verdict.NothingToHideUnder, "nothing-to-hide-under"),
        (Verdict.TooSmall, "too-small"),
        (Verdict.OtherWindow, "other-window"),
        (Verdict.NotSure, "not-sure"),
        (Verdict.Stopped, "stopped"),
        (Verdict.NotAsked, "not-asked"),
        (Verdict.L2Unknown, "l2-unknown"));
}

/// <summary>One word for each value of an enumeration.</summary>
internal sealed class Words<T>
    where T : struct, Enum
{
    private readonly string _what;
    private readonly Dictionary<T, string> _words = new();
    private readonly Dictionary<string, T> _values = new(StringComparer.Ordinal);

    public Words(string what, params (T Value, string Word)[] pairs)
    {
        _what = what;
        foreach (var (value, word) in pairs)
        {
            _words.Add(value, word);
            _values.Add(word, value);
        }
    }

    public string this[T value] => _words[value];

    public bool TryParse(string word, out T value) => _values.TryGetValue(word, out value);

    public T Parse(string word) => _values.TryGetValue(word, out var value)
        ? value
        : throw new FormatException($"'{word}' is not a {_what}; one of: {string.Join(", ", _words.Values.OrderBy(w => w, StringComparer.Ordinal))}");
}
