namespace Preserve.Cpu;

/// <summary>Tokens' keys and values where they lie: in a cache, in blocks of one, or in a value that they were copied to. Token by token, all
/// sequences of a token beside each other, keys before values; in blocks, each sequence by itself.</summary>
internal readonly unsafe struct CacheView
{
    private readonly Operand _data;
    private readonly Operand _table;
    private readonly int _sequences;
    private readonly int _width;
    private readonly long _first;
    private readonly long _begin;

    /// <summary>Tokens in one piece.</summary>
    /// <param name="data">The piece.</param>
    /// <param name="sequences">Sequences of the batch.</param>
    /// <param name="width">Keys and values of one token of one sequence, in elements.</param>
    public CacheView(Operand data, int sequences, int width)
    {
        (_data, _sequences, _width) = (data, sequences, width);
        Count = (int)(data.Elements / ((long)sequences * width));
    }

    /// <summary>Tokens in blocks.</summary>
    /// <param name="data">All blocks.</param>
    /// <param name="table">The numbers of each sequence's blocks, from that of the first token that the step sees.</param>
    /// <param name="sequences">Sequences of the batch.</param>
    /// <param name="width">Keys and values of one token of one sequence, in elements.</param>
    /// <param name="first">Position of the first token that the step sees.</param>
    /// <param name="tokens">The tokens that are meant, counted from it.</param>
    public CacheView(Operand data, Operand table, int sequences, int width, long first, (long Begin, long End) tokens)
    {
        (_data, _table, _sequences, _width, _first, _begin) = (data, table, sequences, width, first, tokens.Begin);
        Count = (int)(tokens.End - tokens.Begin);
    }

    /// <summary>Tokens of each sequence.</summary>
    public int Count { get; }

    public Operand Data => _data;

    /// <summary>The bytes of the tokens, in as few pieces as they lie in: a block holds a sequence's tokens one behind the other.</summary>
    public IEnumerable<Operand> Pieces()
    {
        if (_data.Tensor.BlockUnits == 0)
        {
            yield return _data;
            yield break;
        }
        for (var sequence = 0; sequence < _sequences; sequence++)
        {
            for (var token = 0; token < Count;)
            {
                var inBlock = (int)((_first + _begin + token) % _data.Tensor.BlockUnits);
                var tokens = (int)Math.Min(_data.Tensor.BlockUnits - inBlock, Count - token);
                yield return _data.Part(At(sequence, token), (long)tokens * _width);
                token += tokens;
            }
        }
    }

    /// <summary>The element of the data with which a token's keys begin.</summary>
    public long At(int sequence, int token)
    {
        if (_data.Tensor.BlockUnits == 0)
            return (((long)token * _sequences) + sequence) * _width;
        var block = _data.Tensor.BlockUnits;
        var position = _first + _begin + token;
        var entries = _table.Bytes / 4 / _sequences;
        var entry = (position / block) - (_first / block);
        if (entry < 0 || entry >= entries)
            throw new InvalidOperationException($"'{_table.Tensor.Name}' has {entries} blocks of a sequence, and block {entry} is wanted");
        var number = ((int*)_table.At(0, _table.Elements))[(sequence * entries) + entry];
        return ((number * block) + (position % block)) * _width;
    }
}
