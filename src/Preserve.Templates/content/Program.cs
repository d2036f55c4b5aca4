using System.Globalization;
using Preserve;
using Serving;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;

// The plans were made when this project was built; here they are read, and run on the model of the device.
var plans = new Llama3_8B_Deployed().Plans;
var device = plans.DeviceFile is { } file ? DeviceFile.Parse(file).Device!
    : DeviceCatalogue.TryGet(plans.Steps[0].Plan.Device, out var builtIn) ? builtIn
    : throw new InvalidOperationException($"no device is called '{plans.Steps[0].Plan.Device}'");
var executor = new Executor(new SimulatedBackend(device));

foreach (var (plan, report) in plans.Steps)
{
    var before = (await executor.RunAsync(plan.WithoutPrefetch(), plan.Step.MaxContext)).Picoseconds;
    var now = (await executor.RunAsync(plan, plan.Step.MaxContext)).Picoseconds;
    Console.WriteLine($"{plan.Model} on {plan.Ranks} x {device.Name}: {plan.Step}");
    Console.WriteLine();
    Console.WriteLine($"without prefetch  {Milliseconds(before)}");
    Console.WriteLine($"this plan         {Milliseconds(now)}   {(double)before / now:0.000} times as fast");
    Console.WriteLine($"lower bound       {Milliseconds(report.BoundPicoseconds)}   by {report.BoundBy}");

    // What may run beside an operator of the layers, and why not more of it; the report has the windows outside them too.
    foreach (var window in report.Windows.Where(w => w.FirstLayer < w.LastLayer))
    {
        Console.WriteLine();
        Console.WriteLine($"beside {window.Host} of layers {window.FirstLayer} to {window.LastLayer}");
        foreach (var candidate in window.Candidates.Where(c => c.Verdict != Verdict.NotAsked))
            Console.WriteLine($"  {candidate.Tensor.Tensor,-16}{Megabytes(candidate.PrefetchedBytes)} of{Megabytes(candidate.Bytes)}   {candidate.Reason}");
    }
    Console.WriteLine();
}

static string Milliseconds(long picoseconds) => $"{picoseconds / 1e9,8:0.000} ms";

static string Megabytes(long bytes) => $"{bytes / 1e6,8:0.0} MB";
