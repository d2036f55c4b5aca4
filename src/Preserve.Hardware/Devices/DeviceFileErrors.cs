using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve;

/// <summary>Errors and doubts of a device file, and the paths of the fields that one may have.</summary>
internal sealed class DeviceFileErrors
{
    private readonly List<DeviceFileError> _errors = [];
    private readonly List<DeviceFileError> _doubts = [];
    private readonly HashSet<string> _fields = new(StringComparer.Ordinal);

    /// <summary>The paths of the fields and sections that a device file may have, as far as they were asked for.</summary>
    public IReadOnlyCollection<string> Fields => _fields;

    public bool Any => _errors.Count > 0;

    public void Add(JsonValue place, string message) => Add(place.Line, place.Column, message);

    public void Add(int line, int column, string message) => _errors.Add(new DeviceFileError(line, column, NameRules.Printable(message)));

    public void Doubt(JsonValue place, string message) => _doubts.Add(new DeviceFileError(place.Line, place.Column, NameRules.Printable(message)));

    public void Remove(string message) => _errors.RemoveAll(e => e.Message == message);

    public void Known(string path) => _fields.Add(path);

    public bool IsField(string path) => _fields.Contains(path);

    public string? NearestField(string path) => EditDistance.Nearest(path, _fields);

    public EquatableArray<DeviceFileError> InOrder() => InOrder(_errors);

    public EquatableArray<DeviceFileError> DoubtsInOrder() => InOrder(_doubts);

    private static EquatableArray<DeviceFileError> InOrder(List<DeviceFileError> errors) => errors.OrderBy(e => e.Line).ThenBy(e => e.Column).ToArray();
}
