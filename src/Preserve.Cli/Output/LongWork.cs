using Spectre.Console;

namespace Preserve.Cli.Output;

/// <summary>Says that long work goes on, on a terminal; a pipe gets the result alone.</summary>
internal static class LongWork
{
    public static T Show<T>(bool quiet, string what, Func<T> work)
    {
        if (quiet || Console.IsErrorRedirected)
            return work();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Status().Start(what, _ => work());
    }
}
