namespace Preserve.Optimizer.Tests;

public class PlanMemoryTests
{
    [Fact]
    public void Values_share_a_place_only_where_one_ends_before_the_other_begins_on_every_stream() =>
        """
        graph  decode batch 1 context 9  ranks 2  arena 0
          tensors
            a  value  bf16  300  unplaced  once
            b  value  bf16  200  unplaced  once
            d  value  bf16  100  unplaced  once
            e  value  bf16  100  unplaced  once
          operators
            compute     first   rms norm 1 x 8             -> a    no layer  replicated  whole  signals
            collective  reduce  all-reduce 16 bytes over 2 a -> b  no layer  replicated  whole  after first  signals
            compute     beside  rms norm 1 x 8             -> d    no layer  replicated  whole
            compute     behind  add 1 x 8                  b, d -> e  no layer  replicated  whole  after reduce
        """.Replace("over 2 a", "over 2  a", StringComparison.Ordinal).ShouldBecome(new PlanMemory(),
        // 'beside' may run while the collective still reads a and writes b, so d has a place of its own behind both:
        // a ends at 300, rounded up to 512; b 512 to 712, rounded up to 768; d at 768.
        // 'behind' has waited for the collective: a is dead, and e takes its place.
        """
        graph  decode batch 1 context 9  ranks 2  arena 1024
          tensors
            a  value  bf16  300  at 0    once
            b  value  bf16  200  at 512  once
            d  value  bf16  100  at 768  once
            e  value  bf16  100  at 0    once
          operators
            compute     first   rms norm 1 x 8              -> a       no layer  replicated  whole  signals
            collective  reduce  all-reduce 16 bytes over 2  a -> b     no layer  replicated  whole  after first  signals
            compute     beside  rms norm 1 x 8              -> d       no layer  replicated  whole
            compute     behind  add 1 x 8                   b, d -> e  no layer  replicated  whole  after reduce
        """);
}
