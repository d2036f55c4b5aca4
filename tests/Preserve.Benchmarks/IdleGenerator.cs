using Microsoft.CodeAnalysis;

namespace Preserve.Benchmarks;

/// <summary>Asks for what the generator asks for, and does nothing with it: what the compiler itself takes.</summary>
[Generator(LanguageNames.CSharp)]
public sealed class IdleGenerator : IIncrementalGenerator
{
    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        var names = context.SyntaxProvider.ForAttributeWithMetadataName("Preserve.DeploymentAttribute", static (_, _) => true, static (target, _) => target.TargetSymbol.Name);
        context.RegisterSourceOutput(names, static (output, name) => output.AddSource(name + ".g.cs", "// " + name));
    }
}
