namespace Preserve.Cpu;

/// <summary>The instructions of one step as they were handed over, repeats unrolled, with every wait bound and every operand found. Its lists are used
/// again for the next step.</summary>
internal sealed class StepProgram
{
    private readonly List<BoundInstruction> _instructions = [];
    private readonly List<int>[] _streams = [.. Enum.GetValues<StreamKind>().Select(_ => new List<int>())];
    private readonly List<EventPoint> _waits = [];
    private readonly Dictionary<string, EventPoint> _signalled = new(StringComparer.Ordinal);

    /// <summary>The instructions, in program order.</summary>
    public IReadOnlyList<BoundInstruction> Instructions => _instructions;

    /// <summary>The instructions of a stream, by their place in program order.</summary>
    public List<int> Of(StreamKind stream) => _streams[(int)stream];

    public BoundInstruction this[int index] => _instructions[index];

    public EventPoint Wait(int index) => _waits[index];

    public void Clear()
    {
        _instructions.Clear();
        _waits.Clear();
        _signalled.Clear();
        foreach (var stream in _streams)
            stream.Clear();
    }

    /// <summary>Adds the next instruction. A wait is for the last signal of its label above.</summary>
    /// <param name="instruction">The instruction.</param>
    /// <param name="layer">Layer i of the repeat around.</param>
    /// <param name="firstOperand">Its first operand in every rank's list.</param>
    /// <exception cref="InvalidOperationException">It waits for what nothing above signals.</exception>
    public void Add(Instruction instruction, int layer, int firstOperand)
    {
        var firstWait = _waits.Count;
        foreach (var label in instruction.Waits)
        {
            _waits.Add(_signalled.TryGetValue(label, out var point)
                ? point
                : throw new InvalidOperationException($"'{instruction.Label}' waits for '{label}', which nothing above signals"));
        }
        var stream = Of(instruction.Stream);
        stream.Add(_instructions.Count);
        _instructions.Add(new BoundInstruction(_instructions.Count, instruction, layer, firstOperand, firstWait));
        if (instruction.Signals)
            _signalled[instruction.Label] = new EventPoint(instruction.Stream, stream.Count);
    }
}

/// <summary>An instruction of a step.</summary>
/// <param name="Index">Its place in program order.</param>
/// <param name="Instruction">The instruction.</param>
/// <param name="Layer">Layer i of the repeat around.</param>
/// <param name="FirstOperand">Its first operand in a rank's list: what it reads, then what it writes.</param>
/// <param name="FirstWait">Its first wait.</param>
internal readonly record struct BoundInstruction(int Index, Instruction Instruction, int Layer, int FirstOperand, int FirstWait);

/// <summary>When an event happens: when so many instructions of a stream have ended.</summary>
/// <param name="Stream">The stream.</param>
/// <param name="Ended">How many.</param>
internal readonly record struct EventPoint(StreamKind Stream, int Ended);
