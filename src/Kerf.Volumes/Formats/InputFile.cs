namespace Kerf.Volumes;

/// <summary>Reads files that a user named; what the system answers becomes an <see cref="InputError"/> with the path and a remedy.</summary>
internal static class InputFile
{
    /// <summary>The whole file.</summary>
    public static byte[] ReadAllBytes(string path) => Guard(path, () => File.ReadAllBytes(path));

    /// <summary>Its first bytes, at most <paramref name="count"/>.</summary>
    public static byte[] ReadStart(string path, int count, out bool whole)
    {
        var start = Guard(path, () =>
        {
            using var file = File.OpenHandle(path);
            var bytes = new byte[Math.Min(count, RandomAccess.GetLength(file))];
            var got = RandomAccess.Read(file, bytes, 0);
            return (Bytes: got == bytes.Length ? bytes : bytes[..got], Whole: got == RandomAccess.GetLength(file));
        });
        whole = start.Whole;
        return start.Bytes;
    }

    /// <summary>Runs a read; errors of the file system become an <see cref="InputError"/>.</summary>
    public static T Guard<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InputError($"{path}: no such file. Check the name.", exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InputError($"{path}: cannot be read ({exception.Message}). Check the file's rights and whether the disk is there.", exception);
        }
    }
}
