namespace Preserve;

/// <summary>A normalisation.</summary>
public enum Norm
{
    /// <summary>Root-mean-square norm: one weight per element.</summary>
    Rms,

    /// <summary>Layer norm: one weight and one bias per element.</summary>
    Layer,
}

/// <summary>How a token's position enters.</summary>
public enum Position
{
    /// <summary>Queries and keys are rotated.</summary>
    Rotary,

    /// <summary>A learned vector is added to the embedding; its table is declared on the model.</summary>
    Learned,

    /// <summary>Not at all in this layer.</summary>
    None,
}

/// <summary>The activation of a feed-forward block.</summary>
public enum Activation
{
    /// <summary>SiLU of a gate times up: three matrices.</summary>
    SwiGlu,

    /// <summary>GELU of a gate times up: three matrices.</summary>
    GeGlu,

    /// <summary>GELU: two matrices.</summary>
    Gelu,

    /// <summary>ReLU: two matrices.</summary>
    Relu,
}

/// <summary>Which projections of an attention block add a bias.</summary>
public enum ProjectionBias
{
    /// <summary>None.</summary>
    None,

    /// <summary>Query, key and value (Qwen2).</summary>
    QueryKeyValue,

    /// <summary>Query, key, value and output (OPT).</summary>
    All,
}

/// <summary>Facts about the choices of a layer.</summary>
public static class LayerChoices
{
    /// <summary>Whether the activation multiplies a gate with up, and so has a matrix more.</summary>
    /// <param name="activation">The activation.</param>
    public static bool IsGated(this Activation activation) => activation is Activation.SwiGlu or Activation.GeGlu;

    /// <summary>Trained parameters of one normalisation.</summary>
    /// <param name="norm">The normalisation.</param>
    /// <param name="width">Elements per row.</param>
    public static long ParameterCount(this Norm norm, int width) => norm == Norm.Layer ? 2L * width : width;
}
