using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve;

/// <summary>What a plan keeps in memory for one rank at one context: every tensor of every layer that it touches, and the arena.</summary>
/// <param name="DeviceBytes">Bytes in the device's memory.</param>
/// <param name="HostBytes">Bytes in the host's memory.</param>
public readonly record struct PlanFootprint(long DeviceBytes, long HostBytes)
{
    /// <summary>What holds both this and another: the larger of each memory.</summary>
    /// <param name="other">The other.</param>
    public PlanFootprint Max(PlanFootprint other) => new(Math.Max(DeviceBytes, other.DeviceBytes), Math.Max(HostBytes, other.HostBytes));

    /// <summary>Adds up a plan's tensors.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="context">The context; the plan serves it.</param>
    /// <exception cref="ArgumentNullException"><paramref name="plan"/> is null.</exception>
    /// <exception cref="OverflowException">A size does not fit 64 bits.</exception>
    public static PlanFootprint Of(ExecutionPlan plan, int context)
    {
        if (plan is null)
            throw new ArgumentNullException(nameof(plan));
        var tensors = plan.Tensors.ToDictionary(t => t.Name, StringComparer.Ordinal);
        var counted = new HashSet<(string Tensor, int Layer)>();
        long device = plan.ArenaBytes, host = 0;
        Walk(plan.Body, 0);
        return new PlanFootprint(device, host);

        void Walk(EquatableArray<PlanNode> body, int layer)
        {
            foreach (var node in body)
            {
                if (node is Repeat repeat)
                {
                    for (var i = 0; i < repeat.Count; i++)
                        Walk(repeat.Body, repeat.FirstLayer + (i * repeat.Stride));
                }
                else if (node is Instruction instruction)
                {
                    Add(instruction.Reads, layer);
                    Add(instruction.Writes, layer);
                }
            }
        }

        void Add(EquatableArray<TensorReference> references, int layer)
        {
            foreach (var reference in references)
            {
                var tensor = tensors[reference.Tensor];
                if ((tensor.Role == TensorRole.Value && !tensor.OnHost) || !counted.Add((tensor.Name, reference.Layer.Resolve(layer))))
                    continue;
                var bytes = tensor.Bytes.At(context);
                if (tensor.OnHost)
                    host = checked(host + bytes);
                else
                    device = checked(device + bytes);
            }
        }
    }
}
