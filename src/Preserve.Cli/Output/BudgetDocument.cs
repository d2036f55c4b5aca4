using System.Text.Json;
using Preserve.Cli.Commands;
using Preserve.Exploration;

namespace Preserve.Cli.Output;

/// <summary>What <c>budget --json</c> prints. The names are documented in docs/budget.schema.json.</summary>
internal sealed record BudgetDocument
{
    public required string Model { get; init; }

    public required string Device { get; init; }

    public required int TensorParallel { get; init; }

    public required string Phase { get; init; }

    public required int Batch { get; init; }

    public required int Context { get; init; }

    public required decimal BaseMicroseconds { get; init; }

    public required long L2FullBytes { get; init; }

    public required long L2LimitBytes { get; init; }

    public required IReadOnlyList<BudgetRunDocument> Budgets { get; init; }

    public required BudgetRunDocument Best { get; init; }

    public required IReadOnlyList<NoteDocument> Assumed { get; init; }

    public static BudgetDocument Of(DeployedModel deployed, IReadOnlyList<BudgetRun> runs)
    {
        var (spec, step) = (deployed.Spec, deployed.Spec.Steps[0]);
        return new BudgetDocument
        {
            Model = spec.Model.Name,
            Device = deployed.Device.Id,
            TensorParallel = spec.TensorParallel,
            Phase = step is DecodeSpec ? "decode" : "prefill",
            Batch = step.Batch,
            Context = step is DecodeSpec ? deployed.Context : step.NewTokens,
            BaseMicroseconds = Simulation.Microseconds(runs[0].Base.Picoseconds),
            L2FullBytes = deployed.Device.PrefetchRoomBytes,
            L2LimitBytes = deployed.Device.L2LimitBytes,
            Budgets = [.. runs.Where(r => r.BudgetBytes is not null).Select(r => BudgetRunDocument.Of(r, step))],
            Best = BudgetRunDocument.Of(runs.Single(r => r.BudgetBytes is null), step),
            Assumed = [.. FieldUse.Marked(deployed.Device, runs.Select(r => r.Plan)).AssumedFields.Select(NoteDocument.Of)],
        };
    }

    public string ToJson() => JsonSerializer.Serialize(this, DocumentContext.Default.BudgetDocument);
}

/// <summary>A step with one budget under each collective; the budget is null where the prefetches were searched for. Bytes are one rank's.</summary>
internal sealed record BudgetRunDocument(
    decimal? BudgetMegabytes, decimal StepMicroseconds, double TokensPerSecond, double Speedup, long PrefetchedBytes, long EvictedBytes, long LateBytes)
{
    public static BudgetRunDocument Of(BudgetRun r, StepSpec step) => new(
        r.BudgetBytes / 1e6m, Simulation.Microseconds(r.Run.Picoseconds), step.Batch * (double)step.NewTokens / (r.Run.Picoseconds * 1e-12), r.Speedup,
        r.Run.PrefetchedBytes, r.EvictedBytes, r.LateBytes);
}
