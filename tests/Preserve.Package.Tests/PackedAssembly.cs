using System.IO.Compression;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Preserve.Package.Tests;

/// <summary>What an assembly in a package says of itself.</summary>
/// <param name="Version">The identifier that the compiler gave this and no other build.</param>
/// <param name="Framework">The framework that it was built for, "none" where it does not say.</param>
/// <param name="IsNative">Whether it has native code beside its IL.</param>
internal sealed record PackedAssembly(Guid Version, string Framework, bool IsNative)
{
    public static PackedAssembly Read(ZipArchiveEntry entry)
    {
        var copy = new MemoryStream();
        using (var stream = entry.Open())
            stream.CopyTo(copy);
        copy.Position = 0;
        using var file = new PEReader(copy);
        var reader = file.GetMetadataReader();
        return new(reader.GetGuid(reader.GetModuleDefinition().Mvid), FrameworkOf(reader), file.PEHeaders.CorHeader!.ManagedNativeHeaderDirectory.Size > 0);
    }

    private static string FrameworkOf(MetadataReader reader)
    {
        foreach (var attribute in reader.GetAssemblyDefinition().GetCustomAttributes().Select(reader.GetCustomAttribute))
        {
            if (attribute.Constructor.Kind != HandleKind.MemberReference)
                continue;
            var type = reader.GetMemberReference((MemberReferenceHandle)attribute.Constructor).Parent;
            if (type.Kind == HandleKind.TypeReference && reader.GetString(reader.GetTypeReference((TypeReferenceHandle)type).Name) == "TargetFrameworkAttribute")
            {
                var value = reader.GetBlobReader(attribute.Value);
                value.ReadUInt16(); // the prolog
                return value.ReadSerializedString()!;
            }
        }
        return "none";
    }
}
