using System;

namespace Preserve.Optimizer;

/// <summary>A choice that a search made.</summary>
/// <param name="Search">The search.</param>
/// <param name="Units">Length of each part of its problem.</param>
/// <param name="Picoseconds">The step with it, by its trial.</param>
internal sealed record PrefetchChoice(PrefetchSearch Search, long[] Units, long Picoseconds)
{
    /// <summary>What was chosen from.</summary>
    public SearchSpace Space => Search.Space;

    /// <summary>What could be chosen.</summary>
    public PrefetchProblem Problem => Space.Problem;

    /// <summary>Where it cuts tensors.</summary>
    public PrefetchCuts Cuts => PrefetchCuts.Between(Problem.Parts, Units);

    /// <summary>Bytes of the room that it leaves for a part.</summary>
    public long RoomLeft(int part) => Search.Room.Left(part, Units);

    /// <summary>The choice with a part that is longer by at most so many bytes, and at least a tile: no longer than its tensor.</summary>
    /// <param name="part">The part.</param>
    /// <param name="bytes">How much longer.</param>
    /// <param name="withinRoom">Whether the room limits it, or only the tensor.</param>
    /// <returns>The lengths, or null where it cannot be longer by a tile.</returns>
    public long[]? Lengthened(int part, long bytes, bool withinRoom)
    {
        var whole = Problem.Parts[part];
        var rest = Problem.UnitsLeft(part, Units);
        var units = Math.Min(Units[part] + Math.Max(bytes / whole.UnitBytes, whole.Tile), withinRoom ? Search.Room.Most(part, Units) : rest);
        var longer = (long[])Units.Clone();
        longer[part] = units == rest ? rest : whole.Align(units);
        return longer[part] > Units[part] ? longer : null;
    }
}
