using System;
using System.Collections.Generic;

namespace Preserve;

/// <summary>The words that C# keeps to itself everywhere: no name without an <c>@</c> may be one (C# 13, 6.4.4, and
/// four that the compiler adds).</summary>
internal static class ReservedWords
{
    private static readonly HashSet<string> _words = new(
        ("abstract as base bool break byte case catch char checked class const continue decimal default delegate do double else enum event explicit extern false finally "
        + "fixed float for foreach goto if implicit in int interface internal is lock long namespace new null object operator out override params private protected public "
        + "readonly ref return sbyte sealed short sizeof stackalloc static string struct switch this throw true try typeof uint ulong unchecked unsafe ushort using virtual "
        + "void volatile while __arglist __makeref __reftype __refvalue").Split(' '),
        StringComparer.Ordinal);

    /// <summary>Whether a word is one of them.</summary>
    public static bool Contains(string word) => _words.Contains(word);
}
