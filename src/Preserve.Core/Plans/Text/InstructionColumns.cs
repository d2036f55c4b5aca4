using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;

namespace Preserve;

/// <summary>An instruction as the columns of a line: stream, label, operation, operands, and what it waits for and signals.</summary>
internal static class InstructionColumns
{
    private const string AfterWord = "after ";
    private const string SignalsWord = "signals";
    private const string ReadWord = "read ";
    private const string CopyWord = "copy ";
    private const string BytesWord = " bytes";
    private const string ToDeviceWord = " to the device, ";
    private const string ToHostWord = " to the host, ";
    private const string PinnedWord = "pinned";
    private const string PageableWord = "pageable";

    /// <summary>The columns of an instruction.</summary>
    /// <param name="instruction">The instruction.</param>
    /// <param name="tensors">The tensors of its plan, by name: prefetches and copies are printed with their bytes.</param>
    public static List<string> Of(Instruction instruction, IReadOnlyDictionary<string, TensorDeclaration> tensors)
    {
        var columns = new List<string>
        {
            Names.Streams[instruction.Stream],
            instruction.Label,
            WriteOperation(instruction, tensors),
            ReferenceText.WriteOperands(instruction.Reads, instruction.Writes),
        };
        if (instruction.Waits.Count > 0)
            columns.Add(AfterWord + string.Join(", ", instruction.Waits));
        if (instruction.Signals)
            columns.Add(SignalsWord);
        return columns;
    }

    public static Instruction Parse(IReadOnlyList<string> columns, IReadOnlyDictionary<string, TensorDeclaration> tensors)
    {
        if (columns.Count < 4)
            throw new FormatException("an instruction has a stream, a label, an operation and operands, parted by two blanks or more");
        var (reads, writes) = ReferenceText.ParseOperands(columns[3]);
        EquatableArray<string> waits = default;
        var signals = false;
        foreach (var column in columns.Skip(4))
        {
            if (column.StartsWith(AfterWord, StringComparison.Ordinal))
                waits = column.Substring(AfterWord.Length).Split(',').Select(w => w.Trim()).ToArray();
            else if (column == SignalsWord)
                signals = true;
            else
                throw new FormatException($"'{column}' is neither 'after ...' nor 'signals'");
        }
        return new Instruction(Names.Streams.Parse(columns[0]), columns[1], ParseOperation(columns[2], reads, tensors), reads, writes, waits, signals);
    }

    private static Operation ParseOperation(string column, EquatableArray<TensorReference> reads, IReadOnlyDictionary<string, TensorDeclaration> tensors)
    {
        if (column.StartsWith(CopyWord, StringComparison.Ordinal))
            return ParseCopy(column, reads, tensors);
        if (!column.StartsWith(ReadWord, StringComparison.Ordinal))
            return OperationText.Parse(column);
        var bytes = BytesOf(reads, tensors);
        return column == ReadWord + bytes + BytesWord
            ? new PrefetchOperation()
            : throw new FormatException($"'{column}' of tensors of {bytes} bytes");
    }

    private static TransferOperation ParseCopy(string column, EquatableArray<TensorReference> reads, IReadOnlyDictionary<string, TensorDeclaration> tensors)
    {
        var bytes = BytesOf(reads, tensors);
        foreach (var direction in new[] { TransferDirection.HostToDevice, TransferDirection.DeviceToHost })
        {
            foreach (var pinned in new[] { true, false })
            {
                var operation = new TransferOperation(direction, pinned);
                if (column == WriteCopy(operation, bytes))
                    return operation;
            }
        }
        throw new FormatException($"'{column}' is not a copy such as '{WriteCopy(new TransferOperation(TransferDirection.HostToDevice, Pinned: true), bytes)}', the bytes being those of the tensors it reads");
    }

    private static string WriteOperation(Instruction instruction, IReadOnlyDictionary<string, TensorDeclaration> tensors) => instruction.Operation switch
    {
        PrefetchOperation => ReadWord + BytesOf(instruction.Reads, tensors) + BytesWord,
        TransferOperation o => WriteCopy(o, BytesOf(instruction.Reads, tensors)),
        _ => OperationText.Write(instruction.Operation),
    };

    private static string WriteCopy(TransferOperation operation, Amount bytes) =>
        CopyWord + bytes + BytesWord + (operation.Direction == TransferDirection.HostToDevice ? ToDeviceWord : ToHostWord) + (operation.Pinned ? PinnedWord : PageableWord);

    private static Amount BytesOf(EquatableArray<TensorReference> reads, IReadOnlyDictionary<string, TensorDeclaration> tensors)
    {
        Amount bytes = 0;
        foreach (var read in reads)
        {
            if (!tensors.TryGetValue(read.Tensor, out var tensor))
                throw new FormatException($"no tensor is named '{read.Tensor}'");
            bytes += (read.Range?.Length ?? tensor.Units) * tensor.UnitBytes;
        }
        return bytes;
    }

    /// <summary>The width of each column but a row's last.</summary>
    public static int[] Widths(List<List<string>> rows)
    {
        var widths = new int[rows.Count == 0 ? 0 : rows.Max(r => r.Count)];
        foreach (var row in rows)
        {
            for (var i = 0; i < row.Count; i++)
                widths[i] = Math.Max(widths[i], row[i].Length);
        }
        return widths;
    }

    public static string Join(List<string> row, int[] widths)
    {
        var line = new StringBuilder();
        for (var i = 0; i < row.Count; i++)
        {
            if (i > 0)
                line.Append("  ");
            line.Append(i + 1 < row.Count ? row[i].PadRight(widths[i]) : row[i]);
        }
        return line.ToString();
    }

    /// <summary>Splits a line at runs of two blanks or more.</summary>
    public static List<string> Split(string line)
    {
        var columns = new List<string>();
        foreach (var part in line.Trim().Split(["  "], StringSplitOptions.RemoveEmptyEntries))
        {
            var column = part.Trim();
            if (column.Length > 0)
                columns.Add(column);
        }
        return columns;
    }
}
