using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Preserve.Architecture.Tests;

/// <summary>What an assembly says of itself, read from its file without loading it.</summary>
internal sealed class BuiltAssembly
{
    private BuiltAssembly(MetadataReader reader)
    {
        References = reader.AssemblyReferences.Select(h => reader.GetString(reader.GetAssemblyReference(h).Name)).Order(StringComparer.Ordinal).ToArray();
        PublicTypes = reader.TypeDefinitions.Select(reader.GetTypeDefinition)
            .Where(t => (t.Attributes & TypeAttributes.VisibilityMask) == TypeAttributes.Public)
            .Select(t => (reader.GetString(t.Namespace), reader.GetString(t.Name)))
            .ToArray();
        Metadata = reader.GetAssemblyDefinition().GetCustomAttributes().Select(reader.GetCustomAttribute)
            .Where(a => NameOf(reader, a) == nameof(AssemblyMetadataAttribute))
            .Select(a => a.DecodeValue(StringsOnly.Instance).FixedArguments)
            .ToDictionary(a => (string)a[0].Value!, a => (string?)a[1].Value);
    }

    /// <summary>Names of the referenced assemblies.</summary>
    public IReadOnlyList<string> References { get; }

    /// <summary>Public types that are not nested.</summary>
    public IReadOnlyList<(string Namespace, string Name)> PublicTypes { get; }

    /// <summary>Its <see cref="AssemblyMetadataAttribute"/>s.</summary>
    public IReadOnlyDictionary<string, string?> Metadata { get; }

    public static BuiltAssembly Of(Room room, string framework)
    {
        var path = Path.Combine(Repository.Root, room.Folder, room.Name, "bin", Repository.Configuration, framework, room.Name + ".dll");
        using var file = new PEReader(File.OpenRead(path));
        return new BuiltAssembly(file.GetMetadataReader());
    }

    private static string NameOf(MetadataReader reader, CustomAttribute attribute) => attribute.Constructor.Kind switch
    {
        HandleKind.MemberReference when reader.GetMemberReference((MemberReferenceHandle)attribute.Constructor).Parent is { Kind: HandleKind.TypeReference } type =>
            reader.GetString(reader.GetTypeReference((TypeReferenceHandle)type).Name),
        _ => "",
    };

    /// <summary>Decodes attributes whose arguments are strings.</summary>
    private sealed class StringsOnly : ICustomAttributeTypeProvider<string>
    {
        public static readonly StringsOnly Instance = new();

        public string GetPrimitiveType(PrimitiveTypeCode typeCode) => typeCode.ToString();

        public string GetSystemType() => throw new NotSupportedException();

        public string GetSZArrayType(string elementType) => throw new NotSupportedException();

        public string GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind) => throw new NotSupportedException();

        public string GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind) => throw new NotSupportedException();

        public string GetTypeFromSerializedName(string name) => throw new NotSupportedException();

        public PrimitiveTypeCode GetUnderlyingEnumType(string type) => throw new NotSupportedException();

        public bool IsSystemType(string type) => false;
    }
}
