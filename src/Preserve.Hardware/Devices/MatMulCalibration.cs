namespace Preserve;

/// <summary>Constants of matrix multiplication with both inputs in one format.</summary>
/// <param name="Precision">The format.</param>
/// <param name="Streaming">Few rows: the kernel streams the weight.</param>
/// <param name="Tiled">Many rows: tiles of the result share the multiprocessors.</param>
public sealed record MatMulCalibration(Precision Precision, StreamingMatMulConstants Streaming, TiledMatMulConstants Tiled);

/// <summary>Constants of <see cref="StreamingMatMulLaw"/>.</summary>
/// <param name="FixedMicroseconds">Launch and ramp, the weight in HBM.</param>
/// <param name="SplitNanoseconds">Time of serial iterations and of joining the splits, for each square root of an element of depth.</param>
/// <param name="RampMicroseconds">Latency of the blocks in which the weight is loaded, for each square root of a megabyte.</param>
/// <param name="HbmTerabytesPerSecond">Most that the kernel draws from memory.</param>
/// <param name="WaveShare">The part of the traffic that waits for the last, partly filled wave of tiles, 0 to 1.</param>
/// <param name="HotFixedMicroseconds">Launch and ramp, the weight in the L2.</param>
/// <param name="HotSerialNanoseconds">Serial sum over the depth, for each element, the weight in the L2: no memory latency hides it.</param>
/// <param name="L2TerabytesPerSecond">Most that the kernel draws from the L2.</param>
/// <param name="Band">Its residuals, the weight in HBM; null where too few shapes were measured to tell.</param>
/// <param name="HotBand">Its residuals, the weight in the L2; null likewise.</param>
public sealed record StreamingMatMulConstants(
    double FixedMicroseconds,
    double SplitNanoseconds,
    double RampMicroseconds,
    double HbmTerabytesPerSecond,
    double WaveShare,
    double HotFixedMicroseconds,
    double HotSerialNanoseconds,
    double L2TerabytesPerSecond,
    ResidualBand? Band,
    ResidualBand? HotBand);

/// <summary>Constants of <see cref="TiledMatMulLaw"/>.</summary>
/// <param name="FixedMicroseconds">Launch and ramp.</param>
/// <param name="SplitNanoseconds">For each square root of an element of depth.</param>
/// <param name="HbmTerabytesPerSecond">Most that the kernel draws from memory.</param>
/// <param name="Teraflops">Rate of a full wave of tiles.</param>
/// <param name="WaveMicroseconds">Filling and draining the pipeline of one tile, in each wave.</param>
/// <param name="QuantizePicoseconds">Converting the activations to the weight's format, for each of their elements; 0 where there is nothing to convert.</param>
/// <param name="QuantizeRowNanoseconds">The same for each of their rows.</param>
/// <param name="Band">Its residuals; null where too few shapes were measured to tell.</param>
public sealed record TiledMatMulConstants(
    double FixedMicroseconds,
    double SplitNanoseconds,
    double HbmTerabytesPerSecond,
    double Teraflops,
    double WaveMicroseconds,
    double QuantizePicoseconds,
    double QuantizeRowNanoseconds,
    ResidualBand? Band);
