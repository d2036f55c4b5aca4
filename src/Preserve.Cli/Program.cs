using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text;
using Preserve.Cli;
using Preserve.Cli.Commands;
using Spectre.Console;

// Exit codes: 0, 1 for a check that failed, 2 for bad input.
const int badInput = 2;
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
Console.OutputEncoding = Encoding.UTF8;

// A pipe has no width; a table is not to be broken for it.
if (Console.IsOutputRedirected)
    AnsiConsole.Profile.Width = 240;

// A RootCommand would be called as the file is that runs it.
var root = new Command("preserve", "Plans and simulates transformer inference on modelled accelerators.")
{
    new HelpOption(),
    new VersionOption(),
    SimulateCommand.Create(),
    DeclareCommand.Create(),
    GenerateCommand.Create(),
    ExplainCommand.Create(),
    ExploreCommand.Create(),
    BudgetCommand.Create(),
    ReproduceCommand.Create(),
    DevicesCommand.Create(),
    ModelsCommand.Create(),
    ValidateCommand.Create(),
    CalibrateCommand.Create(),
    ProfileCommand.Create(),
};
var parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    foreach (var error in parsed.Errors)
        Console.Error.WriteLine($"preserve: {BadArgument.MessageOf(error)}");
    Console.Error.WriteLine($"preserve: see '{NameOf(parsed.CommandResult)} --help'");
    return badInput;
}
try
{
    return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (InputException e)
{
    Console.Error.WriteLine($"preserve: {e.Message}");
    return badInput;
}
catch (Exception e) when (e is IOException or UnauthorizedAccessException)
{
    Console.Error.WriteLine($"preserve: {e.Message}");
    return badInput;
}
catch (OperationCanceledException)
{
    Console.Error.WriteLine("preserve: stopped");
    return 130;
}

// With the verbs before it: reproduce has two.
static string NameOf(CommandResult command) => command.Parent is CommandResult parent ? $"{NameOf(parent)} {command.Command.Name}" : command.Command.Name;
