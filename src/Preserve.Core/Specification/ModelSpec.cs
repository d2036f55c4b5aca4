using System;

namespace Preserve;

/// <summary>What is computed: a dense decoder-only transformer. Says nothing of where or how it runs.</summary>
/// <param name="Name">The model's name, as reports print it.</param>
/// <param name="Hidden">Width of the residual stream, in elements.</param>
/// <param name="Vocabulary">Number of tokens, rows of the embedding and of the output head.</param>
/// <param name="MaxPositions">Longest sequence the model was made for, in tokens.</param>
/// <param name="TiedEmbeddings">Whether the output head is the embedding matrix.</param>
/// <param name="LearnedPositions">Rows of a learned position table that is added to the embedding, of which those beyond <paramref name="MaxPositions"/> stand before
/// the first token's (OPT has two); 0 without one.</param>
/// <param name="EmbeddingScale">Whether the embedding is multiplied by a constant before the first layer (Gemma).</param>
/// <param name="FinalNorm">The normalisation before the output head.</param>
/// <param name="LogitSoftCap">Whether the logits pass through a soft cap (Gemma-2).</param>
/// <param name="HeadBias">Whether the output head adds a bias.</param>
/// <param name="Stack">The layers, in order.</param>
public sealed record ModelSpec(
    string Name,
    int Hidden,
    int Vocabulary,
    int MaxPositions,
    bool TiedEmbeddings,
    int LearnedPositions,
    bool EmbeddingScale,
    Norm FinalNorm,
    bool LogitSoftCap,
    bool HeadBias,
    EquatableArray<LayerGroup> Stack)
{
    /// <summary>Tokens that the learned position table has a row for; 0 without a table.</summary>
    internal int TablePositions => Math.Min(LearnedPositions, MaxPositions);

    /// <summary>Rows of the position table before the first token's.</summary>
    internal int PositionOffset => LearnedPositions - TablePositions;

    /// <summary>Number of layers in the whole stack.</summary>
    public int LayerCount
    {
        get
        {
            var count = 0;
            foreach (var group in Stack)
                count = checked(count + (group.Pattern.Count * group.Repeat));
            return count;
        }
    }

    /// <summary>Number of trained parameters, a tied output head counted once.</summary>
    public long ParameterCount
    {
        get
        {
            checked
            {
                var embedding = (long)Vocabulary * Hidden;
                var total = embedding + ((long)LearnedPositions * Hidden) + FinalNorm.ParameterCount(Hidden);
                if (!TiedEmbeddings)
                    total += embedding;
                if (HeadBias)
                    total += Vocabulary;
                foreach (var group in Stack)
                {
                    foreach (var layer in group.Pattern)
                        total += group.Repeat * layer.ParameterCount(Hidden);
                }
                return total;
            }
        }
    }
}

/// <summary>A run of layers: a pattern of one or more kinds, repeated.</summary>
/// <param name="Pattern">The layers of one repeat, in order; at least one.</param>
/// <param name="Repeat">How many times the pattern stands in the stack, 1 or more.</param>
public sealed record LayerGroup(EquatableArray<LayerSpec> Pattern, int Repeat);
