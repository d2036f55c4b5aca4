namespace Preserve;

/// <summary>What the L2 held at the borders between steps, to find the one that comes again.</summary>
internal sealed class L2Border
{
    private readonly RecurrentStates _states = new();

    public void Clear() => _states.Clear();

    /// <summary>Whether the L2 held just this before, and in this order of use.</summary>
    public bool IsSeen(L2Contents l2, PlanAtContext sizes)
    {
        _states.Reserve(l2.StateLength);
        var end = l2.WriteState(0, sizes.LayerSlots, _states.Words, _states.Begin);
        return _states.Find(end, 0, default) >= 0;
    }
}
