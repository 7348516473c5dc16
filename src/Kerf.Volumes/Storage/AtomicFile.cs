namespace Kerf.Volumes;

/// <summary>Files that are there whole or not at all: written under a temporary name beside their place, flushed, then renamed.</summary>
public static class AtomicFile
{
    /// <summary>Ending of a file under construction; whoever finds one may delete it.</summary>
    public const string PartialSuffix = ".partial";

    /// <summary>Writes text as UTF-8.</summary>
    public static void WriteAllText(string path, string text) => WriteAllBytes(path, System.Text.Encoding.UTF8.GetBytes(text));

    /// <summary>Writes bytes.</summary>
    public static void WriteAllBytes(string path, ReadOnlySpan<byte> bytes)
    {
        // a name of its own per writer: two processes that write the same file both end with a whole one
        var partial = $"{path}.{Environment.ProcessId}-{Environment.CurrentManagedThreadId}{PartialSuffix}";
        try
        {
            using (var stream = new FileStream(partial, FileMode.Create, FileAccess.Write, FileShare.None, 1)) stream.Write(bytes);
            File.Move(partial, path, overwrite: true);
        }
        catch (Exception exception) when (Refused(exception))
        {
            try { File.Delete(partial); } catch (IOException) { } catch (UnauthorizedAccessException) { }
            throw new InputError($"{path}: cannot be written ({exception.Message}). Check the folder's rights and the space left on the disk.", exception);
        }
    }

    /// <summary>
    /// True for what the file system answers when it does not take a file: no space, no rights, a limit of the file's size, which .NET reports as an
    /// argument out of range.
    /// </summary>
    internal static bool Refused(Exception exception) =>
        exception is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException { ParamName: "value", ActualValue: null };
}
