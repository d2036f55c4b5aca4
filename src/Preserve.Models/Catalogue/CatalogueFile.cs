using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;

namespace Preserve;

/// <summary>Reads the embedded catalogue.</summary>
internal static class CatalogueFile
{
    private const string Resource = "models.json";

    public static IReadOnlyList<CatalogueEntry> Read()
    {
        using var stream = typeof(CatalogueFile).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"the assembly lacks its resource '{Resource}'");
        using var reader = new StreamReader(stream);
        return [.. JsonReader.Parse(reader.ReadToEnd()).Items.Select(Entry)];
    }

    private static CatalogueEntry Entry(JsonValue entry)
    {
        var config = Required(entry, "config");
        var model = new CatalogueModel(
            Required(entry, "id").Text,
            Texts(entry, "names"),
            checked((long)Required(entry, "parameters").Number),
            Required(entry, "source").Text,
            Texts(entry, "notes"),
            UnsupportedArchitectures.MissingIn(Required(config, "model_type").Text));
        return new CatalogueEntry(model, config);
    }

    private static EquatableArray<string> Texts(JsonValue entry, string key) =>
        entry.Find(key) is { } list ? new EquatableArray<string>(list.Items.Select(i => i.Text)) : default;

    private static JsonValue Required(JsonValue entry, string key) =>
        entry.Find(key) ?? throw new InvalidOperationException($"the catalogue's entry at line {entry.Line} lacks '{key}'");
}

/// <summary>A model of the catalogue with its configuration.</summary>
internal sealed record CatalogueEntry(CatalogueModel Model, JsonValue Config)
{
    /// <summary>Everything that the model is found by.</summary>
    public IEnumerable<string> Names => [Model.Id, Model.Id[(Model.Id.IndexOf('/', StringComparison.Ordinal) + 1)..], .. Model.Names];
}
