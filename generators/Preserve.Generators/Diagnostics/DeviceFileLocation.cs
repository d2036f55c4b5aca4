using System;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace Preserve.Generators;

/// <summary>Finds the place of an error or a doubt in a device file.</summary>
internal static class DeviceFileLocation
{
    /// <summary>From the place to the end of its line.</summary>
    public static Location Of(AdditionalText file, SourceText text, int line, int column)
    {
        var found = text.Lines[Math.Min(line, text.Lines.Count) - 1];
        var span = TextSpan.FromBounds(Math.Min(found.Start + column - 1, found.End), found.End);
        return Location.Create(file.Path, span, text.Lines.GetLinePositionSpan(span));
    }
}
