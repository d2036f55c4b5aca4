using System.Globalization;
using System.Text;
using Opt.Offload;
using Preserve;

Console.OutputEncoding = Encoding.UTF8;
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;

// The plans were made when this project was built; here a whole generation of each runs on the hardware model.
const int batch = 64, prompt = 512, tokens = 128;
var plans = new Opt30B_OnOneA100().Plans;
var decode = plans.ForDecode(batch, prompt);
var report = plans.Steps.Single(s => s.Plan == decode).Report;
if (!DeviceCatalogue.TryGet(decode.Device, out var device))
    throw new InvalidOperationException($"'{decode.Device}' is not a built-in device");
var split = report.Split ?? throw new InvalidOperationException("the KV-cache does not live on the host");

var run = await RunAsync(plans);
var transferred = await RunAsync(new Opt30B_Transferred().Plans);
var footprint = PlanFootprint.Of(decode, prompt + tokens - 2).Max(PlanFootprint.Of(plans.ForPrefill(batch, prompt), 0));

Console.WriteLine($"{decode.Model} on one {device.Name}: {batch} sequences, prompts of {prompt} tokens, {tokens} tokens each");
Console.WriteLine($"the device holds {footprint.DeviceBytes / 1e9:0.0} GB, the host {footprint.HostBytes / 1e9:0.0} GB of keys, values and activations");
Console.WriteLine($"{split.Outcome}: {split.Reason}");
Console.WriteLine();
foreach (var note in device.AssumedFields.Where(n => n.Field.StartsWith("host_link", StringComparison.Ordinal)))
    Console.WriteLine($"  assumed   {note.Field}: {note.Note}");
Console.WriteLine();

Console.WriteLine("cached tokens of each sequence, by step: █ recomputed from activations, ░ keys and values transferred");
const int rows = 16, perColumn = 10;
for (var row = 0; row < rows; row++)
{
    var step = row * (run.Decode.Count - 1) / (rows - 1);
    var context = prompt + step;
    var recomputed = decode.RecomputedTokens(context);
    var bar = new string('█', Columns(recomputed)) + new string('░', Columns(context) - Columns(recomputed));
    Console.WriteLine($"  {context,4} = {recomputed,3} + {context - recomputed,3}  {bar,-64}  {Milliseconds(run.Decode[step].Picoseconds),10}, and {Milliseconds(transferred.Decode[step].Picoseconds),10} with all transferred");
}
Console.WriteLine();
Console.WriteLine($"                     all transferred   this plan");
Console.WriteLine($"prefill              {Seconds(transferred.Prefill.Picoseconds),15}   {Seconds(run.Prefill.Picoseconds),9}");
Console.WriteLine($"decode               {Seconds(transferred.DecodePicoseconds),15}   {Seconds(run.DecodePicoseconds),9}   {(double)transferred.DecodePicoseconds / run.DecodePicoseconds:0.00} times as fast");
Console.WriteLine($"tokens per second    {transferred.TokensPerSecond,15:0.0}   {run.TokensPerSecond,9:0.0}");
Console.WriteLine($"kernels run          {Share(transferred, s => s.KernelPicoseconds),15}   {Share(run, s => s.KernelPicoseconds),9}   of the decode steps' time");
Console.WriteLine($"link busy            {Share(transferred, s => s.CopyToDevicePicoseconds),15}   {Share(run, s => s.CopyToDevicePicoseconds),9}");
Console.WriteLine($"copies exposed       {Share(transferred, s => s.CopyExposedPicoseconds),15}   {Share(run, s => s.CopyExposedPicoseconds),9}");

ValueTask<GenerationRun> RunAsync(PlanSet any) =>
    GenerationRun.RunAsync(new Executor(new SimulatedBackend(device)), any.ForPrefill(batch, prompt), any.ForDecode(batch, prompt), tokens);

static int Columns(int count) => (count + (perColumn / 2)) / perColumn;

static string Milliseconds(long picoseconds) => $"{picoseconds / 1e9:#,0.0} ms";

static string Seconds(long picoseconds) => $"{picoseconds / 1e12:0.00} s";

static string Share(GenerationRun any, Func<StepRun, long> of) => $"{100 * any.DecodeShare(of):0.0} %";
