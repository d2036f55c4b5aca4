using System.Collections.Generic;
using System.Linq;

namespace Preserve;

/// <summary>A list of layers, one for each place of the stack, as runs of repeated patterns.</summary>
internal static class LayerSequence
{
    /// <summary>The repeats of the shortest pattern that the whole list follows, with what is left of it after the last whole
    /// repeat; where the list follows none, its runs of equal layers.</summary>
    public static IEnumerable<LayerGroup> Groups(IReadOnlyList<LayerSpec> layers)
    {
        var period = PeriodOf(layers);
        var repeats = layers.Count / period;
        if (repeats < 2)
            return Runs(layers, 0);
        var pattern = new LayerGroup(layers.Take(period).ToArray(), repeats);
        return [pattern, .. Runs(layers, period * repeats)];
    }

    private static IEnumerable<LayerGroup> Runs(IReadOnlyList<LayerSpec> layers, int from)
    {
        for (var start = from; start < layers.Count;)
        {
            var end = start + 1;
            while (end < layers.Count && layers[end] == layers[start])
                end++;
            yield return new LayerGroup(new[] { layers[start] }, end - start);
            start = end;
        }
    }

    /// <summary>The least distance at which each layer repeats an earlier one, by the failure function of Knuth, Morris and Pratt
    /// (1977): linear in the list, which may be long.</summary>
    private static int PeriodOf(IReadOnlyList<LayerSpec> layers)
    {
        var border = new int[layers.Count];
        for (var i = 1; i < layers.Count; i++)
        {
            var length = border[i - 1];
            while (length > 0 && layers[i] != layers[length])
                length = border[length - 1];
            border[i] = layers[i] == layers[length] ? length + 1 : 0;
        }
        return layers.Count - border[^1];
    }
}
