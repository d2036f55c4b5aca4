using System;
using System.IO;

namespace Preserve;

/// <summary>Writes device files.</summary>
public static class DeviceFileWriter
{
    /// <summary>Writes a device file with a calibration. The file is the old one or the whole new one, whatever happens meanwhile.</summary>
    /// <param name="path">The file to write.</param>
    /// <param name="deviceFile">The text of the device file without the new calibration.</param>
    /// <param name="calibration">The calibration.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">The text is not that of a device file, or its device cannot have these constants.</exception>
    public static void Write(string path, string deviceFile, DeviceCalibration calibration)
    {
        ArgumentNullException.ThrowIfNull(path);
        var text = CalibrationText.Put(deviceFile, calibration);
        // In the same folder: a file moves whole only within one file system.
        var temporary = path + "." + Guid.NewGuid().ToString("N") + ".tmp";
        try
        {
            File.WriteAllText(temporary, text);
            File.Move(temporary, path, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }
}
