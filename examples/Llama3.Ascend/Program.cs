using System.Globalization;
using System.Text;
using Llama3.Ascend;
using Preserve;
using static Preserve.TimelineText;

Console.OutputEncoding = Encoding.UTF8;
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;

// The plans were made when this project was built; here they are read and run on the hardware model.
const int context = 16_384;
var plans = new Llama3_70B_OnAscend().Plans;
var plan = plans.ForDecode(batch: 4, context);
var report = plans.Steps.Single(s => s.Plan == plan).Report;
if (!DeviceCatalogue.TryGet(plan.Device, out var device))
    throw new InvalidOperationException($"'{plan.Device}' is not a built-in device");

var baseRun = await RunAsync(plan.WithoutPrefetch());
var run = await RunAsync(plan);

Console.WriteLine($"{plan.Model} on {plan.Ranks} x {device.Name}: {plan.Step}, policy {plan.Policy}");
Console.WriteLine($"each rank holds {report.WeightBytes / 1e9:0.0} GB of weights, {report.KeyValueBytes / 1e9:0.0} GB of KV-cache, {plan.ArenaBytes / 1e6:0.0} MB of values");
Console.WriteLine();
foreach (var note in device.AssumedFields)
    Console.WriteLine($"  assumed   {note.Field}: {note.Note}");
foreach (var note in device.DoubtfulFields)
    Console.WriteLine($"  doubtful  {note.Field}: {note.Note}");

Console.WriteLine();
Console.WriteLine($"base plan      {Microseconds(baseRun.Picoseconds),11}   no prefetch");
Console.WriteLine($"this plan      {Microseconds(run.Picoseconds),11}   {Gain(baseRun.Picoseconds, run.Picoseconds)}");
Console.WriteLine($"lower bound    {Microseconds(report.BoundPicoseconds),11}   by {report.BoundBy}; this plan takes {(double)run.Picoseconds / report.BoundPicoseconds:0.00} times that");
Console.WriteLine($"collectives    {Microseconds(baseRun.CollectiveExposedPicoseconds),11}   of the base plan, {100.0 * baseRun.CollectiveExposedPicoseconds / baseRun.Picoseconds:0.0} %: nothing else runs meanwhile");
Console.WriteLine($"reachable      {Microseconds(report.ReachablePicoseconds),11}   is what the bytes that memory can bring while collectives run would save; what is saved beyond that ran on past them");
Console.WriteLine($"elsewhere      {Microseconds(report.ElsewherePicoseconds),11}   prefetches run when no collective does, which can save more");
Console.WriteLine($"gain           {Microseconds(report.GainAtHalfPicoseconds),11}   if every collective takes half its time, {Microseconds(report.GainAtTwicePicoseconds)} if twice");
Console.WriteLine();

const int layer = 40;
var (start, end) = SpanOf(baseRun, layer);
var (newStart, newEnd) = SpanOf(run, layer);
var span = Math.Max(end - start, newEnd - newStart);
Console.WriteLine($"layer {layer}, base plan: {Microseconds(end - start)}");
Console.WriteLine(OfLayer(baseRun, layer, span));
Console.WriteLine($"layer {layer}, this plan: {Microseconds(newEnd - newStart)}");
Console.WriteLine(OfLayer(run, layer, span));

Console.WriteLine("windows: what is prefetched under each collective, and why not the rest; tensors below 1 MB are left out");
foreach (var window in report.Windows)
{
    var layers = window.FirstLayer < 0 ? "" : window.FirstLayer == window.LastLayer ? $" of layer {window.FirstLayer}" : $" of layers {window.FirstLayer} to {window.LastLayer}";
    Console.WriteLine($"  {window.Host}{layers}: takes {Microseconds(window.WindowPicoseconds)}, hides {Microseconds(window.HiddenPicoseconds)} of prefetch; " +
        $"its prefetches {(window.SavedPicoseconds < 0 ? "cost" : "save")} {Microseconds(Math.Abs(window.SavedPicoseconds))} of the step");
    foreach (var candidate in window.Candidates.Where(c => c.Bytes >= 1_000_000))
        Console.WriteLine($"    {candidate.Tensor.Tensor,-16} {candidate.PrefetchedBytes / 1e6,6:0.0} of {candidate.Bytes / 1e6,6:0.0} MB   {candidate.Reason}");
}

async Task<StepRun> RunAsync(ExecutionPlan any) =>
    await new Executor(new SimulatedBackend(device, new SimulationOptions { RecordTimeline = true })).RunAsync(any, context);

static string Gain(long before, long after) => after <= before
    ? $"{(double)before / after:0.00}x faster"
    : $"{(double)after / before:0.00}x slower: the policy looks at room and not at time";
