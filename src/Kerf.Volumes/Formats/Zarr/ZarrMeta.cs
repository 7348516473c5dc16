using System.Text;
using System.Text.Json;

namespace Kerf.Volumes;

/// <summary>One value of a JSON metadata file that nobody vouches for: every access checks and names the file and the place when it fails.</summary>
internal readonly record struct ZarrMeta(string File, string Where, JsonElement Json)
{
    // consolidated metadata of a whole hierarchy stays far below this
    private const int MaxBytes = 16 << 20;

    /// <summary>A required member.</summary>
    public ZarrMeta this[string name] => Find(name) ?? throw Fault($"{name} is missing");

    /// <summary>Opens a metadata file; null when there is none.</summary>
    public static ZarrMeta? Open(string file)
    {
        if (ZarrFile.Read(file, MaxBytes) is not { } bytes) return null;
        try
        {
            // through a string: bytes that are no UTF-8 become U+FFFD here instead of an exception at the first access
            var document = JsonDocument.Parse(Encoding.UTF8.GetString(bytes).TrimStart('\uFEFF'), new() { MaxDepth = 32 });
            return new(file, "", document.RootElement);
        }
        catch (JsonException exception)
        {
            throw new InputError($"{file}: is not readable JSON ({exception.Message}) The volume is damaged: copy or write it again.", exception);
        }
    }

    /// <summary>A member, or null when it is missing or null.</summary>
    public ZarrMeta? Find(string name)
    {
        if (Json.ValueKind != JsonValueKind.Object) return null;
        try
        {
            return Json.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null
                ? new(File, Where.Length == 0 ? name : $"{Where}.{name}", value) : null;
        }
        catch (InvalidOperationException)
        {
            throw Fault("a name is no text");
        }
    }

    /// <summary>The value as text.</summary>
    public string Text
    {
        get
        {
            if (Json.ValueKind != JsonValueKind.String) throw Fault($"{Short} is no text");
            // half a surrogate pair, escaped
            try { return Json.GetString()!; } catch (InvalidOperationException) { throw Fault("is no text"); }
        }
    }

    /// <summary>The value as a number.</summary>
    public double Number => Json.ValueKind == JsonValueKind.Number && Json.TryGetDouble(out var value) && double.IsFinite(value)
        ? value : throw Fault($"{Short} is no number");

    /// <summary>True or false.</summary>
    public bool Flag => Json.ValueKind is JsonValueKind.True or JsonValueKind.False ? Json.GetBoolean()
        : throw Fault($"{Short} is neither true nor false");

    /// <summary>The value as a whole number in a range.</summary>
    public int Integer(int min, int max) =>
        Json.ValueKind == JsonValueKind.Number && Json.TryGetInt64(out var value) && value >= min && value <= max ? (int)value
            : throw Fault($"{Short} is not a whole number from {min} to {max}");

    /// <summary>The elements of an array.</summary>
    public List<ZarrMeta> Items(int min, int max)
    {
        if (Json.ValueKind != JsonValueKind.Array) throw Fault($"{Short} is no list");
        var count = Json.GetArrayLength();
        if (count < min || count > max) throw Fault($"{count} entries, allowed are {min} to {max}");
        var (file, where) = (File, Where);
        return [.. Json.EnumerateArray().Select((item, i) => new ZarrMeta(file, $"{where}[{i}]", item))];
    }

    /// <summary>The names of the members, each once.</summary>
    public IReadOnlyList<string> Names()
    {
        try { return [.. Json.EnumerateObject().Select(pair => pair.Name).Distinct()]; }
        catch (InvalidOperationException) { throw Fault("a name is no text"); }
    }

    /// <summary>A list of whole numbers.</summary>
    public int[] Integers(int count, int min, int max) => [.. Items(count, count).Select(item => item.Integer(min, max))];

    /// <summary>The error that names the file and the place.</summary>
    public InputError Fault(string what) => new(
        $"{File}: {(Where.Length == 0 ? "" : Where + ": ")}{what}. The volume is damaged or of a kind that is not read: write it again.");

    private string Short
    {
        get
        {
            var text = Json.GetRawText().ReplaceLineEndings(" ");
            return text.Length <= 40 ? text : text[..40] + "…";
        }
    }
}

/// <summary>Bounded reading of files, every failure named.</summary>
internal static class ZarrFile
{
    /// <summary>The whole file, or null when there is none.</summary>
    public static byte[]? Read(string file, long maxBytes)
    {
        using var handle = Open(file);
        if (handle is null) return null;
        var length = Guard(file, () => RandomAccess.GetLength(handle));
        if (length > maxBytes)
            throw new InputError($"{file}: holds {length} bytes where at most {maxBytes} are possible. It is damaged: copy or write the volume again.");
        return Range(handle, file, 0, (int)length);
    }

    /// <summary>Opens for reading, or null when there is no such file.</summary>
    public static Microsoft.Win32.SafeHandles.SafeFileHandle? Open(string file)
    {
        try { return File.OpenHandle(file); }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException) { return null; }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException) { throw Unreadable(file, exception); }
    }

    /// <summary>Bytes <paramref name="offset"/> to <paramref name="offset"/> + <paramref name="count"/> − 1; fewer at the file's end.</summary>
    public static byte[] Range(Microsoft.Win32.SafeHandles.SafeFileHandle handle, string file, long offset, int count)
    {
        var bytes = GC.AllocateUninitializedArray<byte>(count);
        var done = 0;
        while (done < count)
        {
            var read = Guard(file, () => RandomAccess.Read(handle, bytes.AsSpan(done), offset + done));
            if (read == 0) return bytes[..done];
            done += read;
        }
        return bytes;
    }

    /// <summary>Turns a failing read into the user's error.</summary>
    public static TResult Guard<TResult>(string file, Func<TResult> read)
    {
        try { return read(); }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException) { throw Unreadable(file, exception); }
    }

    private static InputError Unreadable(string file, Exception exception) =>
        new($"{file}: cannot be read ({exception.Message}). Check the file's rights and the disk.", exception);
}
