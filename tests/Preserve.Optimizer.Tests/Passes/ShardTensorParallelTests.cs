namespace Preserve.Optimizer.Tests;

public class ShardTensorParallelTests
{
    [Fact]
    public void Columns_then_rows_leave_a_summand_on_each_rank() =>
        """
        graph  decode batch 3 context 9  ranks 1  arena 0
          run  layer 0  pattern 1  repeats 1 of 1
          tensors
            h            value   bf16  48    unplaced  per layer
            up_weight    matrix  int8  128   unplaced  per layer
            up_bias      weight  bf16  32    unplaced  per layer
            up_out       value   bf16  96    unplaced  per layer
            activated    value   bf16  96    unplaced  per layer
            down_weight  matrix  int8  128   unplaced  per layer
            mlp_out      value   bf16  48    unplaced  per layer
          operators
            unassigned  up          matmul 3 x 8 by 8 x 16, int8 by int8  0.h, 0.up_weight, 0.up_bias -> 0.up_out  layer 0  columns  whole
            unassigned  activation  relu 3 x 16                     0.up_out -> 0.activated                  layer 0  columns  whole
            unassigned  down        matmul 3 x 16 by 16 x 8, int8 by int8  0.activated, 0.down_weight -> 0.mlp_out  layer 0  rows     whole
        """.ShouldBecome(new ShardTensorParallel(4),
        // Over 4 ranks up has 16 / 4 = 4 columns and down a depth of 4: weights of 32 bytes, a bias of 4 x 2.
        // The output keeps its width: it is a summand, not a part.
        """
        graph  decode batch 3 context 9  ranks 4  arena 0
          run  layer 0  pattern 1  repeats 1 of 1
          tensors
            h            value   bf16  48    unplaced  per layer
            up_weight    matrix  int8  32    unplaced  per layer
            up_bias      weight  bf16  8     unplaced  per layer
            up_out       value   bf16  24    unplaced  per layer
            activated    value   bf16  24    unplaced  per layer
            down_weight  matrix  int8  32    unplaced  per layer
            mlp_out      value   bf16  48    unplaced  per layer
          operators
            unassigned  up          matmul 3 x 8 by 8 x 4, int8 by int8  0.h, 0.up_weight, 0.up_bias -> 0.up_out  layer 0  columns  split
            unassigned  activation  relu 3 x 4                     0.up_out -> 0.activated                  layer 0  columns  split
            unassigned  down        matmul 3 x 4 by 4 x 8, int8 by int8  0.activated, 0.down_weight -> 0.mlp_out  layer 0  rows     partial
        """);

    [Fact]
    public void Heads_are_divided_and_kv_heads_replicated_when_ranks_exceed_them() =>
        """
        graph  decode batch 2 context 9  ranks 1  arena 0
          run  layer 0  pattern 1  repeats 1 of 1
          tensors
            h           value       bf16  256        unplaced  per layer
            qkv_weight  matrix      bf16  8192       unplaced  per layer
            qkv_out     value       bf16  256        unplaced  per layer
            kv          key-values  bf16  c+1 x 256  unplaced  per layer
            attended    value       bf16  128        unplaced  per layer
          operators
            unassigned  qkv        matmul 2 x 64 by 64 x 64, bf16 by bf16                   0.h, 0.qkv_weight -> 0.qkv_out               layer 0  heads 4 2 2 8  whole
            unassigned  store      store 2 x 32                                      0.qkv_out -> 0.kv[c:c+1]                     layer 0  heads 0 2 2 8  whole
            unassigned  attention  attention 2 x 1 tokens, 4 query and 2 KV heads of 8, 2c+2 pairs 0.qkv_out, 0.kv[0:c], 0.kv[c:c+1] -> 0.attended  layer 0  heads 4 2 0 8  whole
        """.Replace("pairs 0.", "pairs  0.", StringComparison.Ordinal).ShouldBecome(new ShardTensorParallel(4),
        // 4 query heads over 4 ranks: one each. 2 KV heads: each stands on two ranks, so a rank holds one, not a half.
        // Columns (1 + 2) x 8 = 24; a token's keys and values take 2 sequences x 2 x 8 x 2 bytes = 64.
        """
        graph  decode batch 2 context 9  ranks 4  arena 0
          run  layer 0  pattern 1  repeats 1 of 1
          tensors
            h           value       bf16  256        unplaced  per layer
            qkv_weight  matrix      bf16  3072       unplaced  per layer
            qkv_out     value       bf16  96         unplaced  per layer
            kv          key-values  bf16  c+1 x 64   unplaced  per layer
            attended    value       bf16  32         unplaced  per layer
          operators
            unassigned  qkv        matmul 2 x 64 by 64 x 24, bf16 by bf16                    0.h, 0.qkv_weight -> 0.qkv_out               layer 0  heads 4 2 2 8  split
            unassigned  store      store 2 x 16                                       0.qkv_out -> 0.kv[c:c+1]                     layer 0  heads 0 2 2 8  split
            unassigned  attention  attention 2 x 1 tokens, 1 query and 1 KV heads of 8, 2c+2 pairs  0.qkv_out, 0.kv[0:c], 0.kv[c:c+1] -> 0.attended  layer 0  heads 4 2 0 8  split
        """);

    [Fact]
    public void One_rank_is_left_as_it_is() =>
        """
        graph  decode batch 1 context 9  ranks 1  arena 0
          tensors
            a  value  bf16  16  unplaced  once
          operators
            unassigned  add  add 1 x 8  a, a -> a  no layer  columns  whole
        """.ShouldBecome(new ShardTensorParallel(1),
        """
        graph  decode batch 1 context 9  ranks 1  arena 0
          tensors
            a  value  bf16  16  unplaced  once
          operators
            unassigned  add  add 1 x 8  a, a -> a  no layer  columns  whole
        """, changed: false);

    [Fact]
    public void Ranks_that_share_tokens_norm_and_add_each_its_share() =>
        """
        graph  prefill batch 2 tokens 4  ranks 1  arena 0
          run  layer 0  pattern 1  repeats 1 of 1
          tensors
            h            value   bf16  128   unplaced  per layer
            attn_in      value   bf16  128   unplaced  per layer
            out_weight   matrix  int8  64    unplaced  per layer
            attn_out     value   bf16  128   unplaced  per layer
            h_mid        value   bf16  128   unplaced  per layer
            norm_weight  weight  bf16  16    unplaced  per layer
            head_in      value   bf16  32    unplaced  once
          operators
            unassigned  attn_norm   rms norm 8 x 8  0.h, 0.norm_weight -> 0.attn_in  layer 0  replicated  whole
            unassigned  out         matmul 8 x 8 by 8 x 8, int8 by int8  0.attn_in, 0.out_weight -> 0.attn_out  layer 0  rows  whole
            unassigned  attn_add    add 8 x 8  0.h, 0.attn_out -> 0.h_mid  layer 0  replicated  whole
            unassigned  final_norm  rms norm 2 x 8  0.h_mid, 0.norm_weight -> head_in  no layer  replicated  whole
        """.ShouldBecome(new ShardTensorParallel(4, sequenceParallel: true),
        // 8 tokens over 4 ranks: 2 each. The last tokens of the 2 sequences lie on two of the ranks: their norm stays whole.
        """
        graph  prefill batch 2 tokens 4  ranks 4  arena 0
          run  layer 0  pattern 1  repeats 1 of 1
          tensors
            h            value   bf16  128   unplaced  per layer
            attn_in      value   bf16  32    unplaced  per layer
            out_weight   matrix  int8  16    unplaced  per layer
            attn_out     value   bf16  128   unplaced  per layer
            h_mid        value   bf16  32    unplaced  per layer
            norm_weight  weight  bf16  16    unplaced  per layer
            head_in      value   bf16  32    unplaced  once
          operators
            unassigned  attn_norm   rms norm 2 x 8  0.h, 0.norm_weight -> 0.attn_in  layer 0  replicated  scattered
            unassigned  out         matmul 8 x 2 by 2 x 8, int8 by int8  0.attn_in, 0.out_weight -> 0.attn_out  layer 0  rows  partial
            unassigned  attn_add    add 2 x 8  0.h, 0.attn_out -> 0.h_mid  layer 0  replicated  scattered
            unassigned  final_norm  rms norm 2 x 8  0.h_mid, 0.norm_weight -> head_in  no layer  replicated  whole
        """);
}
