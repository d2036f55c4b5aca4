using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;

namespace Preserve.Optimizer;

/// <summary>Searches the lengths of all parts for the least simulated step.</summary>
/// <remarks>The objective has no gradient and is flat in places, but is cheap and exact: so it is searched directly, with no model of it
/// between (R. Hooke and T. A. Jeeves, "Direct Search" Solution of Numerical and Statistical Problems, J. ACM 8, 1961). The steps begin with
/// whole windows, filled in the order of consumption, where most of the gain lies, and end with tiles of single parts. docs/prefetch.md
/// states the problem and why this solves it.</remarks>
internal sealed class PrefetchSearch
{
    /// <summary>Most trials together.</summary>
    public const int MostTrials = 512;

    /// <summary>The share of the gain over all parts that large steps over one kind of tensor have to reach, for small ones to follow.</summary>
    private const double LeastOfOneKind = 0.75;

    /// <summary>A loss is not worth an instruction up to this part of the gain.</summary>
    private const int LeastShareOfGain = 2000;

    /// <summary>Layers from which on a window that occurs once is not searched.</summary>
    private const int DeepStack = 12;

    /// <summary>Single parts are moved by halves of their tensors at first, and by sixteenths in the end.</summary>
    private const int Coarsest = 2, Finest = 16;

    private readonly PrefetchProblem _problem;
    private readonly PrefetchRoom _room;
    private readonly CancellationToken _cancellationToken;
    private readonly PrefetchTrials _trials;
    private readonly bool _deep;
    private readonly List<PrefetchPart> _parts;
    private readonly bool[] _worthless;
    private readonly HashSet<long> _seen = [];
    private readonly List<PrefetchGroup> _frequent;
    private readonly Dictionary<PrefetchGroup, long> _bytesWhileIdle;
    private readonly int[] _moved;
    private readonly SearchEnd _end;
    private readonly List<PrefetchChoice> _found = [];
    private long[] _best;
    private long _bestPicoseconds;
    private long[] _next;
    private bool? _only;
    private long _repeatsEnd = long.MaxValue;

    /// <summary>A search.</summary>
    /// <param name="space">What can be chosen, and the plan that choices are timed in.</param>
    /// <param name="laws">The cost laws of the device.</param>
    /// <param name="mostTrials">Most plans that are timed, before the choice is simplified.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public PrefetchSearch(SearchSpace space, ICostLaws laws, int mostTrials, CancellationToken cancellationToken)
    {
        Space = space;
        _problem = space.Problem;
        _room = new PrefetchRoom(_problem, laws.Device.PrefetchRoomBytes);
        _cancellationToken = cancellationToken;
        _trials = space.TrialsWith(laws);
        _deep = space.Template.Layers >= DeepStack;
        _parts = _problem.Parts;
        _best = new long[_parts.Count];
        _next = new long[_parts.Count];
        _worthless = _parts.Select(p => ReaderSaving.Of(p.Reader, p.Tensor, p.Bytes, laws, space.Context).Bytes == 0).ToArray();
        _bytesWhileIdle = _problem.Groups.ToDictionary(g => g, g => g.BytesWhileIdle(laws, space.Context));
        // What occurs once in a deep stack changes little: it keeps what it was filled with.
        _frequent = _problem.Groups.Where(g => g.Times > 1 || !_deep).OrderByDescending(g => g.Host.IsCollective).ToList();
        _moved = _frequent.SelectMany(g => g.Parts).Distinct().Where(p => !_worthless[p]).ToArray();
        _end = new SearchEnd(_moved.Length, mostTrials);
    }

    /// <summary>What can be chosen, and the plan that choices are timed in.</summary>
    public SearchSpace Space { get; }

    /// <summary>How much of the L2 a choice may hold.</summary>
    public PrefetchRoom Room => _room;

    /// <summary>Whether a part's reader gains nothing from the L2.</summary>
    public bool IsWorthless(int part) => _worthless[part];

    /// <summary>Whether a part is moved by itself: it gains from the L2, and its window does not occur once in a deep stack.</summary>
    public bool IsMoved(int part) => Array.IndexOf(_moved, part) >= 0;

    /// <summary>A choice that is taken where it is better than what the search finds; one that does not fit is left out.</summary>
    public long[]? Rival { get; init; }

    /// <summary>The same search on another machine.</summary>
    public PrefetchSearch With(ICostLaws laws) => new(Space, laws, _end.MostTrials, _cancellationToken);

    /// <summary>Plans that were timed.</summary>
    public int Trials => _end.Trials;

    /// <summary>The step without any prefetch, in picoseconds.</summary>
    public long BasePicoseconds { get; private set; }

    /// <summary>Searches.</summary>
    /// <returns>The best choice, or null where nothing is better than no prefetch at all.</returns>
    public PrefetchChoice? Run()
    {
        BasePicoseconds = _bestPicoseconds = Time(_best, 0)!.Value;
        _seen.Add(HashOf(_best));
        if (_worthless.All(w => w))
            return null;

        _end.Begin(_bestPicoseconds);
        SearchCoarsely();
        SearchFinely();
        _found.Add(Best());
        if (_moved.Any(IsCache) && !_moved.All(IsCache))
        {
            SearchAlone(caches: false);
            SearchAlone(caches: true);
        }
        TryRival();
        Simplify();
        return _bestPicoseconds < BasePicoseconds ? Best() : null;
    }

    /// <summary>The best of what its searches, over all parts and over one kind of tensor, ended with and that was not named yet: where a plan of what was found
    /// takes longer than its trial, as the order of its prefetches can make it, another one may not.</summary>
    /// <returns>The choice, or null where none is left that is better than no prefetch at all.</returns>
    public PrefetchChoice? Next()
    {
        var next = _found.Count == 0 ? -1 : _found.FindIndex(c => c.Picoseconds == _found.Min(m => m.Picoseconds));
        if (next < 0 || _found[next].Picoseconds >= BasePicoseconds)
            return null;
        var choice = _found[next];
        _found.RemoveAt(next);
        return choice;
    }

    /// <summary>No prefetch at all.</summary>
    public PrefetchChoice Nothing => new(this, new long[_parts.Count], BasePicoseconds);

    private PrefetchChoice Best() => new(this, (long[])_best.Clone(), _bestPicoseconds);

    /// <summary>Whole windows: what collectives hide is most of the gain, and is settled by large steps before what kernels hide is weighed beside it.</summary>
    private void SearchCoarsely()
    {
        foreach (var share in (double[])[1, 0.5, 1.5, 4])
            Fill(share, beside: false);
        foreach (var share in (double[])[0.25, 0.5, 1])
            Fill(share, beside: true);
        SearchBudgets(underCollectives: true);
    }

    private void SearchFinely()
    {
        SearchParts(Coarsest, Coarsest);
        SearchBudgets(underCollectives: false);
        SearchParts(Coarsest, Finest);
    }

    /// <summary>Searches anew with caches alone, or weights alone, where the room may be worth more to one of them: no row of single moves leads from one
    /// to the other. Where that is better, the search goes on from there with all parts.</summary>
    private void SearchAlone(bool caches)
    {
        var (best, found, ends) = (_best, _bestPicoseconds, _repeatsEnd);
        (_best, _bestPicoseconds, _repeatsEnd, _only) = (new long[_parts.Count], BasePicoseconds, long.MaxValue, caches);
        _end.Begin(_bestPicoseconds);
        SearchCoarsely();
        if (BasePicoseconds - _bestPicoseconds >= LeastOfOneKind * (BasePicoseconds - found))
            SearchFinely();
        _only = null;
        _found.Add(Best());
        if (_bestPicoseconds >= found)
        {
            (_best, _bestPicoseconds, _repeatsEnd) = (best, found, ends);
            return;
        }
        _end.Begin(_bestPicoseconds);
        SearchBudgets(underCollectives: true);
        SearchFinely();
    }

    /// <summary>Fills every window by a share of what memory can bring while its host runs alone.</summary>
    private void Fill(double share, bool beside)
    {
        Array.Clear(_next, 0, _next.Length);
        foreach (var group in _problem.Groups)
        {
            if (group.Host.IsCollective || beside)
                FillGroup(group.Parts, (long)(share * _bytesWhileIdle[group]));
        }
        Try();
    }

    /// <summary>Gives the parts of a window so many bytes, those that are needed first before the others. Parts that are longer stay.</summary>
    /// <param name="parts">The parts.</param>
    /// <param name="bytes">The bytes.</param>
    private void FillGroup(int[] parts, long bytes)
    {
        foreach (var part in parts)
        {
            if (!IsSearched(part))
                continue;
            var given = Math.Min(Math.Max(bytes, 0), _room.Most(part, _next) * _parts[part].UnitBytes);
            _next[part] = _worthless[part] ? 0 : Math.Max(_next[part], _parts[part].Align(given / _parts[part].UnitBytes));
            bytes -= _next[part] * _parts[part].UnitBytes;
        }
    }

    private void SearchBudgets(bool underCollectives)
    {
        foreach (var group in _frequent)
        {
            if (group.Host.IsCollective == underCollectives)
                SearchBudget(group);
        }
    }

    /// <summary>Moves the bytes of one window up and down: by ever larger steps while that helps, then by smaller ones.</summary>
    private void SearchBudget(PrefetchGroup group)
    {
        var most = group.Parts.Sum(p => _parts[p].Bytes);
        var step = Math.Min(_bytesWhileIdle[group], most) / 2;
        for (var halvings = 0; halvings < 2 && !_end.IsReached; halvings++, step /= 2)
        {
            foreach (var direction in (int[])[1, -1])
            {
                for (var stride = step; stride > 0 && stride <= most && TryBudget(group, BytesOf(group) + (direction * stride)); stride *= 2)
                {
                }
            }
        }
    }

    private long BytesOf(PrefetchGroup group)
    {
        var bytes = 0L;
        foreach (var part in group.Parts)
            bytes += _best[part] * _parts[part].UnitBytes;
        return bytes;
    }

    private bool TryBudget(PrefetchGroup group, long bytes)
    {
        if (bytes < 0)
            return false;
        Array.Copy(_best, _next, _best.Length);
        foreach (var part in group.Parts)
            _next[part] = 0;
        FillGroup(group.Parts, bytes);
        return Try();
    }

    private bool IsCache(int part) => _parts[part].Reader.Operation is AttentionOperation;

    /// <summary>Whether a part is not left out because caches, or weights, are searched alone.</summary>
    private bool IsSearched(int part) => _only is not { } caches || IsCache(part) == caches;

    /// <summary>Moves single parts, and bytes from one part to another that it competes with, by ever smaller steps.</summary>
    /// <param name="coarsest">What part of a tensor the first step is.</param>
    /// <param name="finest">What part of it the last step is.</param>
    private void SearchParts(int coarsest, int finest)
    {
        for (var divisor = coarsest; divisor <= finest && !_end.IsReached; divisor *= 2)
        {
            for (var improved = true; improved && !_end.IsReached;)
            {
                improved = false;
                foreach (var part in _moved)
                {
                    if (!IsSearched(part))
                        continue;
                    var step = Math.Max(_parts[part].Bytes / divisor, 1);
                    improved |= TryMove(part, step, -1) || TryMove(part, -step, -1);
                    foreach (var other in Rivals(part, step))
                        improved |= TryMove(part, step, other);
                    if (divisor == Coarsest)
                        improved |= TryShift(part);
                }
            }
        }
    }

    /// <summary>However long the search took, a rival's choice is timed.</summary>
    private void TryRival()
    {
        if (Rival is null)
            return;
        for (var part = 0; part < Rival.Length; part++)
            _next[part] = _worthless[part] ? 0 : Rival[part];
        if (_room.Fits(_next) && _seen.Add(HashOf(_next)) && Time(_next, 0) is { } time && time < _bestPicoseconds)
            Take(time);
    }

    /// <summary>Drops parts that the step is no shorter for than by a share of the gain that nobody would miss: each is an instruction that
    /// someone reads.</summary>
    private void Simplify()
    {
        for (var part = 0; part < _parts.Count; part++)
        {
            if (_best[part] == 0)
                continue;
            Array.Copy(_best, _next, _best.Length);
            _next[part] = 0;
            var loss = (BasePicoseconds - _bestPicoseconds) / LeastShareOfGain;
            if (Time(_next, loss) is { } time && time - _bestPicoseconds <= loss)
                Take(time);
        }
    }

    /// <summary>Parts that one has to take from to grow: those of its tensor, and those that it shares a room with that has not so many
    /// bytes left.</summary>
    private IEnumerable<int> Rivals(int part, long bytes)
    {
        for (var other = 0; other < _parts.Count; other++)
        {
            if (other == part || _best[other] == 0)
                continue;
            if (_parts[part].Tensor == _parts[other].Tensor || (_room.Left(part, _best) < bytes && _room.AreTogether(part, other)))
                yield return other;
        }
    }

    private bool TryMove(int part, long bytes, int from)
    {
        Array.Copy(_best, _next, _best.Length);
        if (from >= 0)
            _next[from] = _parts[from].Align(Math.Max(0, _next[from] - (bytes / _parts[from].UnitBytes)));
        _next[part] = 0;
        var units = Math.Min(_best[part] + (bytes / _parts[part].UnitBytes), _room.Most(part, _next));
        _next[part] = _parts[part].Align(Math.Max(0, units));
        return Try();
    }

    /// <summary>Moves all of a part to another window of the same tensor; the windows that it leaves and those beside kernels keep their bytes
    /// and are filled anew. Single moves do not find this: each of them alone loses.</summary>
    private bool TryShift(int part)
    {
        var improved = false;
        foreach (var sibling in _problem.SiblingsOf(part))
        {
            if (sibling == part || _best[part] == 0 || _worthless[part])
                continue;
            Array.Copy(_best, _next, _best.Length);
            _next[part] = 0;
            foreach (var group in _frequent)
            {
                foreach (var beside in group.Host.IsCollective ? [] : group.Parts)
                    _next[beside] = 0;
            }
            _next[sibling] = _parts[sibling].Align(Math.Min(_best[sibling] + _best[part], _room.Most(sibling, _next)));
            foreach (var group in _frequent)
            {
                if (!group.Host.IsCollective || Array.IndexOf(group.Parts, part) >= 0)
                    FillGroup(group.Parts, BytesOf(group));
            }
            improved |= Try();
        }
        return improved;
    }

    private bool Try()
    {
        if (_end.IsReached || !_seen.Add(HashOf(_next)) || !_room.Fits(_next))
            return false;
        if (Time(_next, 0) is not { } time || time >= _bestPicoseconds)
            return false;
        _end.Note(time, BasePicoseconds);
        Take(time);
        return true;
    }

    private void Take(long time)
    {
        _bestPicoseconds = time;
        (_best, _next) = (_next, _best);
        if (_deep)
            _repeatsEnd = _trials.RepeatsEnd;
    }

    /// <summary>Times a choice. In a deep stack, one whose layers alone take longer than the best choice's is given up: what occurs once
    /// does not make that good.</summary>
    /// <param name="units">The choice.</param>
    /// <param name="loss">How much longer it may take.</param>
    /// <returns>Picoseconds, or null where it was given up.</returns>
    private long? Time(long[] units, long loss)
    {
        _end.Count();
        return _trials.Time(units, _repeatsEnd == long.MaxValue ? _repeatsEnd : _repeatsEnd + loss, _cancellationToken);
    }

    private static long HashOf(long[] units)
    {
        // FNV-1a over whole words: a collision skips a trial and costs no more.
        var hash = unchecked((long)0xcbf29ce484222325);
        foreach (var word in units)
            hash = unchecked((hash ^ word) * 0x100000001b3);
        return hash;
    }
}
