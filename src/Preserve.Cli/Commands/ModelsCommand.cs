using System.CommandLine;
using System.Text.Json;
using Preserve.Cli.Output;
using Spectre.Console;

namespace Preserve.Cli.Commands;

/// <summary><c>preserve models</c>: the catalogue of models, with what is doubtful in them.</summary>
internal static class ModelsCommand
{
    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var command = new Command("models", "Lists the models that are known by name, with what is doubtful in them.") { json };
        command.SetAction(parsed =>
        {
            var models = ModelCatalogue.Models;
            if (parsed.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(
                    [.. models.Select(m => new ModelDocument(m.Id, [.. m.Names], m.Parameters, m.Unsupported is null, m.Unsupported is null ? [.. m.Notes] : [.. m.Notes, m.Unsupported]))],
                    DocumentContext.Default.IReadOnlyListModelDocument));
                return 0;
            }
            var table = new Table().Border(TableBorder.Rounded).AddColumns("id", "also").AddColumn(new TableColumn("parameters").RightAligned()).AddColumn("planned");
            foreach (var m in models)
                table.AddRow(Markup.Escape(m.Id), Markup.Escape(string.Join(", ", m.Names)), $"{m.Parameters / 1e9:0.00} B", m.Unsupported is null ? "yes" : "no: " + Markup.Escape(m.Unsupported));
            AnsiConsole.Write(table);
            foreach (var m in models)
            {
                foreach (var note in m.Notes)
                    Console.WriteLine($"{m.Id}: {note}");
            }
            return 0;
        });
        return command;
    }
}
