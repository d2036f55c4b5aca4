using System.Numerics.Tensors;

namespace Preserve.Cpu;

/// <summary>Scaled dot-product attention (arXiv 1706.03762) of new tokens to all before them, with shared KV heads (arXiv 2305.13245).</summary>
/// <remarks>Scores, their exponentials and the weighted values are taken in the order of the tokens, wherever they lie: the sums are those of a
/// cache in one piece.</remarks>
internal static class Attention
{
    /// <summary>Attends.</summary>
    /// <param name="shape">The shape, of one rank.</param>
    /// <param name="queries">Rows of the new tokens, queries first; more may follow in each.</param>
    /// <param name="pieces">The attended tokens in order; the last are the new ones.</param>
    /// <param name="output">Rows of the new tokens.</param>
    /// <param name="window">Attended tokens of a sliding window; 0 for all.</param>
    /// <param name="scale">What scores are multiplied by.</param>
    /// <param name="softCap">Bound of the scores, where they have one.</param>
    /// <param name="scratch">The worker's arrays.</param>
    public static void Run(AttentionOperation shape, Operand queries, ReadOnlySpan<CacheView> pieces, Operand output, int window, float scale, float softCap, Scratch scratch)
    {
        var size = shape.HeadSize;
        var group = shape.Heads / shape.KeyValueHeads;
        var stride = queries.Elements / ((long)shape.Sequences * shape.NewTokens);
        var attended = 0;
        foreach (var piece in pieces)
            attended += piece.Count;
        var cached = attended - shape.NewTokens;
        var q = scratch.Take(0, (long)group * size);
        var entry = scratch.Take(1, size);
        var scores = scratch.Take(2, (long)group * attended);
        var sums = scratch.Take(3, (long)group * size);
        for (var sequence = 0; sequence < shape.Sequences; sequence++)
        {
            for (var head = 0; head < shape.KeyValueHeads; head++)
            {
                for (var token = 0; token < shape.NewTokens; token++)
                {
                    var row = ((long)sequence * shape.NewTokens) + token;
                    queries.Load((row * stride) + ((long)head * group * size), q);
                    var end = cached + token + 1;
                    var first = window > 0 ? Math.Max(0, end - window) : 0;
                    Score(pieces, sequence, head * size, first, end, q, entry, scores, attended, scale, shape.SoftCap ? softCap : 0);
                    for (var g = 0; g < group; g++)
                        Exponentials(scores.Slice((g * attended) + first, end - first));
                    sums.Clear();
                    Weigh(pieces, sequence, (shape.KeyValueHeads + head) * size, first, end, entry, scores, attended, sums);
                    output.Store((row * shape.Heads * size) + ((long)head * group * size), sums);
                }
            }
        }
    }

    private static void Score(
        ReadOnlySpan<CacheView> pieces, int sequence, int offset, int first, int end, ReadOnlySpan<float> q, Span<float> key, Span<float> scores, int attended, float scale, float softCap)
    {
        var at = 0;
        foreach (var piece in pieces)
        {
            for (var i = Math.Max(0, first - at); i < piece.Count && at + i < end; i++)
            {
                piece.Data.Load(piece.At(sequence, i) + offset, key);
                for (var g = 0; g * key.Length < q.Length; g++)
                {
                    var score = DotProduct.Of(q.Slice(g * key.Length, key.Length), key) * scale;
                    scores[(g * attended) + at + i] = softCap > 0 ? Activations.SoftCap(score, softCap) : score;
                }
            }
            at += piece.Count;
        }
    }

    /// <summary>Each score's share of the exponentials, with the largest taken off first so that none overflows.</summary>
    private static void Exponentials(Span<float> scores)
    {
        TensorPrimitives.Subtract(scores, TensorPrimitives.Max(scores), scores);
        TensorPrimitives.Exp(scores, scores);
        float sum = 0;
        foreach (var exponential in scores)
            sum += exponential;
        TensorPrimitives.Divide(scores, sum, scores);
    }

    private static void Weigh(
        ReadOnlySpan<CacheView> pieces, int sequence, int offset, int first, int end, Span<float> value, ReadOnlySpan<float> scores, int attended, Span<float> sums)
    {
        var at = 0;
        foreach (var piece in pieces)
        {
            for (var i = Math.Max(0, first - at); i < piece.Count && at + i < end; i++)
            {
                piece.Data.Load(piece.At(sequence, i) + offset, value);
                for (var g = 0; g * value.Length < sums.Length; g++)
                {
                    var sum = sums.Slice(g * value.Length, value.Length);
                    TensorPrimitives.MultiplyAdd(value, scores[(g * attended) + at + i], sum, sum);
                }
            }
            at += piece.Count;
        }
    }
}
