namespace Preserve;

/// <summary>A published model that is known by name.</summary>
/// <param name="Id">Its id on Hugging Face, such as <c>meta-llama/Meta-Llama-3-70B</c>.</param>
/// <param name="Names">Other names that it is found by.</param>
/// <param name="Parameters">Number of trained parameters as published, a tied output head counted once.</param>
/// <param name="Source">Where its figures come from.</param>
/// <param name="Notes">What is doubtful in it, or taken otherwise than published, a sentence each.</param>
/// <param name="Unsupported">What it has that a specification has no words for; null where it can be planned.</param>
public sealed record CatalogueModel(
    string Id, EquatableArray<string> Names, long Parameters, string Source, EquatableArray<string> Notes, string? Unsupported);
