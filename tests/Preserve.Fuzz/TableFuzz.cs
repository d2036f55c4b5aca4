using System.Globalization;
using System.Text;

namespace Preserve.Fuzz;

/// <summary>Tables of measured times, damaged: each gives rows with possible values, or errors at their lines.</summary>
internal sealed class TableFuzz() : FuzzTarget("measurement table")
{
    private static readonly string[] s_fields =
    [
        "", "-", "0", "-1", "1", "1.5", "NaN", "Infinity", "1e999", "-1e999", "1e-999", "99999999999999999999", "0x10", "+1", " 1", "1 ", "٣", "fp8", "float64", "all_gather",
        "generation", "context", "h100_sxm", "x\0y", "\"", "# ", "\ud800", "\u202e", "a\tb",
    ];

    private static readonly (string Name, string Text)[] s_tables =
    [
        ("gemm.csv", "# source\nsystem,vllm,dtype,m,n,k,us\nh100_sxm,0.24.0,bfloat16,8,4096,4096,17.5\nh100_sxm,0.24.0,fp8,8,4096,4096,11\n"),
        ("gemm-h100-l2-hot.csv", "m,n,k,us\n1,512,2048,5.61\n64,8192,2560,17.9\n"),
        ("attention.csv", "system,kind,kernel,batch,len,q_heads,kv_heads,us\nh100_sxm,generation,fa3,8,1023,32,8,14.5\nh100_sxm,context,fa3,1,1024,32,8,80\n"),
        ("collectives.csv", "system,library,version,op,gpus,bytes,us\nh100_sxm,vLLM_custom_eager,0.24,all_reduce,8,65536,22.5\na100_sxm,NCCL,2.27.3,all_gather,2,512,8.98\n"),
        ("layer-ops.csv", $"device,model,tp,tokens,{string.Join(",", LayerTable.Operators.Select(o => o + "_us"))}\nh100,Llama-2-7b-hf,8,1024,29.0,13.0,27.0,4.0,13.0,13.0,46.0,6.0,22.0,7.0\n"),
    ];

    public override byte[] Next(Random random)
    {
        var table = random.Next(s_tables.Length);
        var lines = s_tables[table].Text.Split('\n').ToList();
        for (var times = random.Next(4); times > 0; times--)
            DamageLine(lines, random);
        // The first byte names the table.
        return [(byte)('0' + table), .. Damage.Encode(string.Join('\n', lines), random)];
    }

    public override IReadOnlyList<string> Read(byte[] file)
    {
        var (name, text) = (s_tables[file[0] - '0'].Name, Encoding.UTF8.GetString(file.AsSpan(1)));
        var errors = new List<MeasurementError>();
        using var reader = new StringReader(text);
        var table = new TableReader(name, reader, errors);
        var times = name switch
        {
            "gemm.csv" => MatMulTable.Read(table).Select(r => (Least: Math.Min(r.Rows, Math.Min(r.Columns, r.Depth)), Us: r.Microseconds)),
            "gemm-h100-l2-hot.csv" => MatMulTable.ReadHot(table, "h100_sxm").Select(r => (Least: Math.Min(r.Rows, Math.Min(r.Columns, r.Depth)), Us: r.Microseconds)),
            "attention.csv" => AttentionTable.Read(table).Select(r => (Least: 1, Us: r.Microseconds)),
            "collectives.csv" => CollectiveTable.Read(table).Select(r => (Least: 1, Us: r.Microseconds)),
            _ => LayerTable.Read(table).Select(_ => (Least: 1, Us: 1.0)),
        };
        foreach (var (least, us) in times)
        {
            if (least < 1 || !(us > 0) || double.IsInfinity(us))
                throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"a row of {us} us and a smallest size of {least}"));
        }
        foreach (var error in errors)
        {
            if (error.Table != name || error.Line < 0 || error.Line > text.Split('\n').Length)
                throw new InvalidOperationException($"an error at line {error.Line} of {error.Table}");
        }
        return [.. errors.Select(e => e.Message)];
    }

    private static void DamageLine(List<string> lines, Random random)
    {
        var at = random.Next(lines.Count);
        var fields = lines[at].Split(',').ToList();
        switch (random.Next(6))
        {
            case 0 or 1 or 2:
                fields[random.Next(fields.Count)] = s_fields[random.Next(s_fields.Length)];
                break;
            case 3:
                fields.RemoveAt(random.Next(fields.Count));
                break;
            case 4:
                fields.Insert(random.Next(fields.Count), s_fields[random.Next(s_fields.Length)]);
                break;
            default:
                lines.Insert(at, lines[random.Next(lines.Count)]);
                return;
        }
        lines[at] = string.Join(',', fields);
    }
}
