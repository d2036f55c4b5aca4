using System.CommandLine;
using Preserve.Cli.Output;

namespace Preserve.Cli.Commands;

/// <summary><c>preserve generate</c>: plans a prefill and the decode steps after it, and runs each at its own length.</summary>
internal static class GenerateCommand
{
    public static Command Create()
    {
        var options = new DeploymentOptions();
        var tokens = new Option<int>("--tokens", "-n") { Description = "Tokens that each sequence is given: the first by the prefill.", DefaultValueFactory = _ => 128 };
        var json = new Option<bool>("--json") { Description = "Print JSON, as docs/generate.schema.json describes it." };
        var plan = OutputFile.Option("--plan", "Write the plans' text.", "file.txt");
        var command = new Command("generate", "Plans a whole generation, and runs it on the hardware model: the prefill, then a decode step for each token.") { tokens, json, plan };
        options.AddGenerationTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            OutputFile.Check(parsed.GetValue(plan));
            var given = parsed.GetValue(tokens);
            var simulation = await GenerationSimulation.RunAsync(options.ReadGeneration(parsed, given), given, cancellation);
            if (parsed.GetValue(plan) is { } planFile)
                planFile.Write(PlanText.Write(simulation.Plans));
            if (parsed.GetValue(json))
                simulation.ToDocument().Write(Console.Out);
            else
                GenerationText.Print(simulation);
            return 0;
        });
        return command;
    }
}
