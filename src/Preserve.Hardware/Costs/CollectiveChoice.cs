using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve;

/// <summary>Constants of a library's collective, and those of the library that takes its larger messages.</summary>
internal readonly record struct CollectiveChoice(CollectiveCalibration? Constants, CollectiveCalibration? Fallback)
{
    /// <summary>All choices for a kind of collective.</summary>
    /// <param name="all">The constants of a device.</param>
    /// <param name="kind">The kind.</param>
    /// <param name="library">The library, where it has constants for the kind and the ranks; null for any.</param>
    public static CollectiveChoice[] Of(IReadOnlyList<CollectiveCalibration> all, CollectiveKind kind, string? library)
    {
        var choices = new List<CollectiveChoice>();
        foreach (var constants in all)
        {
            if (constants.Kind == kind && (library is null || constants.Library == library || !all.Any(c => c.Library == library && c.Kind == kind && c.Ranks == constants.Ranks)))
                choices.Add(new CollectiveChoice(constants, FallbackOf(constants, all)));
        }
        return choices.ToArray();
    }

    public static CollectiveCalibration? FallbackOf(CollectiveCalibration constants, IReadOnlyList<CollectiveCalibration> all)
    {
        foreach (var other in all)
        {
            if (other.Library == constants.Fallback && other.Kind == constants.Kind && other.Ranks == constants.Ranks)
                return other;
        }
        return null;
    }
}
