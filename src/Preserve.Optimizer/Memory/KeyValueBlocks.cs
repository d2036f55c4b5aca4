using System;

namespace Preserve.Optimizer;

/// <summary>Sizes of a paged KV-cache: each sequence's tokens lie in blocks of so many tokens, and a table says which (PagedAttention,
/// arXiv 2309.06180). The last block of a sequence is whole in memory, however few tokens it holds.</summary>
/// <param name="step">The step, at its largest context.</param>
/// <param name="blockTokens">Tokens of a block, 1 or more.</param>
internal sealed class KeyValueBlocks(StepSpec step, int blockTokens)
{
    /// <summary>Bytes of a table's entry: the 32-bit number of a block.</summary>
    private const long EntryBytes = 4;

    /// <summary>Blocks of all sequences that keep at most so many attended tokens.</summary>
    /// <param name="window">Attended tokens of a sliding window, 0 for none.</param>
    public long Count(int window)
    {
        checked
        {
            if (step.ContextIsTotal)
            {
                // Of mixed lengths only the total is known: each sequence may end one token into a block, and a window begin one before.
                var attended = window > 0 ? Math.Min(step.MaxContext, (window - 1L) * step.Batch) : step.MaxContext;
                var begun = step.Batch * (window > 0 ? 2L : 1L) * (blockTokens - 1);
                return (attended + step.Batch + begun) / blockTokens;
            }
            long tokens = step.MaxContext + step.NewTokens;
            var blocks = Ceiling(tokens);
            // A window may begin at the last token of a block.
            return step.Batch * (window > 0 && step is DecodeSpec ? Math.Min(blocks, Ceiling(window - 1L) + 1) : blocks);
        }
    }

    /// <summary>Bytes of the tables of all sequences.</summary>
    /// <param name="window">Attended tokens of a sliding window, 0 for none.</param>
    public long TableBytes(int window) => checked(Count(window) * EntryBytes);

    private long Ceiling(long tokens) => ((tokens - 1) / blockTokens) + 1;
}
