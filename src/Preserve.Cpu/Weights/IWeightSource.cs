namespace Preserve.Cpu;

/// <summary>Where the weights of a whole model come from. Every degree of tensor parallelism reads its shards from the same.</summary>
public interface IWeightSource
{
    /// <summary>The model whose weights they are; null where the source does not know it.</summary>
    ModelSpec? Model => null;

    /// <summary>Reads a part of a row. Several threads may read at once.</summary>
    /// <param name="weight">The weight; the model has it.</param>
    /// <param name="row">The row, counted from 0.</param>
    /// <param name="column">The first element of the row that is wanted.</param>
    /// <param name="values">Takes as many elements as it is long.</param>
    /// <exception cref="KeyNotFoundException">There is no such weight; the message names it.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The elements are not all of the weight.</exception>
    void Read(WeightName weight, int row, int column, Span<float> values);
}
