namespace Preserve;

/// <summary>Work that drains through resources of a device.</summary>
internal struct Flow
{
    /// <summary>Which flow it is; flows are kept by rising number.</summary>
    public int Id;

    /// <summary>The resources that it draws on, all at the same rate.</summary>
    public Resources Draws;

    /// <summary>Most that it can draw; finite, above 0.</summary>
    public double Cap;

    /// <summary>What it draws where it shares no resource.</summary>
    public double AloneRate;

    /// <summary>Most that it can draw beside others, with what they do not draw on: set only while shares are worked out.</summary>
    public double SharedCap;

    /// <summary>What it draws now.</summary>
    public double Rate;

    /// <summary>What is left of it.</summary>
    public double Remaining;

    /// <summary>Picoseconds in which the rest drains at the present rate, not rounded.</summary>
    public double DrainsIn;
}
