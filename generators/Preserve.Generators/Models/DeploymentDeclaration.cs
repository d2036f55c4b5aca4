namespace Preserve.Generators;

/// <summary>A deployment as it is declared, all but its device checked.</summary>
/// <param name="Type">The type that carries it.</param>
/// <param name="Spec">What it declares.</param>
internal sealed record DeploymentDeclaration(TypePlace Type, DeploymentSpec Spec);
