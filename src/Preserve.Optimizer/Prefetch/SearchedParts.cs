using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>What a search moves: the windows that it fills, the parts that gain from the L2, and how far each is moved at most.</summary>
internal sealed class SearchedParts
{
    /// <summary>Layers from which on a window that occurs once is not searched.</summary>
    private const int DeepStack = 12;

    private readonly bool[] _worthless;
    private readonly double[] _mostSaved;
    private readonly long[] _mostStep;
    private readonly Dictionary<PrefetchGroup, long> _bytesWhileIdle;

    /// <summary>What is searched of a space.</summary>
    /// <param name="space">What can be chosen.</param>
    /// <param name="laws">The cost laws of the device.</param>
    public SearchedParts(SearchSpace space, ICostLaws laws)
    {
        Problem = space.Problem;
        IsDeep = space.Template.Layers >= DeepStack;
        var windowsOf = Problem.Parts.Select((_, part) => Problem.Groups.Where(g => g.Parts.Contains(part)).ToList()).ToList();
        var savings = Problem.Parts.ConvertAll(p => ReaderSaving.Of(p.Reader, p.Tensor, p.Bytes, laws, space.Context));
        _worthless = savings.Select(s => s.Bytes == 0).ToArray();
        _mostSaved = savings.Select((s, part) => s.PicosecondsPerByte * windowsOf[part].Sum(g => g.Times)).ToArray();
        _bytesWhileIdle = Problem.Groups.ToDictionary(g => g, g => g.BytesWhileIdle(laws, space.Context));
        _mostStep = Problem.Parts.Select((p, part) => p.Reach == PrefetchReach.Beside ? p.Bytes : Math.Min(p.Bytes, 2 * windowsOf[part].Max(BytesWhileIdle))).ToArray();
        Windows = Problem.Groups.Where(g => g.Times > 1 || !IsDeep).OrderByDescending(g => g.Host.IsCollective).ToList();
        Moved = Windows.SelectMany(g => g.Parts).Distinct().Where(p => !_worthless[p]).ToArray();
        Once = Problem.Groups.SelectMany(g => g.Parts).Distinct().Where(p => !_worthless[p]).Except(Moved).ToArray();
    }

    /// <summary>What can be chosen.</summary>
    public PrefetchProblem Problem { get; }

    /// <summary>Whether the stack is deep: what occurs once there changes little, and keeps what it was filled with.</summary>
    public bool IsDeep { get; }

    /// <summary>The windows that are searched; those of collectives first.</summary>
    public List<PrefetchGroup> Windows { get; }

    /// <summary>The parts of those windows that gain from the L2: each is moved by itself.</summary>
    public int[] Moved { get; }

    /// <summary>The other parts that gain from the L2: those of windows that occur once in a deep stack, each of which is only made longer, and last.</summary>
    public int[] Once { get; }

    /// <summary>Whether a part's reader gains nothing from the L2.</summary>
    public bool IsWorthless(int part) => _worthless[part];

    /// <summary>Whether no part gains anything.</summary>
    public bool AllWorthless => Array.TrueForAll(_worthless, w => w);

    /// <summary>Whether a part is of a KV-cache.</summary>
    public bool IsCache(int part) => Problem.Parts[part].Reader.Operation is AttentionOperation;

    /// <summary>What a part's readers save at most, in picoseconds per byte of it.</summary>
    public double MostSaved(int part) => _mostSaved[part];

    /// <summary>Bytes that a part is moved by at most: twice what memory can bring while the longest of its hosts runs alone, or, beside a kernel, all of it: how
    /// much that hides beside its own work is not known beforehand.</summary>
    public long MostStep(int part) => _mostStep[part];

    /// <summary>Bytes that memory can bring while a window's host runs alone.</summary>
    public long BytesWhileIdle(PrefetchGroup window) => _bytesWhileIdle[window];
}
