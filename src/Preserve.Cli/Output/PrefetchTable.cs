using System.Text.Json;

namespace Preserve.Cli.Output;

/// <summary>The prefetches of a plan as a serving engine's prefetch calls want them: for each, the tensor of a layer, from which byte, how
/// many, and the operator whose start triggers it.</summary>
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
        var last = new Dictionary<string, Instruction>(StringComparer.Ordinal);
        foreach (var node in plan.Unroll().Body)
        {
            var instruction = (Instruction)node;
            if (instruction.Operation is not PrefetchOperation)
                last["under_" + instruction.Label] = instruction;
            else if (last.TryGetValue(instruction.Label, out var trigger))
                Rows(json, plan, instruction, trigger, context);
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Rows(Utf8JsonWriter json, ExecutionPlan plan, Instruction prefetch, Instruction trigger, int context)
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
            json.WriteNumber("layer", read.Layer.Resolve(0));
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
            json.WriteNumber("triggerLayer", trigger.Reads.Concat(trigger.Writes).Select(r => r.Layer.Resolve(0)).DefaultIfEmpty(-1).Max());
            json.WriteString("trigger", trigger.Label);
            json.WriteEndObject();
        }
    }
}
