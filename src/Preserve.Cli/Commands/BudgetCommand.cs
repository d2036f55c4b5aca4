using System.CommandLine;
using Preserve.Cli.Output;
using Preserve.Exploration;

namespace Preserve.Cli.Commands;

/// <summary><c>preserve budget</c>: prefetch by a fixed number of bytes, beside the searched one.</summary>
internal static class BudgetCommand
{
    private const double LargestMegabytes = 100_000;
    private const int MostBudgets = 1000;

    private static readonly double[] _budgets = [0, 10, 20, 30, 40, 50, 60, 80, 100, 120];

    public static Command Create()
    {
        var options = new DeploymentOptions();
        var budgets = new Option<double[]>("--budget") { Description = $"Megabytes that are prefetched under each collective. Left out: {string.Join(", ", _budgets)}.", DefaultValueFactory = _ => _budgets, AllowMultipleArgumentsPerToken = true, HelpName = "MB ..." };
        var json = new Option<bool>("--json") { Description = "Print JSON, as docs/budget.schema.json describes it." };
        var command = new Command("budget", "Runs a step with so many bytes prefetched under each collective, whatever the L2 keeps, beside what is searched for: time, and what was brought in vain.") { budgets, json };
        options.AddStepTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            var swept = Budgets(parsed.GetValue(budgets)!);
            var deployed = options.ReadStep(parsed);
            DeviceArgument.NeedL2(deployed.Device);
            if (deployed.Spec.TensorParallel == 1)
                throw new InputException("--tensor-parallel is 1, but a budget is of each collective, and one rank has none");
            var runs = BudgetSweep.Run(deployed.Spec, deployed.Context, deployed.Device, swept, null, cancellation);
            var document = BudgetDocument.Of(deployed, runs);
            if (parsed.GetValue(json))
                Console.WriteLine(document.ToJson());
            else
                BudgetText.Print(document);
            return Task.FromResult(0);
        });
        return command;
    }

    private static long[] Budgets(double[] megabytes)
    {
        if (megabytes.Length is 0 or > MostBudgets)
            throw new InputException($"--budget has {megabytes.Length} budgets, but must have 1 to {MostBudgets}");
        foreach (var budget in megabytes)
        {
            if (!(budget >= 0 && budget <= LargestMegabytes))
                throw new InputException($"--budget has {budget}, but a budget must be 0 to {LargestMegabytes:#,0} MB");
        }
        return [.. megabytes.Select(b => (long)(b * 1e6)).Distinct().Order()];
    }
}
