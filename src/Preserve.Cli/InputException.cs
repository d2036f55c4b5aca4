namespace Preserve.Cli;

/// <summary>What the user gave is not what the tool can use. The message names the thing, its value, and what would be right.</summary>
internal sealed class InputException(string message) : Exception(message);
