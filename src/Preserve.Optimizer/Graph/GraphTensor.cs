namespace Preserve.Optimizer;

/// <summary>A tensor of the graph. Its size follows the shapes of the operators that touch it, so passes may change it.</summary>
internal sealed class GraphTensor(string name, TensorRole role, bool perLayer, Precision format)
{
    public string Name { get; } = name;

    /// <summary>The graph that declares it, or null.</summary>
    public Graph? Graph { get; private set; }

    /// <summary>A number that no other tensor of the graph has; it says nothing of the order.</summary>
    public int Number { get; private set; }

    public TensorRole Role { get; } = role;

    public bool PerLayer { get; } = perLayer;

    public Precision Format { get; } = format;

    /// <summary>Bytes, or attended tokens of a KV-cache.</summary>
    public Amount Units { get; set; }

    /// <summary>Bytes per unit.</summary>
    public long UnitBytes { get; set; } = 1;

    /// <summary>Whether it is a matrix: what the published prefetch looks at, beside the KV-cache. Of a value, whether it is a matrix that was brought
    /// from the host.</summary>
    public bool IsMatrix { get; init; }

    /// <summary>Units of the blocks that a KV-cache lies in; 0 where it lies in one piece.</summary>
    public long BlockUnits { get; init; }

    /// <summary>The memory that holds it.</summary>
    public TensorMemory Memory { get; set; }

    /// <summary>Whether host memory holds it: only copies touch it.</summary>
    public bool IsOnHost => Memory != TensorMemory.Device;

    /// <summary>Where a value lies in the arena; -1 until memory is planned.</summary>
    public long Offset { get; set; } = -1;

    /// <summary>Makes it a tensor of a graph, or of none.</summary>
    public void BelongTo(Graph? graph, int number) => (Graph, Number) = (graph, number);

    /// <summary>The same tensor for another graph.</summary>
    public GraphTensor Copy() =>
        new(Name, Role, PerLayer, Format) { Units = Units, UnitBytes = UnitBytes, IsMatrix = IsMatrix, BlockUnits = BlockUnits, Memory = Memory, Offset = Offset };

    /// <summary>Tensors are compared by identity, and those of one graph differ in their numbers.</summary>
    public override int GetHashCode() => Number;

    public TensorDeclaration ToDeclaration() => new(Name, Role, PerLayer, Format, Units, UnitBytes, Offset, Memory) { BlockUnits = BlockUnits };
}
