using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;

namespace Preserve;

/// <summary>Reads plans. Every error names the line.</summary>
internal sealed class PlanTextReader
{
    private readonly string[] _lines;
    private int _next;

    public PlanTextReader(string text) => _lines = text.Split('\n');

    public PlanSet ReadPlanSet() => Read(() =>
    {
        ReadVersion();
        var steps = new List<PlannedStep>();
        string? deviceFile = null;
        while (Peek() is { } columns)
        {
            if (columns[0] == "plan")
                steps.Add(new PlannedStep(ReadPlan(), ReadReport()));
            else if (columns[0] == "device file" && deviceFile is null)
                deviceFile = ReadDeviceFile();
            else
                throw Bad($"expected 'plan' or 'device file', found '{columns[0]}'");
        }
        return new PlanSet(steps.ToArray(), deviceFile);
    });

    public ExecutionPlan ReadSinglePlan() => Read(() =>
    {
        ReadVersion();
        var plan = ReadPlan();
        if (Peek() is { } columns)
            throw Bad($"expected the end of the text, found '{columns[0]}'");
        return plan;
    });

    /// <summary>Puts the line in front of what a part of it says.</summary>
    private T Read<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is FormatException or OverflowException)
        {
            throw new FormatException($"line {Math.Min(_next + 1, _lines.Length)}: {e.Message}", e);
        }
    }

    private void ReadVersion()
    {
        var line = Peek() is { Count: 1 } columns ? columns[0] : "";
        const string prefix = PlanText.VersionLine + " ";
        if (!line.StartsWith(prefix, StringComparison.Ordinal))
            throw Bad($"expected '{prefix}{PlanText.Version}'");
        var version = line.Substring(prefix.Length);
        if (version != PlanText.Version.ToString(CultureInfo.InvariantCulture))
            throw Bad($"the text is of version {version}, this library reads version {PlanText.Version}: build the plans again with the version of Preserve that runs them");
        _next++;
    }

    private ExecutionPlan ReadPlan()
    {
        var step = ParseStep(Take("plan", 2)[1]);
        var model = Field("model");
        var device = Field("device");
        var ranks = Int(Field("ranks"));
        var layers = Int(Field("layers"));
        var batches = Peek() is ["batches", _] ? Int(Field("batches")) : 1;
        var policy = Names.Policies.Parse(Field("policy"));
        var room = Bytes(Field("prefetch room"));
        var arena = Bytes(Field("arena"));

        Take("tensors", 1);
        var tensors = new List<TensorDeclaration>();
        while (Peek() is { Count: > 1 } columns)
        {
            tensors.Add(ParseTensor(columns));
            _next++;
        }

        Take("instructions", 1);
        var byName = new Dictionary<string, TensorDeclaration>(StringComparer.Ordinal);
        foreach (var tensor in tensors)
            byName[tensor.Name] = tensor;
        var body = ReadNodes(byName, depth: 0);
        return new ExecutionPlan(model, device, ranks, layers, step, policy, room, arena, tensors.ToArray(), body) { Batches = batches };
    }

    private EquatableArray<PlanNode> ReadNodes(Dictionary<string, TensorDeclaration> tensors, int depth)
    {
        if (depth > 8)
            throw Bad("repeats nest more than 8 deep");
        var nodes = new List<PlanNode>();
        while (Peek() is { } columns && (columns.Count > 1 && columns[0] != "plan"))
        {
            if (columns[0].StartsWith("repeat ", StringComparison.Ordinal))
            {
                var (count, first, stride) = ParseRepeat(columns);
                _next++;
                var body = ReadNodes(tensors, depth + 1);
                Take("end", 1);
                nodes.Add(new Repeat(count, first, stride, body));
            }
            else
            {
                nodes.Add(InstructionColumns.Parse(columns, tensors));
                _next++;
            }
        }
        return nodes.ToArray();
    }

    private static (int Count, int First, int Stride) ParseRepeat(List<string> columns)
    {
        var times = columns[0].Split(' ');
        var layers = columns.Count == 2 ? columns[1].Split(' ') : [];
        if (times is not ["repeat", var countWord, "times"] || layers is not ["layers", "i", "=", var firstWord, "to", var lastWord, ..])
            throw Bad("expected 'repeat 79 times  layers i = 0 to 78'");
        var (count, first, last) = (Int(countWord), Int(firstWord), Int(lastWord));
        var stride = layers is [_, _, _, _, _, _, "by", var strideWord] ? Int(strideWord) : 1;
        if (count < 1 || layers.Length is not (6 or 8))
            throw Bad("a repeat runs once or more");
        return first + ((count - 1L) * stride) == last ? (count, first, stride) : throw Bad($"{count} layers from {first} do not end at {last}");
    }

    private static TensorDeclaration ParseTensor(List<string> columns)
    {
        if (columns.Count != 6)
            throw Bad("a tensor has a name, a role, a format, a size, a place, and 'per layer' or 'once'");
        var role = Names.Roles.Parse(columns[1]);
        const string bytes = " bytes", tokens = " tokens x ", arena = "arena ", blocks = "blocks of ";
        if (!columns[3].EndsWith(bytes, StringComparison.Ordinal))
            throw Bad($"'{columns[3]}' is not a size in bytes");
        var size = columns[3].Substring(0, columns[3].Length - bytes.Length).Replace(",", "");
        var split = size.IndexOf(tokens, StringComparison.Ordinal);
        var (offset, blockUnits) = (-1L, 0L);
        var memory = TensorMemory.Device;
        if (columns[4].StartsWith("host ", StringComparison.Ordinal))
        {
            memory = Names.HostMemories.Parse(columns[4]);
        }
        else if (role == TensorRole.Value)
        {
            if (!columns[4].StartsWith(arena, StringComparison.Ordinal))
                throw Bad($"'{columns[4]}' is not a place in the arena such as 'arena 4096'");
            offset = Long(columns[4].Substring(arena.Length));
        }
        else if (role == TensorRole.KeyValues && columns[4].StartsWith(blocks, StringComparison.Ordinal))
        {
            blockUnits = Long(columns[4].Substring(blocks.Length));
            if (blockUnits < 1)
                throw Bad($"'{columns[4]}' has no tokens in a block");
        }
        else if (columns[4] != "own buffer")
        {
            throw Bad($"'{columns[4]}' is not 'own buffer'{(role == TensorRole.KeyValues ? " or such as 'blocks of 16'" : "")}");
        }
        var perLayer = columns[5] switch
        {
            "per layer" => true,
            "once" => false,
            _ => throw Bad($"'{columns[5]}' is neither 'per layer' nor 'once'"),
        };
        return new TensorDeclaration(
            columns[0], role, perLayer, Names.Precisions.Parse(columns[2]),
            Amount.Parse(split < 0 ? size : size.Substring(0, split)),
            split < 0 ? 1 : Long(size.Substring(split + tokens.Length)), offset, memory)
        {
            BlockUnits = blockUnits,
        };
    }

    private PlanReport ReadReport()
    {
        Take("report", 1);
        var times = new[] { Time(Field("base")), Time(Field("step")), Time(Field("bound")) };
        var boundBy = Field("bound by");
        var collective = Time(Field("collectives"));
        var reachable = Time(Field("reachable"));
        var elsewhere = Time(Field("elsewhere"));
        var half = Time(Field("gain at half"));
        var twice = Time(Field("gain at twice"));
        var guard = Peek() is { Count: 2 } row && row[0] == "guard" ? ParseGuard(Field("guard")) : null;
        var pauses = Peek() is { Count: 2 } paused && paused[0] == "pauses" ? ParseRanges(Field("pauses")) : [];
        var weights = Bytes(Field("weights"));
        var keyValues = Bytes(Field("kv-cache"));
        var split = Peek() is { Count: 2 } brought && brought[0] == "split" ? ReadSplit() : null;
        var windows = new List<WindowReport>();
        while (Peek() is { Count: 6 } columns && columns[0] == "window")
        {
            _next++;
            var (first, last, stride) = ParseLayers(columns[2]);
            var candidates = new List<CandidateReport>();
            while (Peek() is { Count: 4 } candidate)
            {
                candidates.Add(ParseCandidate(candidate));
                _next++;
            }
            windows.Add(new WindowReport(columns[1], first, last, stride,
                After("takes ", columns[3]), After("hides ", columns[4]), After("saves ", columns[5]), candidates.ToArray()));
        }
        return new PlanReport(times[0], times[1], times[2], boundBy, collective, reachable, elsewhere, weights, keyValues, windows.ToArray())
        {
            GainAtHalfPicoseconds = half,
            GainAtTwicePicoseconds = twice,
            Split = split,
            Guard = guard,
            Pauses = pauses,
        };
    }

    private SplitReport ReadSplit()
    {
        var outcome = Names.SplitOutcomes.Parse(Field("split"));
        var recomputed = Field("recomputed").Split(' ');
        var bytes = Field("of a token").Split(' ');
        if (recomputed is not [var tokens, "tokens"] || bytes is not [var activations, "of", var keyValues, "bytes"])
            throw Bad("expected '128 tokens' and '655,360 of 1,310,720 bytes'");
        return new SplitReport(outcome, Int(tokens), Long(activations), Long(keyValues), Field("because"));
    }

    private static GuardReport ParseGuard(string text)
    {
        var at = text.IndexOf(" at ", StringComparison.Ordinal);
        if (at < 0)
            return new GuardReport(Names.GuardOutcomes.Parse(text), null, null);
        var ends = text.Substring(at + " at ".Length).Split([" to "], StringSplitOptions.None);
        return ends.Length == 2
            ? new GuardReport(Names.GuardOutcomes.Parse(text.Substring(0, at)), Time(ends[0]), Time(ends[1]))
            : throw Bad($"'{text}' is not 'kept at 1.5 us to 2.5 us'");
    }

    private static ContextRange[] ParseRanges(string text) => Array.ConvertAll(text.Split([", "], StringSplitOptions.None), range =>
        range.Split([" to "], StringSplitOptions.None) is [var first, var last] && Int(first) <= Int(last)
            ? new ContextRange(Int(first), Int(last))
            : throw Bad($"'{range}' is not '1 to 4096'"));

    private static CandidateReport ParseCandidate(List<string> columns)
    {
        var bytes = columns[2].Split(' ');
        if (bytes.Length != 3 || bytes[1] != "of")
            throw Bad($"'{columns[2]}' is not '512 of 1024'");
        return new CandidateReport(ReferenceText.Parse(columns[1]), Long(bytes[2]), Long(bytes[0]), Names.Verdicts.Parse(columns[0]), columns[3]);
    }

    private static (int First, int Last, int Stride) ParseLayers(string text)
    {
        var words = text.Split(' ');
        return words switch
        {
            ["outside", "the", "layers"] => (-1, -1, 0),
            ["layer", var only] => (Int(only), Int(only), 0),
            ["layers", var first, "to", var last] => (Int(first), Int(last), 1),
            ["layers", var first, "to", var last, "by", var stride] => (Int(first), Int(last), Int(stride)),
            _ => throw Bad($"'{text}' names no layers"),
        };
    }

    private string ReadDeviceFile()
    {
        Take("device file", 1);
        const string mark = "  | ";
        var lines = new List<string>();
        for (; _next < _lines.Length && _lines[_next].StartsWith(mark, StringComparison.Ordinal); _next++)
            lines.Add(_lines[_next].Substring(mark.Length).TrimEnd('\r'));
        return string.Join("\n", lines);
    }

    private static StepSpec ParseStep(string text) => text.Split(' ') switch
    {
        ["decode", "batch", var batch, "context", var context] => new DecodeSpec(Int(batch), Int(context), Total: false),
        ["decode", "batch", var batch, "context", var context, "prompt", var prompt] => new DecodeSpec(Int(batch), Int(context), Total: false, Int(prompt)),
        ["decode", "batch", var batch, "cached", var cached] => new DecodeSpec(Int(batch), Int(cached), Total: true),
        ["prefill", "batch", var batch, "tokens", var tokens] => new PrefillSpec(Int(batch), Int(tokens)),
        _ => throw Bad($"'{text}' is not a step such as 'decode batch 4 context 4096'"),
    };

    private string Field(string name) => Take(name, 2)[1];

    private List<string> Take(string keyword, int count)
    {
        var columns = Peek();
        if (columns is null || columns[0] != keyword || columns.Count != count)
            throw Bad($"expected '{keyword}', found {(columns is null ? "the end of the text" : $"'{string.Join("  ", columns)}'")}");
        _next++;
        return columns;
    }

    /// <summary>The columns of the next line that is neither blank nor a comment, or null at the end.</summary>
    private List<string>? Peek()
    {
        for (; _next < _lines.Length; _next++)
        {
            var line = _lines[_next].TrimStart();
            if (line.Length == 0 || line[0] == '#')
                continue;
            var columns = InstructionColumns.Split(line);
            if (columns.Count > 0)
                return columns;
        }
        return null;
    }

    private static long After(string word, string column)
    {
        if (!column.StartsWith(word, StringComparison.Ordinal))
            throw Bad($"'{column}' does not begin with '{word.TrimEnd()}'");
        var words = column.Substring(word.Length).Split(' ');
        return words.Length == 2 || (words.Length == 3 && words[2] is "each" or "together")
            ? Time($"{words[0]} {words[1]}")
            : throw Bad($"'{column}' is not '{word}26.585143 us'");
    }

    /// <summary>Picoseconds, written as microseconds with all six digits behind the point.</summary>
    private static long Time(string text)
    {
        const string unit = " us";
        var point = text.Length - unit.Length - 7;
        return point > 0 && text[point] == '.' && text.EndsWith(unit, StringComparison.Ordinal)
            ? Long(text.Substring(0, text.Length - unit.Length).Remove(point, 1))
            : throw Bad($"'{text}' is not a time such as '26.585143 us'");
    }

    private static long Bytes(string text)
    {
        const string unit = " bytes";
        return text.EndsWith(unit, StringComparison.Ordinal)
            ? Long(text.Substring(0, text.Length - unit.Length))
            : throw Bad($"'{text}' is not a size such as '4,096 bytes'");
    }

    private static int Int(string text) => checked((int)Long(text));

    private static long Long(string text) => long.TryParse(text.Replace(",", ""), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
        ? value
        : throw Bad($"'{text}' is not a whole number");

    private static FormatException Bad(string message) => new(message);
}
