namespace Preserve.Optimizer.Tests;

public class AssignStreamsTests
{
    [Fact]
    public void An_event_stands_only_where_a_stream_does_not_already_know() =>
        """
        graph  decode batch 1 context 9  ranks 2  arena 0
          tensors
            w  matrix  int8  64  unplaced  once
            a  value   bf16  16  unplaced  once
            b  value   bf16  16  unplaced  once
            p  value   bf16  16  unplaced  once
            r  value   bf16  16  unplaced  once
            s  value   bf16  16  unplaced  once
          operators
            unassigned  first   matmul 1 x 8 by 8 x 8, int8 by int8  w -> a         no layer  replicated  whole
            unassigned  out     matmul 1 x 8 by 8 x 8, int8 by int8  a, w -> p      no layer  rows        partial
            unassigned  reduce  all-reduce 16 bytes over 2     p -> r         no layer  replicated  whole
            unassigned  under   prefetch                       w              no layer  replicated  whole  beside 2
            unassigned  under   prefetch                       w              no layer  replicated  whole  beside 2
            unassigned  add     add 1 x 8                      a, r -> b      no layer  replicated  whole
            unassigned  sum     add 1 x 8                      b, r, p -> s   no layer  replicated  whole
        """.ShouldBecome(new AssignStreams(),
        // The second prefetch follows the first on its stream, so it need not wait. 'add' waits for the reduce; what it
        // reads of its own stream it needs no event for. 'sum' comes behind 'add', which has waited already.
        """
        graph  decode batch 1 context 9  ranks 2  arena 0
          tensors
            w  matrix  int8  64  unplaced  once
            a  value   bf16  16  unplaced  once
            b  value   bf16  16  unplaced  once
            p  value   bf16  16  unplaced  once
            r  value   bf16  16  unplaced  once
            s  value   bf16  16  unplaced  once
          operators
            compute     first   matmul 1 x 8 by 8 x 8, int8 by int8  w -> a         no layer  replicated  whole
            compute     out     matmul 1 x 8 by 8 x 8, int8 by int8  a, w -> p      no layer  rows        partial  signals
            collective  reduce  all-reduce 16 bytes over 2     p -> r         no layer  replicated  whole  after out  signals
            prefetch    under   prefetch                       w              no layer  replicated  whole  beside 2  after out
            prefetch    under   prefetch                       w              no layer  replicated  whole  beside 2
            compute     add     add 1 x 8                      a, r -> b      no layer  replicated  whole  after reduce
            compute     sum     add 1 x 8                      b, r, p -> s   no layer  replicated  whole
        """);

    [Fact]
    public void What_a_repeated_run_takes_over_is_waited_for_in_front_of_it() =>
        """
        graph  decode batch 1 context 9  ranks 2  arena 0
          run  layer 0  pattern 1  repeats 2 of 2
          tensors
            p  value  bf16  16  unplaced  once
            h  value  bf16  16  unplaced  per layer
          operators
            unassigned  embed   embed 1 x 8                 -> p          no layer  replicated  whole
            unassigned  reduce  all-reduce 16 bytes over 2  p -> 0.h      no layer  replicated  whole
            unassigned  norm    rms norm 1 x 8              0.h -> 1.h    layer 0   replicated  whole
            unassigned  norm    rms norm 1 x 8              1.h -> 2.h    layer 1   replicated  whole
        """.ShouldBecome(new AssignStreams(),
        // Were the wait on the first norm, the first layer would differ from the second.
        """
        graph  decode batch 1 context 9  ranks 2  arena 0
          run  layer 0  pattern 1  repeats 2 of 2
          tensors
            p  value  bf16  16  unplaced  once
            h  value  bf16  16  unplaced  per layer
          operators
            compute     embed   embed 1 x 8                 -> p          no layer  replicated  whole  signals
            collective  reduce  all-reduce 16 bytes over 2  p -> 0.h      no layer  replicated  whole  after embed  signals
            compute     join    wait                        -             no layer  replicated  whole  after reduce
            compute     norm    rms norm 1 x 8              0.h -> 1.h    layer 0   replicated  whole
            compute     norm    rms norm 1 x 8              1.h -> 2.h    layer 1   replicated  whole
        """);
}
