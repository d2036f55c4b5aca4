using System;
using App;
using Preserve;

var plans = new SmallDeployed().Plans;
var plan = plans.ForDecode(batch: 2, context: 500);
var device = plans.DeviceFile is { } file ? DeviceFile.Parse(file).Device
    : DeviceCatalogue.TryGet(plan.Device, out var found) ? found
    : null;
var run = await new Executor(new SimulatedBackend(device!)).RunAsync(plan, context: 500);
Console.WriteLine($"device {plan.Device}");
Console.WriteLine($"ranks {plan.Ranks}");
Console.WriteLine($"picoseconds {run.Picoseconds}");
