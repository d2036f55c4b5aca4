using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Preserve.Generators;

/// <summary>Looks at the types of a project that knows the library, and reports one kind of diagnostic.</summary>
public abstract class TypeAnalyzer : DiagnosticAnalyzer
{
    private protected TypeAnalyzer(DiagnosticDescriptor descriptor)
    {
        Descriptor = descriptor;
        SupportedDiagnostics = ImmutableArray.Create(descriptor);
    }

    /// <inheritdoc/>
    public sealed override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; }

    private protected DiagnosticDescriptor Descriptor { get; }

    /// <inheritdoc/>
    public sealed override void Initialize(AnalysisContext context)
    {
        // Declarations in generated code too: the generator emits for them, so what it refuses must be reported.
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.Analyze | GeneratedCodeAnalysisFlags.ReportDiagnostics);
        context.EnableConcurrentExecution();
        context.RegisterCompilationStartAction(start =>
        {
            if (start.Compilation.GetTypeByMetadataName(typeof(DeploymentAttribute).FullName!) is not null)
                Register(start);
        });
    }

    /// <summary>Registers what analyses types.</summary>
    private protected abstract void Register(CompilationStartAnalysisContext start);
}
