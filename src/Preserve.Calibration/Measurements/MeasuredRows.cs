namespace Preserve;

/// <summary>A measured matrix multiplication: Y[m,n] = X[m,k] W[n,k]^T.</summary>
/// <param name="Line">Its line in the table.</param>
/// <param name="System">The machine.</param>
/// <param name="Precision">Format of both inputs.</param>
/// <param name="Rows">Rows of the activations (m).</param>
/// <param name="Columns">Columns of the weight (n).</param>
/// <param name="Depth">Summed elements (k).</param>
/// <param name="Microseconds">Its time.</param>
/// <param name="Hot">Whether the weight was resident in the L2.</param>
public sealed record MatMulRow(int Line, string System, Precision Precision, int Rows, int Columns, int Depth, double Microseconds, bool Hot);

/// <summary>A measured attention.</summary>
/// <param name="Line">Its line in the table.</param>
/// <param name="System">The machine.</param>
/// <param name="Decode">Whether each sequence has one new token.</param>
/// <param name="Kernel">The kernel.</param>
/// <param name="Batch">Sequences.</param>
/// <param name="Length">Tokens already cached in decode, tokens of the prompt otherwise.</param>
/// <param name="Heads">Query heads.</param>
/// <param name="KeyValueHeads">KV heads.</param>
/// <param name="Microseconds">Its time.</param>
public sealed record AttentionRow(
    int Line, string System, bool Decode, string Kernel, int Batch, int Length, int Heads, int KeyValueHeads, double Microseconds);

/// <summary>A measured collective.</summary>
/// <param name="Line">Its line in the table.</param>
/// <param name="System">The machine.</param>
/// <param name="Library">The library, without the launch.</param>
/// <param name="Launch">How it was launched.</param>
/// <param name="Operation">The collective's name in the table.</param>
/// <param name="Ranks">Ranks that take part.</param>
/// <param name="Bytes">The whole message: of an all-gather, all parts together.</param>
/// <param name="Microseconds">Its time.</param>
public sealed record CollectiveRow(
    int Line, string System, string Library, LaunchMode Launch, string Operation, int Ranks, long Bytes, double Microseconds);

/// <summary>Measured times of the operators of one decoder layer.</summary>
/// <param name="Line">Its line in the table.</param>
/// <param name="System">The machine.</param>
/// <param name="Model">The model.</param>
/// <param name="Ranks">Ranks that share the layer.</param>
/// <param name="Tokens">Rows in the batch.</param>
/// <param name="Microseconds">Time by operator, in the order of <see cref="LayerTable.Operators"/>.</param>
public sealed record LayerRow(int Line, string System, string Model, int Ranks, int Tokens, EquatableArray<double> Microseconds);
