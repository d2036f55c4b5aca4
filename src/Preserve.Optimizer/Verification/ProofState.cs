using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;

namespace Preserve.Optimizer;

/// <summary>The state of a proof, relative to a layer: what of it the tensors of a repeat's body touch moves on with the layers,
/// the rest stays.</summary>
internal static class ProofState
{
    public static string Describe(
        List<MemoryAccess> accesses, HashSet<(string Tensor, int Layer)> settled, List<Outstanding> outstanding,
        HashSet<string> signalled, Dictionary<(string Tensor, int Layer), CachedEntries> copies, HashSet<string> moving, int layer)
    {
        var text = new StringBuilder();
        foreach (var access in accesses)
        {
            Append(access.Tensor, access.Layer).Append(access.Begin).Append(',').Append(access.End).Append(access.IsWrite ? 'w' : 'r')
                .Append(access.KnownTo.ToString(CultureInfo.InvariantCulture));
            foreach (var racing in access.Racing)
                Append(racing.Tensor, racing.Layer).Append('!');
        }
        text.Append('|');
        foreach (var (tensor, at) in settled.OrderBy(s => s.Tensor, StringComparer.Ordinal).ThenBy(s => s.Layer))
            Append(tensor, at);
        text.Append('|');
        foreach (var bytes in outstanding)
            Append(bytes.Tensor, bytes.Layer).Append(bytes.Begin).Append(',').Append(bytes.End).Append(bytes.IsRead ? 'r' : 'u').Append(bytes.KnownTo.ToString(CultureInfo.InvariantCulture));
        text.Append('|').Append(string.Join(",", signalled.OrderBy(s => s, StringComparer.Ordinal))).Append('|');
        foreach (var copy in copies.OrderBy(c => c.Key.Tensor, StringComparer.Ordinal).ThenBy(c => c.Key.Layer))
        {
            Append(copy.Key.Tensor, copy.Key.Layer);
            Append(copy.Value.Tensor, copy.Value.Layer).Append(copy.Value.Begin).Append(',').Append(copy.Value.End);
        }
        return text.ToString();

        StringBuilder Append(string tensor, int at) =>
            text.Append(' ').Append(tensor).Append('@').Append((moving.Contains(tensor) ? at - layer : at).ToString(CultureInfo.InvariantCulture)).Append(':');
    }

    /// <summary>Moves what the body touches on by some layers.</summary>
    public static void Shift(
        List<MemoryAccess> accesses, HashSet<(string Tensor, int Layer)> settled, List<Outstanding> outstanding,
        Dictionary<(string Tensor, int Layer), CachedEntries> copies, HashSet<string> moving, int layers)
    {
        var shifted = copies.Select(c => (Key: (c.Key.Tensor, Moved(c.Key.Tensor, c.Key.Layer)), Value: c.Value with { Layer = Moved(c.Value.Tensor, c.Value.Layer) })).ToList();
        copies.Clear();
        foreach (var (key, value) in shifted)
            copies.Add(key, value);

        foreach (var access in accesses.SelectMany(a => a.Racing.Append(a)).Distinct().Where(a => moving.Contains(a.Tensor)))
            access.Layer += layers;
        foreach (var bytes in outstanding.Where(o => moving.Contains(o.Tensor)))
            bytes.Layer += layers;
        var moved = settled.Where(s => moving.Contains(s.Tensor)).ToList();
        settled.ExceptWith(moved);
        settled.UnionWith(moved.Select(s => (s.Tensor, s.Layer + layers)));

        int Moved(string tensor, int layer) => moving.Contains(tensor) ? layer + layers : layer;
    }
}
