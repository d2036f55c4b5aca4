namespace Preserve.Models.Tests;

internal static class ImportAssertions
{
    public static ImportedModel ShouldBeAModel(this ModelImportResult result)
    {
        result.Errors.ShouldBeEmpty();
        return result.Model.ShouldNotBeNull();
    }

    /// <summary>The messages of the errors; there must be some, and no model.</summary>
    public static string[] Messages(this ModelImportResult result)
    {
        result.Model.ShouldBeNull();
        result.Errors.ShouldNotBeEmpty();
        return [.. result.Errors.Select(e => e.Message)];
    }

    public static string Message(this ModelImportResult result) => result.Messages().ShouldHaveSingleItem();
}
