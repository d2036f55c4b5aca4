using System;
using System.Collections.Generic;

namespace Preserve;

/// <summary>Tables of measured collectives. A suffix of the library's name says how it was launched.</summary>
internal static class CollectiveTable
{
    public const string AllReduce = "all_reduce", AllGather = "all_gather", ReduceScatter = "reduce_scatter";

    private const string Eager = "_eager", Graph = "_graph";

    private static readonly string[] s_header = ["system", "library", "version", "op", "gpus", "bytes", "us"];

    /// <summary>The collective of an operation; null where no cost law is of it.</summary>
    public static CollectiveKind? KindOf(string operation) => operation switch
    {
        AllReduce => CollectiveKind.AllReduce,
        AllGather => CollectiveKind.AllGather,
        ReduceScatter => CollectiveKind.ReduceScatter,
        _ => null,
    };

    public static List<CollectiveRow> Read(TableReader table)
    {
        var rows = new List<CollectiveRow>();
        foreach (var row in table.Rows(s_header))
        {
            var library = row.Text("library");
            var launch = library.EndsWith(Eager, StringComparison.Ordinal) ? LaunchMode.Eager : LaunchMode.Graph;
            var suffix = launch == LaunchMode.Eager ? Eager : Graph;
            if (library.EndsWith(suffix, StringComparison.Ordinal))
                library = library[..^suffix.Length];
            var operation = row.Name("op", (AllReduce, AllReduce), (AllGather, AllGather), (ReduceScatter, ReduceScatter), ("alltoall", "alltoall"));
            var read = new CollectiveRow(
                row.Line, row.Text("system"), library, launch, operation, row.Count("gpus", 1 << 16), row.Bytes("bytes"), row.Microseconds("us"));
            if (row.Sound && read.Ranks < 2)
                row.Refuse("gpus", "a collective has 2 ranks or more");
            if (row.Sound)
                rows.Add(read);
        }
        return rows;
    }
}
