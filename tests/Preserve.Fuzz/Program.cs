using System.Globalization;
using Preserve.Fuzz;

// fuzz [--cases 100000] [--seed 1]: reads as many damaged files of each kind and prints what came of them. Exits with 1 where a reader crashed.
var (cases, seed) = (100_000, 1);
for (var i = 0; i < args.Length; i += 2)
{
    if (i + 1 >= args.Length || !int.TryParse(args[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out var value) || args[i] is not ("--cases" or "--seed"))
    {
        Console.Error.WriteLine($"'{string.Join(' ', args.Skip(i))}' is neither '--cases COUNT' nor '--seed NUMBER', whole numbers of 0 or more");
        return 2;
    }
    (cases, seed) = args[i] == "--cases" ? (value, seed) : (cases, value);
}

var crashes = 0;
var folder = Directory.CreateTempSubdirectory("preserve-fuzz-");
foreach (var target in new FuzzTarget[] { new ConfigFuzz(Configs()), new DeviceFileFuzz(), new TableFuzz(), new SafetensorsFuzz(folder.FullName) })
{
    var tally = FuzzTally.Run(target, cases, seed);
    crashes += tally.Crashes.Count;
    Console.WriteLine($"{target.Name}: {tally.Cases} cases, {tally.Accepted} accepted, {tally.Refused.Values.Sum()} refused, {tally.Crashes.Count} crashes, slowest {tally.Slowest.TotalMilliseconds:0.0} ms");
    foreach (var (kind, count) in tally.Refused.OrderByDescending(r => r.Value).ThenBy(r => r.Key, StringComparer.Ordinal).Take(12))
        Console.WriteLine($"  {count,7}  {kind}");
    Console.WriteLine($"  {tally.Refused.Count} kinds of errors");
    foreach (var crash in tally.Crashes.Take(5))
        Console.WriteLine($"  crash  {crash}");
}
folder.Delete(recursive: true);
return crashes == 0 ? 0 : 1;

static IReadOnlyList<string> Configs()
{
    var assembly = typeof(FuzzTarget).Assembly;
    return [.. assembly.GetManifestResourceNames().Order(StringComparer.Ordinal).Select(Text)];

    string Text(string name)
    {
        using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}
