using System.CommandLine;
using System.Globalization;
using Preserve.Cli.Output;
using Preserve.Optimizer;
using Preserve.Profiling;
using Spectre.Console;

namespace Preserve.Cli.Commands;

/// <summary><c>preserve profile</c>: times what a KV split weighs, on this machine or on the model of a device, and says the split.</summary>
internal static class ProfileCommand
{
    /// <summary>Tokens of the generation that a split is said for.</summary>
    private const int Generated = 128;

    /// <summary>No profile is nearly as large.</summary>
    private const int MostFileBytes = 16 << 20;

    public static Command Create()
    {
        var model = new Option<string>("--model", "-m") { Description = "A model of the catalogue by id or common name, or a config.json: the matmul has its sizes.", Required = true, HelpName = "id|config.json" };
        var device = new Option<string?>("--device", "-d") { Description = "A device whose model answers; without it this machine is timed.", HelpName = "id|file.json" };
        var from = new Option<string?>("--from") { Description = "A profile that was written before, to be used instead of timing.", HelpName = "file.json" };
        var batch = new Option<int>("--batch", "-b") { Description = "Sequences in the batch.", DefaultValueFactory = _ => 1 };
        var tokens = new Option<int[]>("--tokens") { Description = "Tokens whose keys and values are recomputed; two numbers or more.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [16, 32, 64] };
        var repetitions = new Option<int>("--repetitions") { Description = "Times that are taken of each thing on this machine.", DefaultValueFactory = _ => 9 };
        var prompt = new Option<int>("--prompt") { Description = "Tokens of the prompt, for the split.", DefaultValueFactory = _ => 1024 };
        var file = OutputFile.Option("--out", "The profile to write.", "file.json");
        var json = new Option<bool>("--json") { Description = "Print the profile as JSON." };
        var onto = new Option<string?>("--base") { Description = "The device that was timed, for --device-file: a built-in one, or a device file.", HelpName = "id|file.json" };
        var id = new Option<string?>("--id") { Description = "The id of the device that is written." };
        var deviceFile = OutputFile.Option("--device-file", "The base with its link and its large matmuls as timed, to write: plans for that device follow them.", "file.json");
        var command = new Command("profile", "Times copies and the recomputation of keys and values, and says the KV split that they give.")
        {
            model, device, from, batch, tokens, repetitions, prompt, file, json, onto, id, deviceFile,
        };
        command.SetAction(parsed =>
        {
            OutputFile.Check(parsed.GetValue(file), parsed.GetValue(deviceFile));
            var written = Base(parsed.GetValue(deviceFile), parsed.GetValue(onto), parsed.GetValue(id));
            var imported = ModelArgument.Read(parsed.GetValue(model)!);
            Check("--prompt", parsed.GetValue(prompt), SpecificationLimits.Tokens);
            // Of a mixed stack, layers without a window, or with one that holds the prompt, are those that could recompute.
            var layers = imported.Spec.Stack.SelectMany(g => g.Pattern).ToList();
            var layer = layers.Find(l => KvSplitProblem.KeepsPrompt(l, parsed.GetValue(prompt) + Generated)) ?? layers[0];
            if (layer.Attention is not MultiHeadAttentionSpec attention)
                throw new InputException($"the attention of {imported.Spec.Name} has no keys and values by heads");
            Check("--batch", parsed.GetValue(batch), SpecificationLimits.Batch);
            Check("--repetitions", parsed.GetValue(repetitions), new ValueRange(3, 10_000));
            var shape = new RecomputeShape(parsed.GetValue(batch), imported.Spec.Hidden, attention.KeyValueHeads * attention.HeadSize);
            if (parsed.GetValue(from) is not null && parsed.GetValue(device) is not null)
                throw new InputException("--from and --device are given, but a profile is either read or made");
            foreach (var option in new Option[] { tokens, repetitions }.Where(o => parsed.GetValue(from) is not null && parsed.GetResult(o) is not { Implicit: true }))
                throw new InputException($"--from and {option.Name} are given, but a profile that is read has been timed");
            var profile = parsed.GetValue(from) is { } path
                ? Read(path)
                : Measure(shape, parsed.GetValue(tokens)!, parsed.GetValue(device), parsed.GetValue(repetitions), parsed.GetValue(json));
            var text = ProfileFile.Write(profile);
            if (parsed.GetValue(json))
                Console.Write(text);
            else
                Print(profile, Solver(profile, imported.Spec, layer, shape, parsed.GetValue(prompt)), parsed.GetValue(prompt));
            Write(parsed.GetValue(file), text);
            if (written is { } based)
            {
                var (device, matMuls) = Timed(based.Text, based.Device, profile);
                if (!parsed.GetValue(json))
                    Console.WriteLine(matMuls);
                Write(parsed.GetValue(deviceFile), device);
            }
            return 0;

            void Write(OutputFile? target, string content)
            {
                target?.Write(content);
                if (target is not null && !parsed.GetValue(json))
                    Console.WriteLine($"wrote {target.Path}");
            }
        });
        return command;
    }

    /// <summary>The text of the base, with the id of the device that is written; null where none is.</summary>
    private static (string Text, Device Device)? Base(OutputFile? file, string? name, string? id)
    {
        if (file is null != name is null)
            throw new InputException(file is null ? "--base is given, but no --device-file to write" : "--device-file is given, but no --base: the device that was timed");
        if (name is null)
            return id is null ? null : throw new InputException("--id is given, but no --device-file to write");
        var (device, own) = DeviceArgument.Read(name);
        if (own is null && id is null)
            throw new InputException($"the file would say that it is {device.Id}, which is built in: give --id");
        return (CalibrateCommand.Named(own ?? DeviceCatalogue.TextOf(device.Id)!, id), device);
    }

    /// <summary>The text of a base with its link as timed, and its large matmuls, and what became of these.</summary>
    private static (string Text, string MatMuls) Timed(string text, Device device, SplitProfile profile)
    {
        var by = $"preserve profile on {profile.Source.Name}, {profile.Measured}: {profile.Source.Note}";
        return Told(() =>
        {
            text = DeviceFileText.Put(text, profile.LinkOf(device.HostLink), by);
            if (device.Calibration?.MatMul.Any(m => m.Precision == Precision.Bf16) == true)
                return (text, $"matmuls: those of {device.Id} stay, which was measured");
            if (profile.MatMulTeraflopsOn(device) is not { } rate)
                return (text, $"matmuls: those of {device.Id} stay; fewer than two that were timed are large enough there to tell a rate: more --tokens or a larger --batch make them larger");
            return (DeviceFileText.PutMatMulRate(text, rate, by), Text($"matmuls: large ones at the {rate} TFLOP/s of the recomputation beside copies"));
        });
    }

    /// <summary>What a profile tells, or why it does not: the user gave it, or what was timed.</summary>
    private static T Told<T>(Func<T> tell)
    {
        try
        {
            return tell();
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            throw new InputException(e.Message);
        }
    }

    private static SplitProfile Measure(RecomputeShape shape, int[] tokens, string? device, int repetitions, bool quiet)
    {
        foreach (var count in tokens)
            Check("--tokens", count, SpecificationLimits.Tokens);
        if (tokens.Distinct().Count() < 2)
            throw new InputException($"--tokens is {string.Join(' ', tokens)}, but a rate needs two numbers or more");
        var sizes = ProfileSizes.Of(shape, tokens);
        Told(() => shape.Rows(sizes.Tokens[^1]));
        if (device is not null)
            return SplitProfile.Measure(new ModelledProfiler(CostLaws.For(DeviceArgument.Read(device).Device)), sizes, DateTimeOffset.UtcNow);
        // No machine that this runs on has room for more.
        const long most = 1L << 30;
        var largest = Math.Max(sizes.CopyBytes[^1], 4L * shape.Batch * sizes.Tokens[^1] * Math.Max(shape.Hidden, 2 * shape.KeyValueWidth));
        if (largest > most)
            throw new InputException($"{shape.Batch:#,0} sequences of {sizes.Tokens[^1]:#,0} tokens need buffers of {largest:#,0} bytes, but this machine is timed with at most {most:#,0}: fewer --tokens or a smaller --batch need less");
        return LongWork.Show(quiet, "timing this machine", () => SplitProfile.Measure(
            new MachineProfiler(repetitions, bufferBytes: (int)Math.Max(64 << 20, sizes.CopyBytes[^1])), sizes, DateTimeOffset.UtcNow));
    }

    private static SplitProfile Read(string path)
    {
        if (!File.Exists(path))
            throw new InputException($"--from is '{path}', which is not a file");
        try
        {
            return ProfileFile.Read(InputFile.Read(path, "a profile", MostFileBytes));
        }
        catch (FormatException e)
        {
            throw new InputException($"{path}: {e.Message}");
        }
    }

    /// <summary>The split of a layer.</summary>
    private static KvSplitSolver Solver(SplitProfile profile, ModelSpec model, LayerSpec layer, RecomputeShape shape, int prompt)
    {
        var batches = profile.MatMuls.Select(m => m.Shape).Where(s => s == shape with { Batch = s.Batch }).Select(s => s.Batch).Distinct().ToList();
        if (batches.Count > 0 && !batches.Contains(shape.Batch))
            throw new InputException($"the profile has no matmul {shape}: give --batch {string.Join(" or ", batches)}");
        var deployment = new DeploymentSpec(
            model, profile.Source.Name, 1, Precision.Bf16, Precision.Bf16, Precision.Bf16, PrefetchPolicy.None, SeparateProjections: false,
            new StepSpec[] { new DecodeSpec(shape.Batch, prompt + Generated, Total: false, prompt) })
        {
            Offload = new OffloadSpec(Home.Host),
        };
        if (!KvSplitProblem.KeepsPrompt(layer, prompt + Generated))
            throw new InputException($"the window of {model.Name} drops the first of {prompt + Generated} tokens: nothing of the prompt could be recomputed; a smaller --prompt keeps it");
        return Told(() => new KvSplitSolver(KvSplitProblem.Of(profile.Rates, deployment, layer, shape.Batch, prompt, tile: 1)));
    }

    /// <summary>The problem as KVPR states it (arXiv 2411.17089, section 3.2); null where that does not hold, for attention that shares keys and values, or where
    /// all of the prompt takes no time. Its v_g is the rate of all of the prompt: where times are measured no peak is known, with which <see cref="Exploration.PublishedOptimum"/> has
    /// it as the publication does.</summary>
    private static KvSplitSolver? Published(KvSplitProblem problem)
    {
        var perToken = problem.Recompute.Seconds(problem.Prompt) / problem.Prompt;
        return problem.KeyValueWidth == problem.Hidden && perToken.Sign > 0 ? new KvSplitSolver(problem with { Recompute = new LinearTime(0, perToken) }) : null;
    }

    private static void Print(SplitProfile profile, KvSplitSolver split, int prompt)
    {
        var lines = Told(() => profile.Copies.GroupBy(c => c.Kind).Select(c => (Line: profile.LineOf(c.Key), Copies: c)).ToList());
        Console.WriteLine(Text($"{profile.Source.Kind} {profile.Source.Name}, {profile.Measured}: {profile.Source.Note}"));
        PrintCopies(lines);
        var matMuls = new Table().Border(TableBorder.Rounded).AddColumns("matmul", "beside");
        foreach (var column in new[] { "median", "middle half", "rate" })
            matMuls.AddColumn(new TableColumn(column).RightAligned());
        foreach (var m in profile.MatMuls)
        {
            matMuls.AddRow(
                Text($"({m.Shape.Rows(m.Tokens)} x {m.Shape.Hidden})({m.Shape.Hidden} x {2L * m.Shape.KeyValueWidth})"), m.UnderTransfer ? "copies" : "nothing",
                Text($"{m.Time.MedianMicroseconds:0.0} us"), Text($"{m.Time.LowMicroseconds:0.0} to {m.Time.HighMicroseconds:0.0}"), Text($"{m.Teraflops:0.000} TFLOP/s"));
        }
        AnsiConsole.Write(matMuls);
        var sizes = split.Problem.Sizes(ActivationTransfer.Whole);
        if (!sizes.CanPay)
        {
            Console.WriteLine($"recomputed: nothing; {sizes}");
            return;
        }
        Console.WriteLine(Text($"recomputed in a layer of c cached tokens, c from {prompt} to {prompt + Generated}, with the activations of {prompt} stored; {sizes}"));
        foreach (var (form, name) in new[] { (KvSplitForm.Sequential, "the activations first"), (KvSplitForm.Pipelined, "all transfers beside all work") })
            Console.WriteLine($"  {name}: {split.Table(form, prompt, prompt + Generated)}");
        if (Published(split.Problem) is { } published)
            Console.WriteLine($"  as published: {published.Table(KvSplitForm.Published, prompt, prompt + Generated)}");
        Console.WriteLine("The split is of one rank, with activations and KV-cache in bf16; as published it counts no fixed times, and the recomputation at the rate that all of the prompt has.");
        Console.WriteLine("A plan takes one of the two or some between, beside the layer's other work and in whole tiles of the matmul: the one with which the simulated step is shortest.");
    }

    private static void PrintCopies(List<(CopyLine Line, IGrouping<CopyKind, CopyTiming> Copies)> lines)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("copy", "memory", "beside");
        foreach (var column in new[] { "fixed", "rate", "middle half", "line off by" })
            table.AddColumn(new TableColumn(column).RightAligned());
        foreach (var (line, copies) in lines)
        {
            table.AddRow(
                copies.Key.Direction == TransferDirection.HostToDevice ? "to the device" : "to the host", copies.Key.Pinned ? "pinned" : "pageable",
                copies.Key.BothDirections ? "the other direction" : "nothing", Text($"{line.FixedMicroseconds:0.0} us"), Text($"{line.GigabytesPerSecond:0.00} GB/s"),
                Text($"within {100 * copies.Max(c => c.Time.Spread):0} %"), Text($"up to {100 * copies.Max(line.Error):0} %"));
        }
        AnsiConsole.Write(table);
        foreach (var (line, copies) in lines.Where(l => l.Copies.Any(l.Line.Misses)))
        {
            var worst = copies.Where(line.Misses).MaxBy(line.Error)!;
            Console.WriteLine(Text($"copies {copies.Key}: {copies.Count(line.Misses)} of {copies.Count()} sizes are off the line by more than they spread, {worst.Bytes:#,0} bytes most: {line.Microseconds(worst.Bytes):0.0} us on it, {worst.Time.MedianMicroseconds:0.0} us as timed"));
        }
    }

    private static void Check(string option, long value, ValueRange range)
    {
        if (!range.Contains(value))
            throw new InputException($"{option} is {value.ToString("#,0", CultureInfo.InvariantCulture)}, but must be {range}");
    }

    private static string Text(FormattableString text) => FormattableString.Invariant(text);
}
