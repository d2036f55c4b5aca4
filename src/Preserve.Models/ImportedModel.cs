namespace Preserve;

/// <summary>A model that was read from a <c>config.json</c> or taken from the catalogue.</summary>
/// <param name="Spec">What is computed. It keeps every rule of <see cref="ModelRules"/>, and its stack is canonical.</param>
/// <param name="Architecture">The <c>model_type</c> that it was read as, such as <c>llama</c>.</param>
/// <param name="StoredFormat">The format that the published weights are stored in, of the same width where it has none of its
/// own (float16 is <see cref="Precision.Bf16"/>); null where the file does not say.</param>
/// <param name="Notes">What the specification leaves out or takes otherwise, a sentence each; empty where it is exact.</param>
public sealed record ImportedModel(ModelSpec Spec, string Architecture, Precision? StoredFormat, EquatableArray<string> Notes);

/// <summary>A model, or the errors that keep it from being one; never both and never neither.</summary>
/// <param name="Model">The model; null where there are errors.</param>
/// <param name="Errors">The errors, by line and column; empty where there is a model.</param>
public sealed record ModelImportResult(ImportedModel? Model, EquatableArray<ModelImportError> Errors)
{
    internal static ModelImportResult Failed(string message) => Failed(new ModelImportError(0, 0, message));

    internal static ModelImportResult Failed(ModelImportError error) => new(null, new[] { error });
}

/// <summary>Something that is wrong with a model's file or name.</summary>
/// <param name="Line">The line, counted from 1; 0 where the fault has no place in a text.</param>
/// <param name="Column">The column in UTF-16 units, counted from 1; 0 where the fault has no place in a text.</param>
/// <param name="Message">The key, its value, and what would be right, on one line.</param>
public sealed record ModelImportError(int Line, int Column, string Message)
{
    /// <inheritdoc/>
    public override string ToString() => Line == 0 ? Message : $"line {Line}, column {Column}: {Message}";
}
