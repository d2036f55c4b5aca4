namespace Preserve.Optimizer.Tests;

public class InsertCollectivesTests
{
    [Fact]
    public void A_summand_is_reduced_before_it_is_read_and_the_result_gathered() =>
        """
        graph  decode batch 1 context 9  ranks 2  arena 0
          tensors
            down_weight  matrix  int8  64  unplaced  once
            activated    value   bf16  16  unplaced  once
            mlp_out      value   bf16  16  unplaced  once
            normed       value   bf16  16  unplaced  once
            head_weight  matrix  int8  40  unplaced  once
            logits       value   bf16  10  unplaced  once
          operators
            unassigned  down  matmul 1 x 8 by 8 x 8, int8 by int8  activated, down_weight -> mlp_out  no layer  rows           partial
            unassigned  norm  rms norm 1 x 8                 mlp_out -> normed                  no layer  replicated     whole
            unassigned  head  matmul 1 x 8 by 8 x 5, int8 by int8  normed, head_weight -> logits      no layer  vocabulary 10  split
        """.ShouldBecome(new InsertCollectives(),
        // The all-reduce carries 8 elements of two bytes; the all-gather brings 5 of each of 2 ranks together.
        """
        graph  decode batch 1 context 9  ranks 2  arena 0
          tensors
            down_weight  matrix  int8  64  unplaced  once
            activated    value   bf16  16  unplaced  once
            down_part    value   bf16  16  unplaced  once
            mlp_out      value   bf16  16  unplaced  once
            normed       value   bf16  16  unplaced  once
            head_weight  matrix  int8  40  unplaced  once
            head_part    value   bf16  10  unplaced  once
            logits       value   bf16  20  unplaced  once
          operators
            unassigned  down         matmul 1 x 8 by 8 x 8, int8 by int8  activated, down_weight -> down_part  no layer  rows           partial
            unassigned  down_reduce  all-reduce 16 bytes over 2     down_part -> mlp_out                 no layer  replicated     whole
            unassigned  norm         rms norm 1 x 8                 mlp_out -> normed                    no layer  replicated     whole
            unassigned  head         matmul 1 x 8 by 8 x 5, int8 by int8  normed, head_weight -> head_part     no layer  vocabulary 10  split
            unassigned  head_gather  all-gather 10 bytes over 2     head_part -> logits                  no layer  replicated     whole
        """);

    [Fact]
    public void A_sum_of_summands_is_reduced_once_after_it() =>
        """
        graph  decode batch 1 context 9  ranks 2  arena 0
          tensors
            a    value  bf16  16  unplaced  once
            b    value  bf16  16  unplaced  once
            sum  value  bf16  16  unplaced  once
            n    value  bf16  16  unplaced  once
            w    matrix int8  64  unplaced  once
            x    value  bf16  16  unplaced  once
          operators
            unassigned  out        matmul 1 x 8 by 8 x 8, int8 by int8  x, w -> a    no layer  rows        partial
            unassigned  down       matmul 1 x 8 by 8 x 8, int8 by int8  x, w -> b    no layer  rows        partial
            unassigned  block_add  add 1 x 8                      a, b -> sum  no layer  replicated  partial
            unassigned  norm       rms norm 1 x 8                 sum -> n     no layer  replicated  whole
        """.Replace("matrix int8", "matrix  int8", StringComparison.Ordinal).ShouldBecome(new InsertCollectives(),
        """
        graph  decode batch 1 context 9  ranks 2  arena 0
          tensors
            a               value   bf16  16  unplaced  once
            b               value   bf16  16  unplaced  once
            block_add_part  value   bf16  16  unplaced  once
            sum             value   bf16  16  unplaced  once
            n               value   bf16  16  unplaced  once
            w               matrix  int8  64  unplaced  once
            x               value   bf16  16  unplaced  once
          operators
            unassigned  out               matmul 1 x 8 by 8 x 8, int8 by int8  x, w -> a               no layer  rows        partial
            unassigned  down              matmul 1 x 8 by 8 x 8, int8 by int8  x, w -> b               no layer  rows        partial
            unassigned  block_add         add 1 x 8                      a, b -> block_add_part  no layer  replicated  partial
            unassigned  block_add_reduce  all-reduce 16 bytes over 2     block_add_part -> sum   no layer  replicated  whole
            unassigned  norm              rms norm 1 x 8                 sum -> n                no layer  replicated  whole
        """);

    [Fact]
    public void With_shared_tokens_a_summand_is_scattered_and_gathered_again_for_who_reads_all_of_them() =>
        """
        graph  decode batch 4 context 9  ranks 2  arena 0
          tensors
            a       value   bf16  64  unplaced  once
            sum     value   bf16  32  unplaced  once
            n       value   bf16  32  unplaced  once
            w       matrix  int8  64  unplaced  once
            x       value   bf16  64  unplaced  once
            y       value   bf16  64  unplaced  once
            z       value   bf16  64  unplaced  once
          operators
            unassigned  out   matmul 4 x 8 by 8 x 8, int8 by int8  x, w -> a    no layer  rows        partial
            unassigned  add   add 2 x 8                      a -> sum   no layer  replicated  scattered
            unassigned  norm  rms norm 2 x 8                 sum -> n   no layer  replicated  scattered
            unassigned  gate  matmul 4 x 8 by 8 x 8, int8 by int8  n, w -> y    no layer  columns     split
            unassigned  up    matmul 4 x 8 by 8 x 8, int8 by int8  n, w -> z    no layer  columns     split
            unassigned  act   swiglu 4 x 8                   y, z -> x  no layer  columns     split
        """.ShouldBecome(new InsertCollectives(),
        // 4 tokens of 8 elements of two bytes are 64: a rank keeps 32 of them. Both matmuls read what was gathered once.
        """
        graph  decode batch 4 context 9  ranks 2  arena 0
          tensors
            out_part   value   bf16  64  unplaced  once
            a          value   bf16  32  unplaced  once
            sum        value   bf16  32  unplaced  once
            n          value   bf16  32  unplaced  once
            n_whole    value   bf16  64  unplaced  once
            w          matrix  int8  64  unplaced  once
            x          value   bf16  64  unplaced  once
            y          value   bf16  64  unplaced  once
            z          value   bf16  64  unplaced  once
          operators
            unassigned  out          matmul 4 x 8 by 8 x 8, int8 by int8  x, w -> out_part   no layer  rows        partial
            unassigned  out_scatter  reduce-scatter 64 bytes over 2  out_part -> a     no layer  replicated  scattered
            unassigned  add          add 2 x 8                      a -> sum          no layer  replicated  scattered
            unassigned  norm         rms norm 2 x 8                 sum -> n          no layer  replicated  scattered
            unassigned  n_gather     all-gather 32 bytes over 2     n -> n_whole      no layer  replicated  whole
            unassigned  gate         matmul 4 x 8 by 8 x 8, int8 by int8  n_whole, w -> y   no layer  columns     split
            unassigned  up           matmul 4 x 8 by 8 x 8, int8 by int8  n_whole, w -> z   no layer  columns     split
            unassigned  act          swiglu 4 x 8                   y, z -> x         no layer  columns     split
        """);
}
