using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.Linq;

namespace Preserve;

/// <summary>The built-in models: published configurations, embedded, and read as any <c>config.json</c>.</summary>
public static class ModelCatalogue
{
    private static readonly Lazy<IReadOnlyList<CatalogueEntry>> s_entries = new(CatalogueFile.Read);

    /// <summary>The models, in the order of the file, those included that are known and cannot be planned.</summary>
    public static IReadOnlyList<CatalogueModel> Models => [.. s_entries.Value.Select(e => e.Model)];

    /// <summary>Finds a model by its id, the id's part after the slash, or another of its names.</summary>
    /// <param name="name">The name; case does not matter, and blanks, hyphens and underscores are the same.</param>
    /// <param name="model">The model, or null where there is none of that name.</param>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    public static bool TryFind(string name, [NotNullWhen(true)] out CatalogueModel? model)
    {
        model = Find(name)?.Model;
        return model is not null;
    }

    /// <summary>The specification of a model.</summary>
    /// <param name="name">A name that <see cref="TryFind"/> finds it by.</param>
    /// <returns>The model, or why there is none: an unknown name, with the one that was probably meant, or what the model has that
    /// cannot be expressed.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    public static ModelImportResult Load(string name)
    {
        if (Find(name) is not { } entry)
            return ModelImportResult.Failed(Nearest(name) is { } nearest ? $"no model is called '{ConfigReader.Shown(name)}'; did you mean '{nearest}'?" : $"no model is called '{ConfigReader.Shown(name)}'");
        if (entry.Model.Unsupported is { } missing)
            return ModelImportResult.Failed($"model '{entry.Model.Id}' is known, but not supported: it has {missing}");
        var result = HuggingFaceConfig.Read(entry.Config, entry.Model.Id);
        return result.Model is { } model ? result with { Model = model with { Notes = model.Notes.Concat(entry.Model.Notes).ToArray() } } : result;
    }

    /// <summary>The name that was probably meant, or null where none is near.</summary>
    /// <param name="name">The name as written.</param>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    public static string? Nearest(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return EditDistance.Nearest(name, s_entries.Value.SelectMany(e => e.Names));
    }

    private static CatalogueEntry? Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var wanted = Folded(name);
        return s_entries.Value.FirstOrDefault(e => e.Names.Any(n => Folded(n) == wanted));
    }

    private static string Folded(string name) => name.ToLowerInvariant().Replace('_', '-').Replace(' ', '-');
}
