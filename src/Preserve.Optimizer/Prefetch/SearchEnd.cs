using System;

namespace Preserve.Optimizer;

/// <summary>When a search ends: after so many trials, or after enough of them in a row without a gain worth the name.</summary>
/// <param name="moved">Parts that the search moves.</param>
/// <param name="mostTrials">Most trials together.</param>
internal sealed class SearchEnd(int moved, int mostTrials)
{
    /// <summary>Trials in a row, and how many more for each part: enough to move each both ways.</summary>
    private const int Patience = 48, PatiencePerPart = 4;

    /// <summary>Most trials of one search, and how many more for each part, however many kinds of layers a model has.</summary>
    private const int MostAtLeast = 32, MostPerPart = 16, MostOfOne = 256;

    /// <summary>A gain is worth the name from this part of the base step on.</summary>
    private const int LeastShare = 2000;

    private int _end;
    private int _gainedAt;
    private long _gainedFrom;

    /// <summary>Trials so far.</summary>
    public int Trials { get; private set; }

    /// <summary>Whether the search ends here.</summary>
    public bool IsReached => Trials >= _end || Trials - _gainedAt >= Patience + (PatiencePerPart * moved);

    /// <summary>Whether a gain is worth the name.</summary>
    /// <param name="gain">The gain, in picoseconds.</param>
    /// <param name="basePicoseconds">The step without any prefetch.</param>
    public static bool IsWorthTheName(long gain, long basePicoseconds) => gain > basePicoseconds / LeastShare;

    /// <summary>Begins a search.</summary>
    /// <param name="picoseconds">The step from which on gains are counted.</param>
    /// <param name="toCome">Searches that are still to come, this one among them: they share what is left of the trials.</param>
    public void Begin(long picoseconds, int toCome)
    {
        (_gainedAt, _gainedFrom) = (Trials, picoseconds);
        _end = Trials + Math.Min(Math.Min(MostAtLeast + (MostPerPart * moved), MostOfOne), Math.Max(0, mostTrials - Trials) / toCome);
    }

    /// <summary>Counts a trial.</summary>
    public void Count() => Trials++;

    /// <summary>Notes a shorter step than those before.</summary>
    /// <param name="picoseconds">The step.</param>
    /// <param name="basePicoseconds">The step without any prefetch.</param>
    public void Note(long picoseconds, long basePicoseconds)
    {
        if (IsWorthTheName(_gainedFrom - picoseconds, basePicoseconds))
            (_gainedAt, _gainedFrom) = (Trials, picoseconds);
    }
}
