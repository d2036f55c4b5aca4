using System.CommandLine;
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
        var command = new Command("declare", "Writes the C# that declares a model and its deployment, for a project that references the package Preserve.") { space, file };
        options.AddDeclarationTo(command);
        command.SetAction(parsed =>
        {
            OutputFile.Check(parsed.GetValue(file));
            var inNamespace = parsed.GetValue(space)!;
            if (DeclarationText.NamespaceFault(inNamespace) is { } fault)
                throw new InputException($"--namespace is '{inNamespace}', but {fault}");
            var deployed = options.Read(parsed);
            var text = DeclarationText.Write(deployed.Spec, inNamespace);
            if (parsed.GetValue(file) is { } path)
                path.Write(text);
            else
                Console.Write(text);
            foreach (var note in deployed.Notes)
                Console.Error.WriteLine($"note: {note}");
            if (deployed.DeviceFile is not null && !DeviceCatalogue.TryGet(deployed.Device.Id, out _))
                Console.Error.WriteLine($"note: {deployed.Device.Id} is no built-in device: its file belongs into the project, under a name that ends in .device.json");
        });
        return command;
    }
}
