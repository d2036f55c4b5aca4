namespace Preserve.Cpu;

/// <summary>A safetensors file that is not sound, or does not hold what a model needs. The message names the tensor.</summary>
public sealed class SafetensorsException : FormatException
{
    /// <summary>A fault without a message.</summary>
    public SafetensorsException()
    {
    }

    /// <summary>A fault.</summary>
    /// <param name="message">What is wrong, and of which tensor.</param>
    public SafetensorsException(string message)
        : base(message)
    {
    }

    /// <summary>A fault that another one is the reason of.</summary>
    /// <param name="message">What is wrong, and of which tensor.</param>
    /// <param name="innerException">The reason.</param>
    public SafetensorsException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
