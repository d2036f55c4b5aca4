using System;
using System.Collections.Generic;

namespace Preserve;

/// <summary>Finds what each wait of a plan is for. One walk over the text, repeats not expanded.</summary>
internal sealed class EventBinder
{
    private readonly Instruction[] _instructions;
    private readonly int[] _loopOf;
    private readonly CompiledLoop[] _loops;
    private readonly EventBinding[][] _waits;
    private readonly List<EventBinding> _bindings = [];
    private readonly List<Scope> _scopes = [];
    private int _instruction;
    private int _loop;

    public EventBinder(Instruction[] instructions, int[] loopOf, CompiledLoop[] loops)
    {
        _instructions = instructions;
        _loopOf = loopOf;
        _loops = loops;
        _waits = new EventBinding[instructions.Length][];
    }

    public EventBinding[][] Bind(EquatableArray<PlanNode> body)
    {
        _scopes.Add(new Scope(-1));
        Walk(body);
        return _waits;
    }

    private void Walk(EquatableArray<PlanNode> body)
    {
        foreach (var node in body)
        {
            if (node is Instruction instruction)
            {
                _waits[_instruction] = BindWaits(instruction);
                if (instruction.Signals)
                    _scopes[_scopes.Count - 1].Above[instruction.Label] = _instruction;
                _instruction++;
                continue;
            }
            var loop = _loop++;
            var scope = new Scope(loop);
            for (var i = _loops[loop].First; i < _loops[loop].End; i++)
            {
                if (_instructions[i].Signals)
                    scope.Whole[_instructions[i].Label] = i;
            }
            _scopes.Add(scope);
            Walk(((Repeat)node).Body);
            _scopes.RemoveAt(_scopes.Count - 1);
            foreach (var pair in scope.Whole)
                _scopes[_scopes.Count - 1].Above[pair.Key] = pair.Value;
        }
    }

    private EventBinding[] BindWaits(Instruction instruction)
    {
        _bindings.Clear();
        foreach (var label in instruction.Waits)
            BindWait(label);
        return _bindings.ToArray();
    }

    /// <summary>From the inside out: a signal above in the same body, else the body's last one in the iteration before, else
    /// what stands above the repeat.</summary>
    private void BindWait(string label)
    {
        var first = _bindings.Count;
        for (var depth = _scopes.Count - 1; depth >= 0; depth--)
        {
            var scope = _scopes[depth];
            if (scope.Above.TryGetValue(label, out var above))
            {
                _bindings.Add(To(above, unlessFirstOf: -1));
                break;
            }
            if (scope.Whole.TryGetValue(label, out var before))
                _bindings.Add(To(before, unlessFirstOf: scope.Loop));
        }
        for (var i = first; i < _bindings.Count; i++)
            _bindings[i] = _bindings[i] with { Others = _bindings.Count - 1 - i };
    }

    private EventBinding To(int source, int unlessFirstOf)
    {
        var terms = new List<LoopTerm>();
        var runs = 1L;
        var common = false;
        var inner = 1L;
        for (var loop = _loopOf[source]; loop >= 0; loop = _loops[loop].Parent)
        {
            if (!common && _loops[loop].First <= _instruction && _instruction < _loops[loop].End)
            {
                common = true;
                inner = runs;
            }
            if (common)
                terms.Add(new LoopTerm(loop, runs));
            runs = checked(runs * _loops[loop].Count);
        }
        if (!common)
            inner = runs;
        return new EventBinding(
            source,
            _instructions[source].Stream,
            _instructions[source].Stream != _instructions[_instruction].Stream,
            unlessFirstOf,
            source < _instruction ? inner : 0,
            terms.ToArray(),
            Others: 0);
    }

    private sealed class Scope(int loop)
    {
        public int Loop { get; } = loop;

        /// <summary>The last signaller of each label above the present place, in this body.</summary>
        public Dictionary<string, int> Above { get; } = new(StringComparer.Ordinal);

        /// <summary>The last signaller of each label in the whole body; empty outside repeats.</summary>
        public Dictionary<string, int> Whole { get; } = new(StringComparer.Ordinal);
    }
}
