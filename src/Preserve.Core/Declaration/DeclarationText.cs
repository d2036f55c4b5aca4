using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Reflection;
using System.Text;

namespace Preserve;

/// <summary>Writes a deployment and its model as the C# that declares them: what the generator reads of it is the same specification.</summary>
public sealed class DeclarationText
{
    /// <summary>Columns beyond which an attribute goes on in the next line.</summary>
    private const int MostColumns = 130;

    private const string Library = nameof(Preserve);

    private readonly StringBuilder _text = new();
    private readonly string _model;
    private readonly Dictionary<LayerSpec, string> _layers;

    /// <summary>Names of the file that are found before those of the library.</summary>
    private readonly HashSet<string> _hiding;

    private DeclarationText(ModelSpec model, string inNamespace)
    {
        _layers = model.Stack.SelectMany(g => g.Pattern).Distinct().ToDictionary(l => l, l => Escaped(l.Name));
        _model = TypeName(model.Name);
        // A nested type has another name than the one around it.
        while (_layers.ContainsValue(_model))
            _model += "Model";
        _hiding = new HashSet<string>(inNamespace.Split('.').Concat(_layers.Values).Append(_model), StringComparer.Ordinal);
    }

    /// <summary>Writes a file with the model and the deployment. What has its default is left out.</summary>
    /// <param name="deployment">The deployment, accepted by the rules of the declaration. The name of each kind of layer is one that a type can have, and of that kind alone.</param>
    /// <param name="inNamespace">The namespace of both types.</param>
    /// <returns>The text, lines ended by <c>\n</c>.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">The text is no namespace: <see cref="NamespaceFault"/>; or a layer has a name that cannot be declared.</exception>
    public static string Write(DeploymentSpec deployment, string inNamespace)
    {
        if (deployment is null)
            throw new ArgumentNullException(nameof(deployment));
        if (inNamespace is null)
            throw new ArgumentNullException(nameof(inNamespace));
        if (NamespaceFault(inNamespace) is { } fault)
            throw new ArgumentException($"'{inNamespace}' {fault}", nameof(inNamespace));
        if (LayerFault(deployment.Model) is { } undeclarable)
            throw new ArgumentException(undeclarable, nameof(deployment));
        var declaration = new DeclarationText(deployment.Model, inNamespace);
        declaration.Add(deployment, inNamespace);
        return declaration._text.ToString();
    }

    /// <summary>What keeps a text from being the namespace of a declaration.</summary>
    /// <param name="name">The text, such as <c>My.Serving</c>.</param>
    /// <returns>What it must be, to stand behind the text; null where it can be one.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    public static string? NamespaceFault(string name)
    {
        if (name is null)
            throw new ArgumentNullException(nameof(name));
        var parts = name.Split('.');
        if (parts.Any(p => p.Length == 0 || char.IsDigit(p[0]) || !p.All(c => c == '_' || IsWord(c))))
            return "must be names of letters, digits and underscores with dots between them, none of them beginning with a digit";
        if (parts[0] == Library)
            return $"must not begin with {Library}, the library's own namespace, whose types may have the names of its parts";
        return parts.FirstOrDefault(ReservedWords.Contains) is { } word ? $"must not have the word '{word}' for a name, which C# reserves" : null;
    }

    /// <summary>The name of the type that declares a model: the last part of its name, as an identifier.</summary>
    /// <param name="name">The model's name, such as <c>meta-llama/Meta-Llama-3-70B</c>.</param>
    /// <returns>Such as <c>MetaLlama3_70B</c>.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    public static string TypeName(string name)
    {
        if (name is null)
            throw new ArgumentNullException(nameof(name));
        return Identifier(name.TrimEnd('/').Split('/').Last(), "Model");
    }

    /// <summary>Why a layer cannot be declared: its name is that of its type.</summary>
    private static string? LayerFault(ModelSpec model)
    {
        var names = model.Stack.SelectMany(g => g.Pattern).Distinct().Select(l => l.Name).ToList();
        if (names.Find(n => !IsIdentifier(n)) is { } odd)
            return $"layer '{odd}' cannot be declared: no type can have its name";
        return names.GroupBy(n => n, StringComparer.Ordinal).FirstOrDefault(n => n.Count() > 1) is { } twice ? $"layer '{twice.Key}' cannot be declared: another one has its name" : null;
    }

    private void Add(DeploymentSpec deployment, string inNamespace)
    {
        _text.Append($"using {Library};\n\n").Append($"namespace {inNamespace};\n\n");
        AddModel(deployment.Model);
        _text.Append('\n');
        AddDeployment(deployment);
    }

    private void AddModel(ModelSpec model)
    {
        var finalLayer = model.Stack[model.Stack.Count - 1].Pattern;
        Attribute("", "Model", "(",
            (nameof(ModelAttribute.Name), model.Name == _model ? null : Literal(model.Name)),
            (nameof(ModelAttribute.Hidden), Number(model.Hidden)),
            (nameof(ModelAttribute.Vocabulary), Number(model.Vocabulary)),
            (nameof(ModelAttribute.MaxPositions), Unless(model.MaxPositions, ModelDefaults.MaxPositions)),
            (nameof(ModelAttribute.TiedEmbeddings), If(model.TiedEmbeddings)),
            (nameof(ModelAttribute.LearnedPositions), Unless(model.LearnedPositions, 0)),
            (nameof(ModelAttribute.EmbeddingScale), If(model.EmbeddingScale)),
            // Without it the final norm is that of the last layer.
            (nameof(ModelAttribute.FinalNorm), Unless(model.FinalNorm, finalLayer[finalLayer.Count - 1].Norm)),
            (nameof(ModelAttribute.LogitSoftCap), If(model.LogitSoftCap)),
            (nameof(ModelAttribute.HeadBias), If(model.HeadBias)));
        foreach (var group in model.Stack)
        {
            var pattern = string.Join(", ", group.Pattern.Select(l => $"typeof({_layers[l]})"));
            _text.Append('[').Append(NamedAttribute("Layers")).Append('(').Append(pattern).Append(group.Repeat == 1 ? "" : $", Repeat = {Number(group.Repeat)}").Append(")]\n");
        }
        _text.Append("public static class ").Append(_model).Append("\n{\n");
        var first = true;
        foreach (var layer in _layers)
        {
            _text.Append(first ? "" : "\n");
            first = false;
            AddLayer(layer.Key, layer.Value, model.Hidden);
        }
        _text.Append("}\n");
    }

    private void AddLayer(LayerSpec layer, string type, int hidden)
    {
        const string indent = "    ";
        Attribute(indent, "Layer", "(",
            (nameof(LayerAttribute.Norm), Choice(layer.Norm)),
            (nameof(LayerAttribute.PostNorm), If(layer.PostNorm)),
            (nameof(LayerAttribute.Position), Choice(layer.Position)),
            (nameof(LayerAttribute.Parallel), If(layer.Parallel)),
            (nameof(LayerAttribute.SeparateNorms), If(layer.SeparateNorms)));
        var attention = (MultiHeadAttentionSpec)layer.Attention;
        Attribute(indent, "Attention", "(",
            (nameof(AttentionAttribute.Heads), Number(attention.Heads)),
            (nameof(AttentionAttribute.KeyValueHeads), Unless(attention.KeyValueHeads, attention.Heads)),
            (nameof(AttentionAttribute.HeadSize), (long)attention.HeadSize * attention.Heads == hidden ? null : Number(attention.HeadSize)),
            (nameof(AttentionAttribute.Bias), Unless(attention.Bias, default)),
            (nameof(AttentionAttribute.QueryKeyNorm), If(attention.QueryKeyNorm)),
            (nameof(AttentionAttribute.Window), Unless(attention.Window, 0)),
            (nameof(AttentionAttribute.SoftCap), If(attention.SoftCap)));
        foreach (var block in layer.FeedForward.Cast<DenseFeedForwardSpec>())
        {
            Attribute(indent, "FeedForward", "(",
                (nameof(FeedForwardAttribute.Intermediate), Number(block.Intermediate)),
                (nameof(FeedForwardAttribute.Activation), Choice(block.Activation)),
                (nameof(FeedForwardAttribute.Bias), If(block.Bias)));
        }
        _text.Append(indent).Append("public sealed class ").Append(type).Append(";\n");
    }

    private void AddDeployment(DeploymentSpec deployment)
    {
        var offload = deployment.Offload;
        Attribute("", "Deployment", $"(typeof({_model}), {DeviceOf(deployment.Device)}",
            (nameof(DeploymentAttribute.TensorParallel), Unless(deployment.TensorParallel, 1)),
            (nameof(DeploymentAttribute.Weights), Unless(deployment.Weights, default)),
            (nameof(DeploymentAttribute.Activations), Unless(deployment.Activations, default)),
            (nameof(DeploymentAttribute.KeyValues), Unless(deployment.KeyValues, default)),
            (nameof(DeploymentAttribute.KeyValueBlockTokens), Unless(deployment.KeyValueBlockTokens, 0)),
            (nameof(DeploymentAttribute.Prefetch), Unless(deployment.Prefetch, PrefetchPolicy.Best)),
            (nameof(DeploymentAttribute.PrefetchTargets), Unless(deployment.PrefetchTargets, default)),
            (nameof(DeploymentAttribute.SeparateProjections), If(deployment.SeparateProjections)),
            (nameof(DeploymentAttribute.SequenceParallel), If(deployment.SequenceParallel)),
            (nameof(DeploymentAttribute.CollectiveFusion), Unless(deployment.CollectiveFusion, default)),
            (nameof(DeploymentAttribute.KeyValueHome), Unless(offload.KeyValues, default)),
            (nameof(DeploymentAttribute.WeightHome), Unless(offload.Weights, default)),
            (nameof(DeploymentAttribute.Objective), Unless(offload.Objective, default)),
            (nameof(DeploymentAttribute.BatchesPerLayer), Unless(offload.BatchesPerLayer, 1)),
            (nameof(DeploymentAttribute.StoredActivations), Unless(offload.StoredActivations, default)),
            (nameof(DeploymentAttribute.Recompute), Unless(offload.Recompute, RecomputePolicy.Best)));
        foreach (var step in deployment.Steps)
        {
            if (step is DecodeSpec decode)
            {
                Attribute("", "Decode", "(",
                    (nameof(DecodeAttribute.Batch), Number(decode.Batch)),
                    (decode.Total ? nameof(DecodeAttribute.CachedTokens) : nameof(DecodeAttribute.Context), Number(decode.Context)),
                    (nameof(DecodeAttribute.Prompt), Unless(decode.Prompt, 0)));
            }
            else
            {
                Attribute("", "Prefill", "(", (nameof(PrefillAttribute.Batch), Number(step.Batch)), (nameof(PrefillAttribute.Tokens), Number(step.NewTokens)));
            }
        }
        _text.Append("public sealed partial class ").Append(_model).Append("_On").Append(DeviceName(deployment.Device)).Append($" : {Named(nameof(Deployment))};\n");
    }

    private static string Identifier(string name, string prefix)
    {
        var identifier = new StringBuilder();
        var apart = true;
        foreach (var letter in name)
        {
            if (!IsWord(letter))
            {
                apart = true;
                continue;
            }
            // Two numbers would else become one.
            if (apart && char.IsDigit(letter) && identifier.Length > 0 && char.IsDigit(identifier[identifier.Length - 1]))
                identifier.Append('_');
            identifier.Append(apart ? char.ToUpperInvariant(letter) : letter);
            apart = false;
        }
        return identifier.Length > 0 && char.IsLetter(identifier[0]) ? identifier.ToString() : prefix + identifier;
    }

    private static bool IsIdentifier(string name) => name.Length > 0 && !char.IsDigit(name[0]) && name.All(c => c == '_' || char.IsLetter(c) || IsWord(c));

    /// <summary>A name that declares a type. C# keeps words of small letters to itself, and those of versions to come are of such too (compiler warning CS8981).</summary>
    private static string Escaped(string name) => ReservedWords.Contains(name) || name.All(c => c is >= 'a' and <= 'z') ? "@" + name : name;

    private static bool IsWord(char letter) => letter is (>= 'a' and <= 'z') or (>= 'A' and <= 'Z') or (>= '0' and <= '9');

    private string DeviceOf(string id) => ConstantOf(id) is { } constant ? $"{Named(nameof(Devices))}.{constant}" : Literal(id);

    private static string DeviceName(string id) => ConstantOf(id) ?? Identifier(id, "Device");

    private static string? ConstantOf(string id) =>
        typeof(Devices).GetFields(BindingFlags.Public | BindingFlags.Static).FirstOrDefault(f => (string?)f.GetRawConstantValue() == id)?.Name;

    /// <summary>Writes an attribute, from the parenthesis on with what begins its arguments; arguments of no value are those that have their default.</summary>
    private void Attribute(string indent, string type, string begin, params (string Name, string? Value)[] arguments)
    {
        var line = new StringBuilder(indent).Append('[').Append(NamedAttribute(type)).Append(begin);
        var apart = begin == "(" ? "" : ",";
        foreach (var (name, value) in arguments.Where(a => a.Value is not null))
        {
            line.Append(apart);
            var argument = $"{name} = {value}";
            if (line.Length + argument.Length > MostColumns)
            {
                _text.Append(line).Append('\n');
                line.Clear().Append(indent).Append("    ");
            }
            else if (apart == ",")
            {
                line.Append(' ');
            }
            line.Append(argument);
            apart = ",";
        }
        _text.Append(line).Append(")]\n");
    }

    private static string? If(bool value) => value ? "true" : null;

    private static string? Unless(int value, int unset) => value == unset ? null : Number(value);

    private string? Unless<T>(T value, T unset)
        where T : struct, Enum => value.Equals(unset) ? null : Choice(value);

    private string Choice<T>(T value)
        where T : struct, Enum => $"{Named(typeof(T).Name)}.{value}";

    /// <summary>A type of the library: by its whole name where another of the same name stands nearer.</summary>
    private string Named(string type) => _hiding.Contains(type) ? $"global::{Library}.{type}" : type;

    private string NamedAttribute(string name) => _hiding.Contains(name + nameof(Attribute)) ? $"global::{Library}.{name}" : name;

    /// <summary>A number as a person writes it: groups of three digits from five on.</summary>
    private static string Number(int value) =>
        Math.Abs((long)value) < 10_000 ? value.ToString(CultureInfo.InvariantCulture) : value.ToString("#,0", CultureInfo.InvariantCulture).Replace(',', '_');

    private static string Literal(string value)
    {
        var text = new StringBuilder("\"");
        foreach (var letter in value)
        {
            // What ends a line or is no letter could end the literal, or be lost in an editor.
            if (letter is '"' or '\\')
                text.Append('\\').Append(letter);
            else if (letter < ' ' || letter > '~')
                text.Append("\\u").Append(((int)letter).ToString("x4", CultureInfo.InvariantCulture));
            else
                text.Append(letter);
        }
        return text.Append('"').ToString();
    }
}
