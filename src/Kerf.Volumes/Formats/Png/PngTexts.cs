using System.Text;
using System.Text.Json;

namespace Kerf.Volumes;

/// <summary>What Kerf keeps in text chunks: "kerf.phases", names and colours as JSON; "kerf.voxel", the voxel size as z,y,x in nanometres.</summary>
internal static class PngTexts
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    private static ReadOnlySpan<byte> PhasesKey => "kerf.phases\0"u8;

    private static ReadOnlySpan<byte> VoxelKey => "kerf.voxel\0"u8;

    /// <summary>The chunk that holds phases. JSON escapes everything beyond ASCII, so Latin-1 holds any name.</summary>
    public static byte[] Phases(IReadOnlyList<Phase> phases) => [.. PhasesKey, .. JsonSerializer.SerializeToUtf8Bytes(phases, Json)];

    /// <summary>The chunk that holds a voxel size.</summary>
    public static byte[] Voxel(VoxelSize voxel) => [.. VoxelKey, .. Encoding.ASCII.GetBytes(voxel.ToString())];

    /// <summary>Takes a text chunk in; one about something else is passed over.</summary>
    public static void Read(ReadOnlySpan<byte> chunk, ref string? phases, ref string? voxel)
    {
        if (chunk.StartsWith(PhasesKey)) phases = Encoding.Latin1.GetString(chunk[PhasesKey.Length..]);
        if (chunk.StartsWith(VoxelKey) && chunk.Length < 200) voxel = Encoding.Latin1.GetString(chunk[VoxelKey.Length..]);
    }

    /// <summary>The voxel size of a text; null when it is none.</summary>
    public static VoxelSize? ReadVoxel(string? text)
    {
        try
        {
            return text is null ? null : VoxelSize.Parse(text);
        }
        // a foreign text under our keyword
        catch (InputError)
        {
            return null;
        }
    }

    /// <summary>The phases of an indexed image: those written beside it, else one per colour of its palette; null for grey.</summary>
    public static IReadOnlyList<Phase>? ReadPhases(PngHeader header, string? names)
    {
        if (header.Colour != PngColour.Palette || header.Palette is not { } palette) return null;
        if (Named(names) is { } named) return named;
        return IsGrey(palette) ? null : [.. Enumerable.Range(1, palette.Count - 1).Where(label => palette[label] is not (0, 0, 0))
            .Select(label => Phase.Unnamed(label) with { Colour = Hex(palette[label]) })];
    }

    private static IReadOnlyList<Phase>? Named(string? json)
    {
        if (json is null) return null;
        try
        {
            var phases = JsonSerializer.Deserialize<List<Phase?>>(json, Json);
            return phases is not null && phases.TrueForAll(IsSound) ? phases.ConvertAll(phase => phase!) : null;
        }
        // a foreign text under our keyword: the palette still tells the colours
        catch (JsonException)
        {
            return null;
        }
    }

    private static bool IsSound(Phase? phase) => phase is { Label: >= 1 and <= 255, Name.Length: > 0, Colour: ['#', .. { Length: 6 } digits] }
        && digits.All(char.IsAsciiHexDigit);

    // a palette for the display of grey levels is grey, or changes little from one level to the next; colours of labels jump
    private static bool IsGrey(IReadOnlyList<(byte R, byte G, byte B)> palette) =>
        palette.All(colour => colour.R == colour.G && colour.G == colour.B)
        || (palette.Count == 256 && palette.Zip(palette.Skip(1)).All(pair => Far(pair.First, pair.Second) < 24));

    private static int Far((byte R, byte G, byte B) a, (byte R, byte G, byte B) b) =>
        Math.Max(Math.Abs(a.R - b.R), Math.Max(Math.Abs(a.G - b.G), Math.Abs(a.B - b.B)));

    private static string Hex((byte R, byte G, byte B) colour) => $"#{colour.R:x2}{colour.G:x2}{colour.B:x2}";
}
