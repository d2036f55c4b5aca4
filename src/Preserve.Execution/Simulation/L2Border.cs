namespace Preserve;

/// <summary>What the L2 held at the borders between steps, to find the one that comes again.</summary>
internal sealed class L2Border
{
    private readonly RecurrentStates _states = new();

    public void Clear() => _states.Clear();

    /// <summary>Whether the L2 held just this before, and in this order of use.</summary>
    public bool IsSeen(L2Residency l2)
    {
        _states.Reserve(2 * l2.Count);
        var at = _states.Begin;
        for (var slot = l2.Newest; slot >= 0; slot = l2.Older(slot))
        {
            _states.Words[at++] = slot;
            _states.Words[at++] = l2.Resident(slot);
        }
        return _states.Find(at, 0, default, out _, out _);
    }
}
