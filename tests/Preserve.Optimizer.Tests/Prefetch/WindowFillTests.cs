using FsCheck;
using FsCheck.Fluent;

namespace Preserve.Optimizer.Tests;

/// <summary>What windows are filled with, over random models, devices and shapes: one rank and several, sequence-parallel or not.</summary>
public sealed class WindowFillTests
{
    private static readonly Device[] _devices = [.. DeviceCatalogue.Ids.Select(Get).Where(d => d.L2Known)];

    /// <summary>A search that has not begun, and a share of what memory can bring while windows' hosts run alone.</summary>
    private static readonly Gen<(SearchedParts Searched, PrefetchRoom Room, double Share)?> _cases =
        from deployment in RandomDeployments.Generator(maxRepeat: 40)
        from device in Gen.Elements(_devices)
        from share in Gen.Elements(0.1, 0.5, 1, 2, 4)
        select Searched(deployment with { Prefetch = PrefetchPolicy.Best, Device = device.Id }, CostLaws.For(device), share);

    [Fact]
    public void What_is_filled_fits_and_ends_at_tiles_and_gives_nothing_to_what_gains_nothing() => Check((searched, room, share, isFilled) =>
    {
        var fill = new WindowFill(searched, room, isFilled);
        foreach (var units in Fills(searched, fill, share))
        {
            room.Fits(units).ShouldBeTrue();
            for (var part = 0; part < units.Length; part++)
            {
                units[part].ShouldBeInRange(0, searched.Problem.UnitsLeft(part, units));
                searched.Problem.Parts[part].Align(units[part]).ShouldBe(units[part]);
                (units[part] > 0 && (searched.IsWorthless(part) || !isFilled(part))).ShouldBeFalse();
            }
        }
    });

    [Fact]
    public void No_collective_is_given_more_bytes_than_asked_for() => Check((searched, room, share, isFilled) =>
    {
        var units = new long[searched.Problem.Parts.Count];
        new WindowFill(searched, room, isFilled).Round(units, w => Bytes(searched, w, share));
        // A part that several windows have is as long as the first of them makes it; what occurs once in a deep stack comes last.
        var seen = new HashSet<int>();
        foreach (var window in searched.Windows.Concat(searched.Problem.Groups).Distinct().Where(w => w.Host.IsCollective))
            window.Parts.Where(seen.Add).Sum(p => units[p] * searched.Problem.Parts[p].UnitBytes).ShouldBeLessThanOrEqualTo(Bytes(searched, window, share));
    });

    [Theory]
    [InlineData(1, 16_383, false, 2)]
    [InlineData(4, 8191, true, 0.5)]
    [InlineData(4, 8191, true, 1)]
    public void What_the_last_window_brings_early_leaves_the_first_one_time_for_more(int batch, int context, bool sequenceParallel, double share)
    {
        var device = Get(Devices.Ascend910B2);
        var deployment = Specs.Deploy(Specs.Llama3_8B, 2, Specs.Decode(batch, context), Precision.Bf16, PrefetchPolicy.Best, device.Id) with { SequenceParallel = sequenceParallel };
        var (searched, room, _) = Searched(deployment, CostLaws.For(device), share)!.Value;
        var units = new long[searched.Problem.Parts.Count];
        new WindowFill(searched, room, _ => true).Round(units, w => Bytes(searched, w, share));
        var first = searched.Windows.First(w => w.Host.IsCollective);
        var left = Bytes(searched, first, share) - first.Parts.Sum(p => units[p] * searched.Problem.Parts[p].UnitBytes);
        foreach (var part in first.Parts.Where(p => !searched.IsWorthless(p)))
        {
            var whole = searched.Problem.Parts[part];
            whole.Align(Math.Min(units[part] + (left / whole.UnitBytes), room.Most(part, units))).ShouldBeLessThanOrEqualTo(units[part], $"{whole.Tensor} {whole.Reach}");
        }
    }

    [Fact]
    public void By_turns_those_that_share_a_room_share_it()
    {
        // Beside qkv the cache would take all of it, were it filled first.
        var device = Get("mi300x");
        var (searched, room, _) = Searched(Specs.Deploy(Specs.Llama3_8B, 1, Specs.Decode(64, 1500), Precision.Bf16, PrefetchPolicy.Best, device.Id), CostLaws.For(device), 2)!.Value;
        var fill = new WindowFill(searched, room, _ => true);
        var (apart, byTurns) = (new long[searched.Problem.Parts.Count], new long[searched.Problem.Parts.Count]);
        fill.Apart(apart, w => Bytes(searched, w, 2), beside: true);
        fill.ByTurns(byTurns, w => Bytes(searched, w, 2));
        var output = searched.Problem.Parts.FindIndex(p => p.Tensor == "out_weight");
        (apart[output] * searched.Problem.Parts[output].UnitBytes).ShouldBeLessThan(room.Bytes / 32);
        (byTurns[output] * searched.Problem.Parts[output].UnitBytes).ShouldBeGreaterThan(room.Bytes / 8);
    }

    private static void Check(Action<SearchedParts, PrefetchRoom, double, Func<int, bool>> property)
    {
        var checks = 0;
        Prop.ForAll(Arb.From(_cases), c =>
        {
            if (c is not { } some)
                return true;
            checks++;
            foreach (var isFilled in (Func<int, bool>[])[_ => true, some.Searched.IsCache, part => !some.Searched.IsCache(part)])
                property(some.Searched, some.Room, some.Share, isFilled);
            return true;
        }).Check(RandomDeployments.Runs(400));
        checks.ShouldBeGreaterThan(200);
    }

    private static IEnumerable<long[]> Fills(SearchedParts searched, WindowFill fill, double share)
    {
        var parts = searched.Problem.Parts.Count;
        foreach (var beside in (bool[])[false, true])
        {
            var apart = new long[parts];
            fill.Apart(apart, w => Bytes(searched, w, share), beside);
            yield return apart;
            // Round it, with what stands beside kernels.
            fill.Round(apart, w => Bytes(searched, w, share));
            yield return apart;
        }
        var byTurns = new long[parts];
        fill.ByTurns(byTurns, w => Bytes(searched, w, share));
        yield return byTurns;
    }

    private static long Bytes(SearchedParts searched, PrefetchGroup window, double share) => (long)(share * searched.BytesWhileIdle(window));

    private static (SearchedParts Searched, PrefetchRoom Room, double Share)? Searched(DeploymentSpec deployment, ICostLaws laws, double share)
    {
        var search = new BestPrefetch(deployment, deployment.Steps[0], laws, default) { MostTrials = 1 }.Choose().Choice?.Search;
        return search is null ? null : (new SearchedParts(search.Space, laws), search.Room, share);
    }

    private static Device Get(string id) => DeviceCatalogue.TryGet(id, out var device) ? device : throw new InvalidOperationException(id);
}
