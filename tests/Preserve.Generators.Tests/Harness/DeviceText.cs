using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace Preserve.Generators.Tests;

/// <summary>A device file of a test project.</summary>
internal sealed class DeviceText(string path, string text) : AdditionalText
{
    /// <summary>A device of a project's own, with what a file needs.</summary>
    public const string Own = """
        {
          "preserve_device": 1,
          "id": "own-1",
          "compute": { "bf16_teraflops": 100 },
          "hbm": { "capacity_gigabytes": 32, "nominal_gigabytes_per_second": 1000 },
          "l2": { "capacity_mebibytes": 64, "read_terabytes_per_second": 4 },
          "scale_up": { "kind": "own link", "gigabytes_per_second_per_direction": 100 }
        }

        """;

    public override string Path => path;

    public override SourceText GetText(CancellationToken cancellationToken = default) => SourceText.From(text);
}
