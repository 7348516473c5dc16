using System.Text;
using System.Text.Json;

namespace Kerf.Volumes;

/// <summary>Phases beside the palette of a label image: a text chunk "kerf.phases" that holds them as JSON.</summary>
internal static class PngPhases
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    private static ReadOnlySpan<byte> Keyword => "kerf.phases\0"u8;

    /// <summary>The content of a text chunk. JSON escapes everything beyond ASCII, so Latin-1 holds any name.</summary>
    public static byte[] Write(IReadOnlyList<Phase> phases) => [.. Keyword, .. JsonSerializer.SerializeToUtf8Bytes(phases, Json)];

    /// <summary>The JSON of a text chunk, or null when it is about something else.</summary>
    public static string? Text(ReadOnlySpan<byte> chunk) => chunk.StartsWith(Keyword) ? Encoding.Latin1.GetString(chunk[Keyword.Length..]) : null;

    /// <summary>The phases of an indexed image: those written beside it, else one per colour of its palette; null for grey.</summary>
    public static IReadOnlyList<Phase>? Read(PngHeader header, string? names)
    {
        if (header.Colour != PngColour.Palette || header.Palette is not { } palette || IsGreyRamp(palette)) return null;
        if (Named(names) is { } named) return named;
        var count = palette.Count;
        // programs like to fill a palette up to 256 with black
        while (count > 2 && palette[count - 1] is (0, 0, 0)) count--;
        return [.. Enumerable.Range(1, count - 1).Select(label => new Phase(label, $"phase {label}", Hex(palette[label])))];
    }

    private static IReadOnlyList<Phase>? Named(string? json)
    {
        if (json is null) return null;
        try
        {
            var phases = JsonSerializer.Deserialize<List<Phase?>>(json, Json);
            var sound = phases is not null && phases.TrueForAll(phase =>
                phase is { Label: >= 1 and <= 255, Name.Length: > 0, Colour: { Length: 7 } colour } && colour[0] == '#' && colour.Skip(1).All(char.IsAsciiHexDigit));
            return sound ? phases!.ConvertAll(phase => phase!) : null;
        }
        // a foreign text under our keyword: the palette still tells the colours
        catch (JsonException)
        {
            return null;
        }
    }

    // a grey image saved with a palette: index = grey level
    private static bool IsGreyRamp(IReadOnlyList<(byte R, byte G, byte B)> palette) =>
        palette.Count == 256 && palette.Select((colour, index) => colour == ((byte)index, (byte)index, (byte)index)).All(same => same);

    private static string Hex((byte R, byte G, byte B) colour) => $"#{colour.R:x2}{colour.G:x2}{colour.B:x2}";
}
