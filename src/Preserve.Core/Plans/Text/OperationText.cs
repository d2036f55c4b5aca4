using System;
using System.Globalization;
using System.Linq;

namespace Preserve;

/// <summary>Operations as text: <c>matmul 4 x 8192 by 8192 x 1280, int8 by int8</c>.</summary>
internal static class OperationText
{
    private const string PrefetchWord = "prefetch";
    private const string JoinWord = "wait";
    private const string OfWord = " of ";
    private const string AddWord = ", add";
    private const string SoftCapWord = ", soft-cap";
    private const string CacheWord = " cache";
    private const string NormWord = ", norm";
    private const string RotaryWord = ", rotary";

    public static string Write(Operation operation) => operation switch
    {
        EmbedOperation o => $"embed {o.Rows} x {o.Width}",
        MatMulOperation o => $"matmul {o.Rows} x {o.Depth} by {o.Depth} x {o.Columns}, {Names.Precisions[o.Activations]} by {Names.Precisions[o.Weights]}",
        AttentionOperation o => $"attention {o.Sequences} x {o.NewTokens} tokens, {o.Heads} query and {o.KeyValueHeads} KV heads of {o.HeadSize}, {o.Pairs} pairs{WriteCache(o.KeyValues)}{(o.SoftCap ? SoftCapWord : "")}",
        RecomputeOperation o => $"recompute {o.Sequences} x {o.Tokens} tokens by {o.Depth} x {o.Columns}, {o.KeyValueHeads} KV heads of {o.HeadSize}, {Names.Precisions[o.Activations]} by {Names.Precisions[o.Weights]}{(o.Normalises ? NormWord : "")}{(o.Rotates ? RotaryWord : "")}",
        NormOperation o => $"{Names.Norms[o.Norm]} norm {o.Rows} x {o.Width}",
        ElementwiseOperation o => $"{Names.Functions[o.Function]} {o.Rows} x {o.Width}",
        CollectiveOperation o => $"{Names.Collectives[o.Kind]} {o.Bytes} bytes over {o.Ranks}{WriteFused(o)}",
        PrefetchOperation => PrefetchWord,
        JoinOperation => JoinWord,
        _ => throw new ArgumentOutOfRangeException(nameof(operation), operation, "an operation without a text"),
    };

    private static string WriteCache(Precision keyValues) => keyValues == Precision.Bf16 ? "" : $", {Names.Precisions[keyValues]}{CacheWord}";

    private static string WriteFused(CollectiveOperation operation) => operation switch
    {
        { MatMul: { } matMul } => OfWord + Write(matMul),
        { Norm: { } norm } => $"{(norm.Adds ? AddWord : "")}, {Names.Norms[norm.Norm]} norm {norm.Rows} x {norm.Width}",
        _ => "",
    };

    public static Operation Parse(string text)
    {
        if (text == PrefetchWord)
            return new PrefetchOperation();
        if (text == JoinWord)
            return new JoinOperation();
        try
        {
            return ParseShaped(text);
        }
        catch (Exception e) when (e is IndexOutOfRangeException or FormatException or OverflowException)
        {
            throw new FormatException($"'{text}' is not an operation such as 'matmul 4 x 8192 by 8192 x 1280, int8 by int8'", e);
        }
    }

    private static Operation ParseShaped(string text)
    {
        var words = text.Split(' ');
        switch (words[0])
        {
            case "embed":
                Expect(words.Length == 4);
                return new EmbedOperation(Int(words[1]), Int(words[3]));
            case "matmul":
                Expect(words.Length == 11 && words[4] == "by" && words[9] == "by" && words[3] == words[5] && words[7].EndsWith(",", StringComparison.Ordinal));
                return new MatMulOperation(
                    Int(words[1]), Int(words[7].Substring(0, words[7].Length - 1)), Int(words[3]), Names.Precisions.Parse(words[10]), Names.Precisions.Parse(words[8]));
            case "attention":
                return ParseAttention(text);
            case "recompute":
                return ParseRecompute(text);
        }
        if (words.Length == 5 && words[1] == "norm")
            return new NormOperation(Names.Norms.Parse(words[0]), Int(words[2]), Int(words[4]));
        if (words.Length >= 5 && words[2] == "bytes" && words[3] == "over")
            return ParseCollective(text);
        Expect(words.Length == 4);
        return new ElementwiseOperation(Names.Functions.Parse(words[0]), Int(words[1]), Int(words[3]));
    }

    private static CollectiveOperation ParseCollective(string text)
    {
        // all-reduce 65536 bytes over 8 of matmul 4 x 1024 by 1024 x 8192, int8 by int8
        // all-reduce 65536 bytes over 8, add, rms norm 4 x 8192
        var of = text.IndexOf(OfWord, StringComparison.Ordinal);
        var comma = text.IndexOf(", ", StringComparison.Ordinal);
        var end = of >= 0 ? of : comma >= 0 ? comma : text.Length;
        var words = text.Substring(0, end).Split(' ');
        Expect(words.Length == 5);
        var exchange = new CollectiveOperation(Names.Collectives.Parse(words[0]), long.Parse(words[1], NumberStyles.None, CultureInfo.InvariantCulture), Int(words[4]));
        if (of >= 0)
            return ParseShaped(text.Substring(of + OfWord.Length)) is MatMulOperation matMul ? exchange with { MatMul = matMul } : throw new FormatException();
        if (comma < 0)
            return exchange;
        var adds = text.IndexOf(AddWord + ", ", comma, StringComparison.Ordinal) == comma;
        var norm = ParseShaped(text.Substring(comma + 2 + (adds ? AddWord.Length : 0))) as NormOperation ?? throw new FormatException();
        return exchange with { Norm = new FusedNorm(norm.Norm, norm.Rows, norm.Width, adds) };
    }

    private static RecomputeOperation ParseRecompute(string text)
    {
        // recompute 4 x 256 tokens by 8192 x 2048, 8 KV heads of 128, bf16 by bf16, norm, rotary
        var rotates = text.EndsWith(RotaryWord, StringComparison.Ordinal);
        var rest = rotates ? text.Substring(0, text.Length - RotaryWord.Length) : text;
        var normalises = rest.EndsWith(NormWord, StringComparison.Ordinal);
        rest = normalises ? rest.Substring(0, rest.Length - NormWord.Length) : rest;
        const string tokensWord = " tokens by ";
        var parts = rest.Split([", "], StringSplitOptions.None);
        Expect(parts.Length == 3);
        var shape = parts[0].Substring("recompute ".Length).Split([tokensWord], StringSplitOptions.None);
        Expect(shape.Length == 2);
        var rows = shape[0].Split([" x "], StringSplitOptions.None);
        var weight = shape[1].Split([" x "], StringSplitOptions.None);
        var heads = parts[1].Split(' ');
        var formats = parts[2].Split(' ');
        Expect(rows.Length == 2 && weight.Length == 2 && heads.Length == 5 && formats.Length == 3);
        var operation = new RecomputeOperation(
            Int(rows[0]), Amount.Parse(rows[1]), Int(heads[0]), Int(heads[4]), Int(weight[0]), Names.Precisions.Parse(formats[2]), Names.Precisions.Parse(formats[0]),
            rotates, normalises);
        Expect(operation.Columns == Int(weight[1]));
        return operation;
    }

    private static AttentionOperation ParseAttention(string text)
    {
        // attention 4 x 1 tokens, 8 query and 1 KV heads of 128, 4c+4 pairs, fp8 cache, soft-cap
        var capped = text.EndsWith(SoftCapWord, StringComparison.Ordinal);
        var parts = (capped ? text.Substring(0, text.Length - SoftCapWord.Length) : text).Split([", "], StringSplitOptions.None);
        Expect(parts.Length == 3 || (parts.Length == 4 && parts[3].EndsWith(CacheWord, StringComparison.Ordinal)));
        var keyValues = parts.Length == 3 ? Precision.Bf16 : Names.Precisions.Parse(parts[3].Substring(0, parts[3].Length - CacheWord.Length));
        var tokens = parts[0].Split(' ');
        var heads = parts[1].Split(' ');
        const string pairsWord = " pairs";
        Expect(tokens.Length == 5 && heads.Length == 8 && parts[2].EndsWith(pairsWord, StringComparison.Ordinal));
        return new AttentionOperation(
            Int(tokens[1]), Int(tokens[3]), Int(heads[0]), Int(heads[3]), Int(heads[7]),
            Amount.Parse(parts[2].Substring(0, parts[2].Length - pairsWord.Length)), capped, keyValues);
    }

    private static int Int(string word) => int.Parse(word, NumberStyles.None, CultureInfo.InvariantCulture);

    private static void Expect(bool condition)
    {
        if (!condition)
            throw new FormatException();
    }
}
