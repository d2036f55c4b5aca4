namespace Preserve.Cli.Commands;

/// <summary>A model as a user names it: one of the catalogue by id or common name, or a config.json by path.</summary>
internal static class ModelArgument
{
    /// <summary>The model.</summary>
    /// <exception cref="InputException">There is none of that name, or the file is not sound.</exception>
    public static ImportedModel Read(string name)
    {
        var result = ModelSource.Load(name);
        return result.Model
            ?? throw new InputException(string.Join(Environment.NewLine + "preserve: ", result.Errors.Select(e => e.Line > 0 ? $"{ModelSource.FileOf(name)}:{e.Line}:{e.Column}: {e.Message}" : e.Message)));
    }
}
