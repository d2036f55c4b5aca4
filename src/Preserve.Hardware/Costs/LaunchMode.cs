namespace Preserve;

/// <summary>How kernels are launched.</summary>
public enum LaunchMode
{
    /// <summary>As nodes of a captured graph: the host is not asked between them.</summary>
    Graph,

    /// <summary>One call of the host each.</summary>
    Eager,
}
