namespace Preserve.Generators;

/// <summary>Names of the pipeline's steps, for tests of what an edit runs again.</summary>
internal static class StepNames
{
    /// <summary>A declared deployment becomes plain values.</summary>
    public const string Extract = nameof(Extract);

    /// <summary>A device file becomes a device.</summary>
    public const string DeviceFiles = nameof(DeviceFiles);

    /// <summary>A deployment gets its device.</summary>
    public const string Resolve = nameof(Resolve);

    /// <summary>A deployment's planning begins: the expensive step, which runs only when a specification or its device changes.</summary>
    public const string Begin = nameof(Begin);

    /// <summary>A deployment gets its plans.</summary>
    public const string Optimize = nameof(Optimize);

    /// <summary>Plans become source.</summary>
    public const string Emit = nameof(Emit);
}
