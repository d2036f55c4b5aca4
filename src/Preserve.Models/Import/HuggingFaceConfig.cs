using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;

namespace Preserve;

/// <summary>Import of a Hugging Face <c>config.json</c>: dense decoder-only transformers that can be expressed exactly.</summary>
/// <remarks>Keys, and the values of absent ones, are those of the configuration classes of the transformers library
/// (https://github.com/huggingface/transformers, <c>src/transformers/models/*/configuration_*.py</c>). A model is accepted if and
/// only if <see cref="ModelRules"/> accept it as declared. Keys that do not change what is computed are not read.</remarks>
public static class HuggingFaceConfig
{
    /// <summary>Most bytes of a file, and most UTF-16 units of a text: published ones have some thousands.</summary>
    public const int MaxSize = 1 << 20;

    private static readonly UTF8Encoding s_utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>What the names of classes go on with after the architecture's.</summary>
    private static readonly string[] s_purposes = ["For", "LMHead", "Model"];

    private static readonly Dictionary<string, Precision> s_formats = new(StringComparer.Ordinal)
    {
        ["bfloat16"] = Precision.Bf16,
        ["float16"] = Precision.Bf16,
        ["float32"] = Precision.Fp32,
        ["float8_e4m3fn"] = Precision.Fp8,
        ["float8_e5m2"] = Precision.Fp8,
    };

    /// <summary>The values of <c>model_type</c> that can be imported, in ordinal order.</summary>
    public static IReadOnlyList<string> Architectures { get; } = [.. SupportedArchitectures.All.Keys];

    /// <summary>Reads a file's bytes: UTF-8, with or without a byte order mark.</summary>
    /// <param name="utf8">The bytes, <see cref="MaxSize"/> at most.</param>
    /// <param name="name">The model's name in plans and reports; must keep the rule of <see cref="ModelSpec.Name"/>.</param>
    /// <returns>The model, or every error that was found; whatever the bytes are, no exception.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    public static ModelImportResult Parse(ReadOnlySpan<byte> utf8, string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (utf8.Length > MaxSize)
            return TooLarge();
        if (utf8.StartsWith(Encoding.UTF8.Preamble))
            utf8 = utf8[Encoding.UTF8.Preamble.Length..];
        try
        {
            return Parse(s_utf8.GetString(utf8), name);
        }
        catch (DecoderFallbackException e)
        {
            return ModelImportResult.Failed($"the file is not UTF-8 text: no character stands at byte {Math.Max(e.Index, 0)}");
        }
    }

    /// <summary>Reads a file's text.</summary>
    /// <param name="text">The text, <see cref="MaxSize"/> UTF-16 units at most.</param>
    /// <param name="name">The model's name in plans and reports; must keep the rule of <see cref="ModelSpec.Name"/>.</param>
    /// <returns>The model, or every error that was found; whatever the text is, no exception.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static ModelImportResult Parse(string text, string name)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(name);
        if (text.Length > MaxSize)
            return TooLarge();
        try
        {
            return Read(JsonReader.Parse(text), name);
        }
        catch (JsonFormatException e)
        {
            return ModelImportResult.Failed(new ModelImportError(e.Line, e.Column, e.Message));
        }
    }

    internal static ModelImportResult TooLarge() =>
        ModelImportResult.Failed($"the file has more than {ValueRange.Grouped(MaxSize)} bytes, too many for a config.json");

    internal static ModelImportResult Read(JsonValue root, string name)
    {
        var config = new ConfigReader(root);
        if (ReadingFor(config, root) is not { } reading)
            return new(null, config.Errors);
        var decoder = reading(config);
        var format = StoredFormat(config);
        if (config.Has("quantization_config"))
            config.Note("quantization_config is not read: the deployment says which format the weights have");
        if (config.HasErrors)
            return new(null, config.Errors);

        var spec = decoder.ToSpec(name);
        foreach (var fault in ModelRules.Check(spec))
            config.Refuse(fault);
        return config.HasErrors ? new(null, config.Errors) : new(new ImportedModel(spec, root.Find("model_type")!.Text, format, config.Notes), default);
    }

    /// <summary>How the file is to be read, or null with the reason among the errors.</summary>
    private static Func<ConfigReader, Decoder>? ReadingFor(ConfigReader config, JsonValue root)
    {
        if (root.Kind != JsonKind.Object)
        {
            config.Refuse(root, $"a config.json is an object, and this is {ConfigReader.Shown(root)}");
            return null;
        }
        var type = root.Find("model_type");
        if (type is not { Kind: JsonKind.String })
        {
            config.Refuse("model_type", type, "the name of an architecture, such as 'llama'");
            return null;
        }
        var missing = UnsupportedArchitectures.MissingIn(type.Text);
        if (missing is null && UnsupportedArchitectures.MissingBy(config) is { } found)
            missing = $"{found.Missing} ({found.Key} is {ConfigReader.Shown(config.Value(found.Key))})";
        if (missing is not null)
            config.Refuse(type, $"architecture '{ConfigReader.Shown(type.Text)}' is not supported: it has {missing}");
        else if (SupportedArchitectures.All.TryGetValue(type.Text, out var reading))
            return CheckedByClass(config, type.Text) ? reading : null;
        else if (root.Find("text_config") is { Kind: JsonKind.Object } text)
            config.Refuse(type, Wrapper(type.Text, text));
        else
            config.Refuse(type, Unknown(type.Text));
        return null;
    }

    /// <summary>Holds the classes that a file names against its <c>model_type</c>: one of another known architecture is refused, one that is
    /// not known is noted.</summary>
    private static bool CheckedByClass(ConfigReader config, string type)
    {
        if (config.Value("architectures") is not { Kind: JsonKind.Array } classes)
            return true;
        foreach (var named in classes.Items.Where(c => c.Kind == JsonKind.String))
        {
            var folded = ClassName(named.Text);
            if (folded == Folded(type))
                continue;
            if (Architectures.Concat(UnsupportedArchitectures.Names).FirstOrDefault(a => Folded(a) == folded) is { } other)
                config.Refuse(named, $"architectures has '{ConfigReader.Shown(named.Text)}', a class of '{other}', but model_type is '{type}': one of them is wrong");
            else
                config.Note($"architectures has '{ConfigReader.Shown(named.Text)}', which is not known; the model is read as model_type says, '{type}'");
        }
        return !config.HasErrors;
    }

    /// <summary>What stands in a class's name before what it is for: <c>GPT2LMHeadModel</c>, <c>LlamaForCausalLM</c>.</summary>
    private static string ClassName(string name)
    {
        var end = s_purposes.Select(e => name.IndexOf(e, StringComparison.Ordinal)).Where(at => at > 0).DefaultIfEmpty(name.Length).Min();
        return name[..end].ToLowerInvariant();
    }

    /// <summary>An architecture as classes spell it; <c>gemma3_text</c> has those of <c>gemma3</c>.</summary>
    private static string Folded(string architecture)
    {
        const string languageModel = "_text";
        var name = architecture.EndsWith(languageModel, StringComparison.Ordinal) ? architecture[..^languageModel.Length] : architecture;
        return name.Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal);
    }

    /// <summary>A wrapper's own keys decide what of its text model is shared, so that this is not taken out unasked.</summary>
    private static string Wrapper(string type, JsonValue text)
    {
        var inner = text.Find("model_type") is { Kind: JsonKind.String } name ? $", a '{ConfigReader.Shown(name.Text)}'," : "";
        return $"architecture '{ConfigReader.Shown(type)}' is not supported: it joins a language model with others; to import the language model alone, "
            + $"put its text_config{inner} into a file of its own, with the model_type and the tie_word_embeddings that hold for it";
    }

    private static string Unknown(string type)
    {
        var shown = ConfigReader.Shown(type);
        var nearest = EditDistance.Nearest(type, Architectures.Concat(UnsupportedArchitectures.Names));
        var meant = nearest is null ? ""
            : UnsupportedArchitectures.MissingIn(nearest) is { } missing ? $"; did you mean '{nearest}'? It is not supported: it has {missing}"
            : $"; did you mean '{nearest}'?";
        return $"architecture '{shown}' is not known{meant}{(meant.EndsWith('?') ? "" : ".")} Supported are {string.Join(", ", Architectures)}";
    }

    private static Precision? StoredFormat(ConfigReader config)
    {
        var key = config.Has("dtype") ? "dtype" : "torch_dtype";
        return config.Has(key) ? config.Word(key, "bfloat16", s_formats) : null;
    }
}
