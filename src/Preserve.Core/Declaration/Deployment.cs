using System;
using System.Threading;

namespace Preserve;

/// <summary>The base of every declared deployment. The generator overrides <see cref="Load"/> on the derived type.</summary>
public abstract class Deployment
{
    private PlanSet? _plans;

    /// <summary>The plans of every declared step.</summary>
    /// <exception cref="InvalidOperationException">The Preserve generator did not run on the type.</exception>
    public PlanSet Plans => _plans ?? Interlocked.CompareExchange(ref _plans, Load(), null) ?? _plans!;

    /// <summary>Reads the plans that were made at build time.</summary>
    protected virtual PlanSet Load() => throw new InvalidOperationException(
        $"'{GetType().FullName}' has no plans: the Preserve generator did not run on it. " +
        "Give it [Deployment], reference the package 'Preserve', make the class partial, and mend the errors that the build reports.");
}
