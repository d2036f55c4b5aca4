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

    /// <summary>Starts that single parts are moved from, and the share of the best one's gain that another has to reach.</summary>
    private const int MostStarts = 2;
    private const double LeastOfBestStart = 0.75;

    /// <summary>A room is full where less than this part of it is left.</summary>
    private const int FullRoom = 16;

    /// <summary>A loss is not worth an instruction up to this part of the gain.</summary>
    private const int LeastShareOfGain = 2000;

    /// <summary>Layers from which on a window that occurs once is not searched.</summary>
    private const int DeepStack = 12;

    /// <summary>Single parts are moved by halves of their largest steps at first, and by sixteenths in the end.</summary>
    private const int Coarsest = 2, Finest = 16;

    private readonly PrefetchProblem _problem;
    private readonly PrefetchRoom _room;
    private readonly CancellationToken _cancellationToken;
    private readonly PrefetchTrials _trials;
    private readonly bool _deep;
    private readonly List<PrefetchPart> _parts;
    private readonly bool[] _worthless;

    /// <summary>Of each part: what its readers save at most, and what giving some of it up lost when that was last tried, 0 before, in picoseconds per byte.</summary>
    private readonly double[] _mostSaved, _loss;
    private readonly HashSet<long> _seen = [];
    private readonly List<PrefetchGroup> _frequent;
    private readonly Dictionary<PrefetchGroup, long> _bytesWhileIdle;

    /// <summary>Of each part, the bytes that it is moved by at most, before they are divided: twice what memory can bring while the longest of its hosts runs alone,
    /// or, beside a kernel, all of it: how much that hides beside its own work is not known beforehand.</summary>
    private readonly long[] _mostStep;
    private readonly int[] _moved;
    private readonly WindowFill _fill;
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
        var savings = _parts.ConvertAll(p => ReaderSaving.Of(p.Reader, p.Tensor, p.Bytes, laws, space.Context));
        _worthless = savings.Select(s => s.Bytes == 0).ToArray();
        _mostSaved = savings.Select((s, part) => s.PicosecondsPerByte * _problem.Groups.Where(g => g.Parts.Contains(part)).Sum(g => g.Times)).ToArray();
        _loss = new double[_parts.Count];
        _bytesWhileIdle = _problem.Groups.ToDictionary(g => g, g => g.BytesWhileIdle(laws, space.Context));
        _mostStep = _parts.Select((p, part) => p.Reach == PrefetchReach.Beside ? p.Bytes : Math.Min(p.Bytes, 2 * _problem.Groups.Where(g => g.Parts.Contains(part)).Max(g => _bytesWhileIdle[g]))).ToArray();
        // What occurs once in a deep stack changes little: it keeps what it was filled with.
        _frequent = _problem.Groups.Where(g => g.Times > 1 || !_deep).OrderByDescending(g => g.Host.IsCollective).ToList();
        _moved = _frequent.SelectMany(g => g.Parts).Distinct().Where(p => !_worthless[p]).ToArray();
        _fill = new WindowFill(_problem, _room, _frequent, part => !_worthless[part] && IsSearched(part));
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

        Begin(Best(Starts().ConvertAll(Climbed)));
        SearchBudgets(underCollectives: true);
        SearchBudgets(underCollectives: false);
        SearchParts(2 * Coarsest, Finest);
        _found.Add(Choice());
        TryRival();
        Simplify();
        return _bestPicoseconds < BasePicoseconds ? Choice() : null;
    }

    /// <summary>The best of what it came to from each of its starts and in the end, and that was not named yet: where a plan of what was found takes longer than
    /// its trial, as the order of its prefetches can make it, another one may not.</summary>
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

    private PrefetchChoice Choice() => new(this, (long[])_best.Clone(), _bestPicoseconds);

    /// <summary>Where the search climbs from: ways of filling windows between which no row of single moves leads. Whole windows come first: what collectives
    /// hide is most of the gain, and is settled by large steps.</summary>
    private List<Point> Starts()
    {
        var starts = new List<Point> { Start(FillApart), Start(FillRound) };
        // A room that is full may be worth more to weights alone, or to caches alone.
        if (_moved.Any(IsCache) && !_moved.All(IsCache) && IsFull(Best(starts).Units))
        {
            foreach (var caches in (bool[])[false, true])
            {
                _only = caches;
                starts.Add(Start(FillApart));
            }
            _only = null;
        }
        var least = LeastOfBestStart * (BasePicoseconds - Best(starts).Picoseconds);
        return starts.Where(s => BasePicoseconds - s.Picoseconds >= least).OrderBy(s => s.Picoseconds).Take(MostStarts).ToList();
    }

    private Point Start(Action fill)
    {
        Begin(new Point(new long[_parts.Count], BasePicoseconds, long.MaxValue));
        fill();
        SearchBudgets(underCollectives: true);
        return Here();
    }

    /// <summary>Moves single parts from a start.</summary>
    private Point Climbed(Point start)
    {
        Begin(start);
        SearchParts(Coarsest, Coarsest);
        _found.Add(Choice());
        return Here();
    }

    private Point Here() => new((long[])_best.Clone(), _bestPicoseconds, _repeatsEnd);

    private void Begin(Point from)
    {
        (_best, _bestPicoseconds, _repeatsEnd) = ((long[])from.Units.Clone(), from.Picoseconds, from.RepeatsEnd);
        _end.Begin(_bestPicoseconds);
    }

    private static Point Best(IEnumerable<Point> points) => points.OrderBy(p => p.Picoseconds).First();

    private bool IsFull(long[] units) => _moved.Any(p => _room.Left(p, units) < _room.Bytes / FullRoom);

    /// <summary>Fills each window by itself.</summary>
    private void FillApart()
    {
        foreach (var share in (double[])[1, 0.5, 1.5, 4])
            TryFill(share, beside: false);
        foreach (var share in (double[])[0.25, 0.5, 1, 2, 4])
            TryFill(share, beside: true);

        void TryFill(double share, bool beside)
        {
            _fill.Apart(_next, g => Share(share, g), beside);
            Try();
        }
    }

    /// <summary>Fills the windows of collectives one after the other, where what one has no time for the one before brings.</summary>
    private void FillRound()
    {
        foreach (var share in (double[])[1, 1.5, 2, 3])
        {
            Array.Clear(_next, 0, _next.Length);
            _fill.Round(_next, g => Share(share, g));
            Try();
        }
    }

    /// <summary>A share of what memory can bring while a window's host runs alone.</summary>
    private long Share(double share, PrefetchGroup group) => (long)(share * _bytesWhileIdle[group]);

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

    /// <summary>Gives a window so many bytes: the windows of other collectives keep theirs, of what it leaves them, or all others keep what they bring.</summary>
    private bool TryBudget(PrefetchGroup group, long bytes)
    {
        if (bytes < 0)
            return false;
        Array.Copy(_best, _next, _best.Length);
        if (group.Host.IsCollective)
        {
            _fill.Round(_next, g => g == group ? bytes : BytesOf(g));
            if (Try())
                return true;
            Array.Copy(_best, _next, _best.Length);
        }
        foreach (var part in group.Parts)
            _next[part] = 0;
        _fill.Add(_next, group.Parts, bytes);
        return Try();
    }

    private bool IsCache(int part) => _parts[part].Reader.Operation is AttentionOperation;

    /// <summary>Whether a part is not left out because caches, or weights, are searched alone.</summary>
    private bool IsSearched(int part) => _only is not { } caches || IsCache(part) == caches;

    /// <summary>Moves single parts, and bytes from one part to another that it competes with, by ever smaller steps.</summary>
    /// <param name="coarsest">What part of the largest step the first one is.</param>
    /// <param name="finest">What part of it the last one is.</param>
    private void SearchParts(int coarsest, int finest)
    {
        for (var divisor = coarsest; divisor <= finest && !_end.IsReached; divisor *= 2)
        {
            for (var improved = true; improved && !_end.IsReached;)
            {
                improved = false;
                foreach (var part in _moved)
                {
                    var step = Math.Max(_mostStep[part] / divisor, 1);
                    improved |= TryMore(part, step) || TryLess(part, step);
                    foreach (var other in Rivals(part, step))
                        improved |= TryExchange(part, step, other);
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
    /// bytes left, where what they lost by giving some up is less than its reader can save.</summary>
    private IEnumerable<int> Rivals(int part, long bytes)
    {
        for (var other = 0; other < _parts.Count; other++)
        {
            if (other == part || _best[other] == 0)
                continue;
            if (_parts[part].Tensor == _parts[other].Tensor || (_room.Left(part, _best) < bytes && _room.AreTogether(part, other) && _loss[other] < _mostSaved[part]))
                yield return other;
        }
    }

    private bool TryMore(int part, long bytes)
    {
        Array.Copy(_best, _next, _best.Length);
        Lengthen(part, bytes);
        return Try();
    }

    /// <summary>Takes bytes from a part, and notes what that loses: so it is timed to its end.</summary>
    private bool TryLess(int part, long bytes)
    {
        Array.Copy(_best, _next, _best.Length);
        Shorten(part, bytes);
        var less = (_best[part] - _next[part]) * _parts[part].UnitBytes;
        if (less == 0 || _end.IsReached || !_seen.Add(HashOf(_next)))
            return false;
        _end.Count();
        var time = _trials.Time(_next, _cancellationToken);
        _loss[part] = (double)(time - _bestPicoseconds) / less;
        return TakeIfBetter(time);
    }

    /// <summary>Gives a part bytes that another gives up.</summary>
    private bool TryExchange(int part, long bytes, int from)
    {
        Array.Copy(_best, _next, _best.Length);
        Shorten(from, bytes);
        Lengthen(part, bytes);
        return Try();
    }

    private void Lengthen(int part, long bytes)
    {
        var units = _next[part] + (bytes / _parts[part].UnitBytes);
        _next[part] = 0;
        _next[part] = _parts[part].Align(Math.Min(units, _room.Most(part, _next)));
    }

    private void Shorten(int part, long bytes) =>
        _next[part] = _parts[part].Align(Math.Max(0, _next[part] - (bytes / _parts[part].UnitBytes)));

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
                    _fill.Add(_next, group.Parts, BytesOf(group));
            }
            improved |= Try();
        }
        return improved;
    }

    private bool Try()
    {
        if (_end.IsReached || !_seen.Add(HashOf(_next)) || !_room.Fits(_next))
            return false;
        return Time(_next, 0) is { } time && TakeIfBetter(time);
    }

    private bool TakeIfBetter(long time)
    {
        if (time >= _bestPicoseconds)
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

    /// <summary>Where a search stands.</summary>
    /// <param name="Units">Length of each part.</param>
    /// <param name="Picoseconds">The step with it.</param>
    /// <param name="RepeatsEnd">When its repeats end after an empty L2; <see cref="long.MaxValue"/> where trials are not given up.</param>
    private sealed record Point(long[] Units, long Picoseconds, long RepeatsEnd);
}
