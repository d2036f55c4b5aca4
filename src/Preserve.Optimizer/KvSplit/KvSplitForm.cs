namespace Preserve.Optimizer;

/// <summary>Which time a split makes least.</summary>
public enum KvSplitForm
{
    /// <summary>The published one: X / v_c + max(recompute / v_g, KV / v_c), of multi-head attention on one rank, without fixed
    /// costs, weights or tiles (KVPR, arXiv 2411.17089, section 3.2).</summary>
    Published,

    /// <summary>One layer at a time: X first, then the recomputation beside the rest of the transfers.</summary>
    Sequential,

    /// <summary>The steady state where the next layer's transfers run beside this one's work: the longer of all transfers and all work.</summary>
    Pipelined,
}
