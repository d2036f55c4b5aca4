namespace Preserve.Exploration;

/// <summary>What a batch of requests takes from the first token of the prompts to the last one that is made.</summary>
/// <param name="PrefillPicoseconds">All prefills.</param>
/// <param name="DecodePicoseconds">All decode steps.</param>
public sealed record RequestTime(double PrefillPicoseconds, double DecodePicoseconds)
{
    /// <summary>Both.</summary>
    public double Picoseconds => PrefillPicoseconds + DecodePicoseconds;
}
