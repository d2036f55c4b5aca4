using System.CommandLine;
using System.Text.Json;
using Preserve.Cli.Output;

namespace Preserve.Cli.Commands;

/// <summary><c>preserve declare</c>: writes the C# that declares a model and its deployment.</summary>
internal static class DeclareCommand
{
    public static Command Create()
    {
        var options = new DeploymentOptions();
        var space = new Option<string>("--namespace") { Description = "The namespace of both types.", DefaultValueFactory = _ => "Serving", HelpName = "name" };
        var file = OutputFile.Option("--out", "Write the file, and do not print it.", "file.cs");
        var force = new Option<bool>("--force") { Description = "Replace the file of --out, where there is one." };
        var json = new Option<bool>("--json") { Description = "Print JSON, as docs/declare.schema.json describes it." };
        var command = new Command("declare", "Writes the C# that declares a model and its deployment, for a project that references the package Preserve.") { space, file, force, json };
        options.AddDeclarationTo(command);
        command.SetAction(parsed =>
        {
            OutputFile.Check(parsed.GetValue(file));
            if (!parsed.GetValue(force))
                parsed.GetValue(file)?.CheckNew(force);
            var inNamespace = parsed.GetValue(space)!;
            if (DeclarationText.NamespaceFault(inNamespace) is { } fault)
                throw new InputException($"--namespace is '{inNamespace}', but {fault}");
            var deployed = options.Read(parsed);
            // In a project the id alone names a device, and such a file is an error there.
            if (deployed.HasBuiltInId)
                throw new InputException($"the device file has the id of the built-in device {deployed.Device.Id}, and other contents: a declaration by that id means the built-in device; the file needs an id of its own");
            var text = DeclarationText.Write(deployed.Spec, inNamespace);
            var notes = NotesOf(deployed);
            parsed.GetValue(file)?.Write(text);
            if (parsed.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(
                    new DeclarationDocument(deployed.Spec.Model.Name, deployed.Device.Id, inNamespace, text, notes), DocumentContext.Default.DeclarationDocument));
                return;
            }
            if (parsed.GetValue(file) is null)
                Console.Write(text);
            foreach (var note in notes)
                Console.Error.WriteLine($"note: {note}");
        });
        return command;
    }

    private static IReadOnlyList<string> NotesOf(DeployedModel deployed) => deployed.DeviceFile is null || DeviceCatalogue.TryGet(deployed.Device.Id, out _)
        ? deployed.Notes
        : [.. deployed.Notes, $"{deployed.Device.Id} is no built-in device: its file belongs into the project, under a name that ends in .device.json"];
}
