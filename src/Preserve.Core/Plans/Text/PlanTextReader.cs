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
        var policy = Names.Policies.Parse(Field("policy"));
        var room = Long(Field("prefetch room"));
        var arena = Long(Field("arena"));

        Take("tensors", 1);
        var tensors = new List<TensorDeclaration>();
        while (Peek() is { Count: > 1 } columns)
        {
            tensors.Add(ParseTensor(columns));
            _next++;
        }

        Take("instructions", 1);
        var body = ReadNodes(depth: 0);
        return new ExecutionPlan(model, device, ranks, layers, step, policy, room, arena, tensors.ToArray(), body);
    }

    private EquatableArray<PlanNode> ReadNodes(int depth)
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
                var body = ReadNodes(depth + 1);
                Take("end", 1);
                nodes.Add(new Repeat(count, first, stride, body));
            }
            else
            {
                nodes.Add(InstructionColumns.Parse(columns));
                _next++;
            }
        }
        return nodes.ToArray();
    }

    private static (int Count, int First, int Stride) ParseRepeat(List<string> columns)
    {
        var times = columns[0].Split(' ');
        var layers = columns[1].Split(' ');
        if (times.Length != 3 || times[2] != "times" || layers.Length is not (4 or 6) || columns[1].StartsWith("layer i from ", StringComparison.Ordinal) is false
            || (layers.Length == 6 && layers[4] != "by"))
        {
            throw Bad("expected 'repeat 79 times  layer i from 0'");
        }
        var stride = layers.Length == 6 ? Int(layers[5]) : 1;
        var count = Int(times[1]);
        return count >= 1 ? (count, Int(layers[3]), stride) : throw Bad("a repeat runs once or more");
    }

    private static TensorDeclaration ParseTensor(List<string> columns)
    {
        if (columns.Count != 6)
            throw Bad("a tensor has a name, a role, a format, a size, a place, and 'per layer' or 'once'");
        var role = Names.Roles.Parse(columns[1]);
        const string bytes = " bytes", tokens = " tokens x ", at = "at ";
        if (!columns[3].EndsWith(bytes, StringComparison.Ordinal))
            throw Bad($"'{columns[3]}' is not a size in bytes");
        var size = columns[3].Substring(0, columns[3].Length - bytes.Length);
        var split = size.IndexOf(tokens, StringComparison.Ordinal);
        var offset = -1L;
        if (role == TensorRole.Value)
        {
            if (!columns[4].StartsWith(at, StringComparison.Ordinal))
                throw Bad($"'{columns[4]}' is not a place in the arena such as 'at 4096'");
            offset = Long(columns[4].Substring(at.Length));
        }
        else if (columns[4] != "in memory")
        {
            throw Bad($"'{columns[4]}' is not 'in memory'");
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
            split < 0 ? 1 : Long(size.Substring(split + tokens.Length)), offset);
    }

    private PlanReport ReadReport()
    {
        Take("report", 1);
        var times = new[] { Long(Field("base")), Long(Field("step")), Long(Field("bound")) };
        var boundBy = Field("bound by");
        var collective = Long(Field("collective"));
        var reachable = Long(Field("reachable"));
        var weights = Long(Field("weight bytes"));
        var keyValues = Long(Field("kv bytes"));
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
        return new PlanReport(times[0], times[1], times[2], boundBy, collective, reachable, weights, keyValues, windows.ToArray());
    }

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

    private static long After(string word, string column) => column.StartsWith(word, StringComparison.Ordinal)
        ? Long(column.Substring(word.Length))
        : throw Bad($"'{column}' does not begin with '{word.TrimEnd()}'");

    private static int Int(string text) => checked((int)Long(text));

    private static long Long(string text) => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
        ? value
        : throw Bad($"'{text}' is not a whole number");

    private static FormatException Bad(string message) => new(message);
}
