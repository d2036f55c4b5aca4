using System.Text.Json;

namespace Preserve.Cli.Output;

/// <summary>The prefetches of a plan as a serving engine's prefetch calls want them: for each, the tensor of a layer, from which byte, how
/// many, and the operator whose start triggers it. The names are documented in docs/prefetch-table.schema.json.</summary>
internal static class PrefetchTable
{
    public static void Write(Stream stream, ExecutionPlan plan, int context)
    {
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        json.WriteString("model", plan.Model);
        json.WriteString("device", plan.Device);
        json.WriteNumber("tensorParallel", plan.Ranks);
        json.WriteString("step", plan.Step.ToString());
        json.WriteNumber("context", context);
        json.WriteStartArray("prefetches");
        // Unrolled, because an engine has a module for each layer.
        List<Instruction> instructions = [.. plan.Unroll().Body.Cast<Instruction>()];
        var lastReader = new Dictionary<(string Tensor, LayerIndex Layer), int>();
        for (var at = 0; at < instructions.Count; at++)
        {
            if (instructions[at].Operation is not PrefetchOperation)
            {
                foreach (var read in instructions[at].Reads)
                    lastReader[(read.Tensor, read.Layer)] = at;
            }
        }
        var last = new Dictionary<string, Instruction>(StringComparer.Ordinal);
        for (var at = 0; at < instructions.Count; at++)
        {
            var instruction = instructions[at];
            if (instruction.Operation is not PrefetchOperation)
                last["under_" + instruction.Label] = instruction;
            else if (last.TryGetValue(instruction.Label, out var trigger))
                Rows(json, plan, instruction, trigger, context, read => lastReader[(read.Tensor, read.Layer)] < at);
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Rows(Utf8JsonWriter json, ExecutionPlan plan, Instruction prefetch, Instruction trigger, int context, Func<TensorReference, bool> isOfNextStep)
    {
        foreach (var read in prefetch.Reads)
        {
            var tensor = plan.Tensors.First(t => t.Name == read.Tensor);
            // The table of a paged cache is what the engine finds the blocks by.
            if (tensor.Role == TensorRole.BlockTable)
                continue;
            var units = (read.Range?.Length ?? tensor.Units).At(context);
            if (units == 0)
                continue;
            json.WriteStartObject();
            Layer(json, "layer", read.Layer.Resolve(0));
            json.WriteString("tensor", read.Tensor);
            json.WriteNumber("offset", (read.Range?.Begin.At(context) ?? 0) * tensor.UnitBytes);
            json.WriteNumber("bytes", units * tensor.UnitBytes);
            if (tensor.Role == TensorRole.KeyValues)
            {
                // In the context's unit, for an engine whose cache lies in blocks or is kept by sequence.
                json.WriteNumber("firstToken", read.Range?.Begin.At(context) ?? 0);
                json.WriteNumber("tokens", units);
                if (tensor.BlockUnits > 0)
                    json.WriteNumber("blockTokens", tensor.BlockUnits);
            }
            Layer(json, "triggerLayer", LayerOf(trigger, plan.Layers));
            json.WriteString("trigger", trigger.Label);
            json.WriteBoolean("nextStep", isOfNextStep(read));
            json.WriteEndObject();
        }
    }

    /// <summary>The layer that an operator stands in: that of what it works on, which it reads first. What it writes, and a norm that is fused with
    /// it, may be the next layer's.</summary>
    private static int LayerOf(Instruction instruction, int layers)
    {
        var layer = instruction.Reads.Count > 0 ? instruction.Reads[0].Layer.Resolve(0) : -1;
        return layer < layers ? layer : -1;
    }

    private static void Layer(Utf8JsonWriter json, string name, int layer)
    {
        if (layer < 0)
            json.WriteNull(name);
        else
            json.WriteNumber(name, layer);
    }
}
