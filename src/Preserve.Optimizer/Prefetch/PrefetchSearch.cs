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

    /// <summary>A loss is not worth an instruction up to this part of the gain.</summary>
    private const int LeastShareOfGain = 2000;

    /// <summary>Single parts are moved by halves of their largest steps at first, and by sixteenths in the end.</summary>
    private const int Coarsest = 2, Finest = 16;

    private readonly SearchedParts _parts;
    private readonly Incumbent _incumbent;
    private readonly WindowFill _fill;
    private readonly int _mostTrials;
    private readonly CancellationToken _cancellationToken;

    /// <summary>What the search came to from each of its starts and in the end, and what it named of that.</summary>
    private readonly List<SearchPoint> _found = [], _named = [];

    /// <summary>A search; the step without any prefetch is timed.</summary>
    /// <param name="space">What can be chosen, and the plan that choices are timed in.</param>
    /// <param name="laws">The cost laws of the device.</param>
    /// <param name="mostTrials">Most plans that are timed, before the choice is simplified.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public PrefetchSearch(SearchSpace space, ICostLaws laws, int mostTrials, CancellationToken cancellationToken)
    {
        Space = space;
        Room = new PrefetchRoom(space.Problem, laws.Device.PrefetchRoomBytes);
        _parts = new SearchedParts(space, laws);
        _incumbent = new Incumbent(_parts, Room, space.TrialsWith(laws), mostTrials, cancellationToken);
        _fill = new WindowFill(_parts, Room, _ => true);
        (_mostTrials, _cancellationToken) = (mostTrials, cancellationToken);
    }

    /// <summary>What can be chosen, and the plan that choices are timed in.</summary>
    public SearchSpace Space { get; }

    /// <summary>How much of the L2 a choice may hold.</summary>
    public PrefetchRoom Room { get; }

    /// <summary>A choice that is taken where it is better than what the search finds; one that does not fit is left out.</summary>
    public long[]? Rival { get; init; }

    /// <summary>Plans that were timed.</summary>
    public int Trials => _incumbent.Trials;

    /// <summary>The step without any prefetch, in picoseconds.</summary>
    public long BasePicoseconds => _incumbent.BasePicoseconds;

    /// <summary>No prefetch at all.</summary>
    public PrefetchChoice Nothing => ChoiceOf(_incumbent.Nothing);

    /// <summary>Whether a part's reader gains nothing from the L2.</summary>
    public bool IsWorthless(int part) => _parts.IsWorthless(part);

    /// <summary>Whether a part is moved by itself: it gains from the L2, and its window does not occur once in a deep stack.</summary>
    public bool IsMoved(int part) => _parts.Moved.Contains(part);

    /// <summary>The same search on another machine.</summary>
    public PrefetchSearch With(ICostLaws laws) => new(Space, laws, _mostTrials, _cancellationToken);

    /// <summary>Searches.</summary>
    /// <returns>The best choice, or null where nothing is better than no prefetch at all.</returns>
    public PrefetchChoice? Run()
    {
        if (_parts.AllWorthless)
            return null;
        var windows = new WindowSearch(_parts, _incumbent, _fill);
        var starts = windows.Starts(toCome: WindowSearch.MostStarts + 1);
        var parts = new PartSearch(_parts, _incumbent, _fill);
        for (var i = 0; i < starts.Count; i++)
        {
            _incumbent.Begin(starts[i], toCome: starts.Count - i + 1);
            parts.Run(Coarsest, Coarsest, shifts: true);
            Find(_incumbent.Here);
        }
        // What gains next to nothing so far is not worth small steps.
        if (_incumbent.IsWorthTheName(BestFound()))
        {
            _incumbent.Begin(BestFound(), toCome: 1);
            windows.SearchBytes(underCollectives: false);
            parts.Run(2 * Coarsest, Finest, shifts: false);
            _incumbent.Begin(_incumbent.Here, toCome: 1);
            parts.LengthenOnce();
            Find(_incumbent.Here);
        }
        TryRival();
        return Next(BasePicoseconds - 1);
    }

    /// <summary>The best of what the search came to, from each of its starts and in the end, and that was not named yet: where a plan of what was found takes
    /// longer than its trial, as the order of its prefetches can make it, another one may not.</summary>
    /// <param name="mostPicoseconds">How long the step may take by its trial.</param>
    /// <returns>The choice, or null where none is left that is so short.</returns>
    public PrefetchChoice? Next(long mostPicoseconds)
    {
        while (_found.Count > 0 && BestFound() is var best && best.Picoseconds <= mostPicoseconds)
        {
            _found.Remove(best);
            _incumbent.Begin(best, toCome: 1);
            Simplify();
            // Two may become one.
            var simple = _incumbent.Here;
            if (!Contains(_named, simple))
            {
                _named.Add(simple);
                return ChoiceOf(simple);
            }
        }
        return null;
    }

    private PrefetchChoice ChoiceOf(SearchPoint point) => new(this, point.Units, point.Picoseconds);

    private SearchPoint BestFound() => _found.OrderBy(p => p.Picoseconds).First();

    private void Find(SearchPoint point)
    {
        if (!Contains(_found, point))
            _found.Add(point);
    }

    private static bool Contains(List<SearchPoint> points, SearchPoint point) => points.Exists(p => p.Units.SequenceEqual(point.Units));

    private void TryRival()
    {
        if (Rival is null)
            return;
        for (var part = 0; part < Rival.Length; part++)
            _incumbent.Next[part] = _parts.IsWorthless(part) ? 0 : Rival[part];
        if (Room.Fits(_incumbent.Next))
            _incumbent.TryAtLast(loss: 0);
        Find(_incumbent.Here);
    }

    /// <summary>Drops parts that the step is no shorter for than by a share of the gain that nobody would miss: each is an instruction that
    /// someone reads.</summary>
    private void Simplify()
    {
        for (var part = 0; part < _incumbent.Units.Length; part++)
        {
            if (_incumbent.Units[part] == 0)
                continue;
            _incumbent.Draw()[part] = 0;
            _incumbent.TryAtLast(loss: ((BasePicoseconds - _incumbent.Picoseconds) / LeastShareOfGain) + 1);
        }
    }
}
