using System;

namespace Preserve.Optimizer;

/// <summary>No sound plan could be made of a specification that was accepted: a fault of the optimizer, not of the user.</summary>
public sealed class PlanningException : Exception
{
    /// <summary>Without a message.</summary>
    public PlanningException()
    {
    }

    /// <summary>With a message.</summary>
    /// <param name="message">What does not hold.</param>
    public PlanningException(string message)
        : base(message)
    {
    }

    /// <summary>With a message and a cause.</summary>
    /// <param name="message">What does not hold.</param>
    /// <param name="innerException">The cause.</param>
    public PlanningException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
