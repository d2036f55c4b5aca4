using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Preserve.Tests;

/// <summary>The documentation comments of an assembly, as Markdown.</summary>
internal sealed partial class XmlDocumentation
{
    private readonly Dictionary<string, XElement> _members;

    /// <summary>Reads the file beside the assembly.</summary>
    public XmlDocumentation(Assembly assembly) =>
        _members = XDocument.Load(Path.ChangeExtension(assembly.Location, ".xml")).Descendants("member").ToDictionary(m => m.Attribute("name")!.Value);

    public string SummaryOf(Type type) => Text(Member($"T:{type.FullName}").Element("summary"), type.Name);

    public string SummaryOf(MemberInfo member) =>
        Text(Member($"{(member is FieldInfo ? 'F' : 'P')}:{member.DeclaringType!.FullName}.{member.Name}").Element("summary"), member.Name);

    /// <summary>What a type's primary constructor says of a parameter.</summary>
    public string ParameterOf(Type type, string parameter)
    {
        var constructor = type.GetConstructors().Single(c => c.GetParameters().Any(p => p.Name == parameter));
        var signature = string.Join(",", constructor.GetParameters().Select(p => SignatureOf(p.ParameterType)));
        var member = _members.GetValueOrDefault($"M:{type.FullName}.#ctor({signature})") ?? Member($"T:{type.FullName}");
        return Text(member.Elements("param").SingleOrDefault(p => p.Attribute("name")!.Value == parameter), $"{type.Name}.{parameter}");
    }

    private static string SignatureOf(Type type) => Nullable.GetUnderlyingType(type) is { } value ? $"System.Nullable{{{value.FullName}}}" : type.FullName!;

    private XElement Member(string name) => _members.GetValueOrDefault(name) ?? throw new InvalidOperationException($"{name} has no documentation");

    private static string Text(XElement? element, string member)
    {
        var text = new StringBuilder();
        foreach (var node in element?.Nodes() ?? throw new InvalidOperationException($"{member} has no documentation"))
        {
            text.Append(node switch
            {
                XElement e when e.Attribute("cref") is { } reference => $"`{NameOf(reference.Value)}`",
                XElement e when e.Attribute("name") is { } name => $"`{name.Value}`",
                XElement e => $"`{e.Value}`",
                _ => ((XText)node).Value,
            });
        }
        return Blanks().Replace(text.ToString(), " ").Trim();
    }

    /// <summary>A type by its name, an attribute as it is written, a member of an enumeration with its type before it.</summary>
    private static string NameOf(string reference)
    {
        var parts = reference[2..].Split('.');
        if (reference[0] == 'T')
            return parts[^1].EndsWith(nameof(Attribute), StringComparison.Ordinal) ? $"[{parts[^1][..^nameof(Attribute).Length]}]" : parts[^1];
        return reference[0] == 'F' ? $"{parts[^2]}.{parts[^1]}" : parts[^1];
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}
