using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;

namespace Preserve.Optimizer;

/// <summary>Makes the plans of a deployment: lowers, optimizes, proves and reports.</summary>
public static class Planner
{
    /// <summary>Plans every declared step.</summary>
    /// <param name="deployment">The deployment, accepted by the rules of the declaration.</param>
    /// <param name="device">The device that each rank runs on.</param>
    /// <param name="deviceFile">The text of the device's file where it is not built in: the plans carry it along.</param>
    /// <param name="cancellationToken">Stops before the next step, or the next run of its report.</param>
    /// <exception cref="NotSupportedException">There are no passes for the deployment: <see cref="PlanningRefusal"/>.</exception>
    /// <exception cref="OperationCanceledException">The planning was stopped.</exception>
    /// <exception cref="ArgumentException">The deployment does not fit the device's memory, or the host's.</exception>
    /// <exception cref="PlanningException">A plan failed its proof: a fault of the optimizer.</exception>
    public static PlanSet Plan(DeploymentSpec deployment, Device device, string? deviceFile = null, CancellationToken cancellationToken = default)
    {
        if (deployment is null)
            throw new ArgumentNullException(nameof(deployment));
        if (device is null)
            throw new ArgumentNullException(nameof(device));
        Refuse(deployment);
        deployment = WithPrefetch(deployment);
        var fit = MemoryFit.Of(deployment, device.MemoryBytes, device.HostMemoryBytes);
        if (fit.FitsDevice && !fit.Fits)
            throw new ArgumentException($"the deployment needs {fit.HostBytes} bytes of the host's memory, which has {fit.HostAvailableBytes}", nameof(deployment));
        if (!fit.Fits)
            throw new ArgumentException($"the deployment needs {fit.NeededBytes} bytes per rank, {device.Id} has {fit.AvailableBytes}", nameof(deployment));

        var laws = CostLaws.For(device);
        var splits = new SplitPlanner(deployment, laws, cancellationToken);
        var steps = new List<PlannedStep>();
        foreach (var step in deployment.Steps)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var draft = Draft(deployment, step, laws, splits, cancellationToken);
            Prove(draft.Plan);
            steps.Add(new PlannedStep(draft.Plan, new ReportBuilder(deployment, draft, laws, cancellationToken).Build()));
        }
        return new PlanSet(steps.ToArray(), deviceFile);
    }

    /// <summary>Plans one step and proves the plan, without the report that explains it.</summary>
    /// <param name="deployment">The deployment, accepted by the rules of the declaration.</param>
    /// <param name="step">The step; it need not be one of the deployment's.</param>
    /// <param name="device">The device that each rank runs on; its memory is not asked.</param>
    /// <param name="cancellationToken">Stops the planning.</param>
    /// <exception cref="NotSupportedException">There are no passes for the deployment: <see cref="PlanningRefusal"/>.</exception>
    /// <exception cref="OperationCanceledException">The planning was stopped.</exception>
    /// <exception cref="PlanningException">The plan failed its proof: a fault of the optimizer.</exception>
    public static ExecutionPlan PlanStep(DeploymentSpec deployment, StepSpec step, Device device, CancellationToken cancellationToken = default)
    {
        if (deployment is null)
            throw new ArgumentNullException(nameof(deployment));
        if (device is null)
            throw new ArgumentNullException(nameof(device));
        Refuse(deployment);
        deployment = WithPrefetch(deployment);
        var laws = CostLaws.For(device);
        var splits = new SplitPlanner(deployment, laws, cancellationToken);
        var plan = Draft(deployment, step ?? throw new ArgumentNullException(nameof(step)), laws, splits, cancellationToken).Plan;
        Prove(plan);
        return plan;
    }

    /// <summary>Plans a step by the deployment's policies.</summary>
    private static StepDraft Draft(DeploymentSpec deployment, StepSpec step, ICostLaws laws, SplitPlanner splits, CancellationToken cancellationToken) => step switch
    {
        _ when deployment.Offload.KeyValues == Home.Device => DraftPrefetched(deployment, step, laws, CacheSplit.None, cancellationToken),
        DecodeSpec decode => splits.Plan(decode),
        _ => splits.Plan((PrefillSpec)step),
    };

    /// <summary>Plans a step by the deployment's policy of prefetches.</summary>
    internal static StepDraft DraftPrefetched(
        DeploymentSpec deployment, StepSpec step, ICostLaws laws, CacheSplit split, CancellationToken cancellationToken, PlanTimes? times = null)
    {
        if (deployment.Prefetch == PrefetchPolicy.Best)
            return new BestPrefetch(deployment, step, laws, cancellationToken, split, times).Plan();
        var room = laws.Device.PrefetchRoomBytes;
        var graph = StepPlanner.Plan(deployment, step, StepPlanner.RuleOf(deployment.Prefetch, room), split);
        return new StepDraft(graph, PlanEmission.Emit(graph, deployment, room), null, null);
    }

    /// <summary>Where layers serve several batches nothing is prefetched: their weights are read by one batch after the other, and mostly the link to the
    /// host is what such a step waits for.</summary>
    private static DeploymentSpec WithPrefetch(DeploymentSpec deployment) =>
        deployment.Offload.BatchesPerLayer > 1 ? deployment with { Prefetch = PrefetchPolicy.None } : deployment;

    private static void Refuse(DeploymentSpec deployment)
    {
        if (PlanningRefusal.Of(deployment) is { } refusal)
            throw new NotSupportedException($"{refusal.Option}: {refusal.Reason}");
    }

    private static void Prove(ExecutionPlan plan)
    {
        var faults = PlanVerifier.Verify(plan);
        if (faults.Count > 0)
            throw new PlanningException($"the plan for {plan.Step} is unsound: {string.Join("; ", faults.Take(3))}");
    }
}
