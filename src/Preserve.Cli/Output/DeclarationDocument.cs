namespace Preserve.Cli.Output;

/// <summary>What <c>declare --json</c> prints. The names are documented in docs/declare.schema.json.</summary>
internal sealed record DeclarationDocument(string Model, string Device, string Namespace, string Source, IReadOnlyList<string> Notes);
