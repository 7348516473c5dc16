using System.Globalization;
using System.Xml;

namespace Kerf.Volumes;

/// <summary>
/// What a microscope noted in its own tags. Keys: vendor, voltageKeV, detector, tiltDegrees, workingDistanceMm, databarHeightPixels, pixelSizeNm,
/// slicePosition. A note that cannot be read is left out: it never keeps anyone from the image.
/// </summary>
internal sealed class TiffVendor
{
    public Dictionary<string, string> Metadata { get; } = [];

    /// <summary>Pixel width in nanometres.</summary>
    public double? X { get; private set; }

    /// <summary>Pixel height in nanometres.</summary>
    public double? Y { get; private set; }

    public static TiffVendor Read(TiffBytes file, Dictionary<int, TiffField> tags, int width)
    {
        var vendor = new TiffVendor();
        string? Text(int tag) => tags.TryGetValue(tag, out var field) ? file.Text(field, $"tag {tag}") : null;
        if ((Text(TiffTag.FeiHelios) ?? Text(TiffTag.FeiSfeg)) is { } fei) vendor.Fei(fei);
        if (Text(TiffTag.Zeiss) is { } zeiss) vendor.Zeiss(zeiss);
        if (Text(TiffTag.Fibics) is { } fibics) vendor.Fibics(fibics, width);
        if (Text(TiffTag.Tescan) is { } tescan) vendor.Tescan(tescan);
        return vendor;
    }

    private void Note(string key, string? value)
    {
        if (!string.IsNullOrWhiteSpace(value)) Metadata.TryAdd(key, value.Trim());
    }

    private void Note(string key, double? value)
    {
        // ten digits: without the dust that a change of unit leaves
        if (value is { } number) Note(key, Math.Round(number, 10).ToString("G10", CultureInfo.InvariantCulture));
    }

    private void Pixel(double? x, double? y)
    {
        X ??= LengthUnit.Positive(x);
        Y ??= LengthUnit.Positive(y) ?? X;
    }

    // SI units; the tilt in radians
    private void Fei(string text)
    {
        var notes = Sections(text);
        double? Number(string key) => LengthUnit.Number(notes.GetValueOrDefault(key));
        var beam = notes.GetValueOrDefault("Beam/Beam", "EBeam");
        Note("vendor", "FEI");
        Pixel(Number("Scan/PixelWidth") * 1e9, Number("Scan/PixelHeight") * 1e9);
        Note("voltageKeV", (Number(beam + "/HV") ?? Number("EBeam/HV") ?? Number("Beam/HV")) / 1e3);
        Note("detector", notes.GetValueOrDefault("Detectors/Name"));
        Note("tiltDegrees", Number("Stage/StageT") * 180 / Math.PI);
        Note("workingDistanceMm", (Number(beam + "/WD") ?? Number("EBeam/WD") ?? Number("Stage/WorkingDistance")) * 1e3);
        Note("databarHeightPixels", notes.GetValueOrDefault("PrivateFei/DatabarHeight"));
    }

    // lines "AP_WD" and below it "WD = 6.2 mm"; µ is often damaged
    private void Zeiss(string text)
    {
        var notes = TiffStack.Notes(text);
        string? Note(string label) => notes.GetValueOrDefault(label);
        var pixel = LengthUnit.Parse(Note("Image Pixel Size") ?? "") ?? LengthUnit.Parse(Note("Pixel Size") ?? "");
        this.Note("vendor", "Zeiss");
        Pixel(pixel, pixel);
        this.Note("voltageKeV", Note("EHT") is { } volts ? First(volts) * (volts.EndsWith("kV", StringComparison.Ordinal) ? 1 : 1e-3) : null);
        this.Note("detector", Note("Signal A"));
        this.Note("tiltDegrees", First(Note("Stage at T")));
        this.Note("workingDistanceMm", LengthUnit.Parse(Note("WD") ?? "") * 1e-6);
    }

    private void Fibics(string text, int width)
    {
        var start = text.IndexOf('<');
        if (start < 0) return;
        Note("vendor", "Fibics");
        var notes = new Dictionary<string, string>();
        var path = new Stack<(string Name, string Units)>();
        try
        {
            var settings = new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, CheckCharacters = false };
            using var reader = XmlReader.Create(new StringReader(text[start..]), settings);
            while (reader.Read())
            {
                if (reader is { NodeType: XmlNodeType.Element, IsEmptyElement: false })
                {
                    path.Push((reader.GetAttribute("name") ?? reader.LocalName, reader.GetAttribute("units") ?? ""));
                }
                else if (reader.NodeType == XmlNodeType.EndElement)
                {
                    path.Pop();
                }
                else if (reader.NodeType == XmlNodeType.Text && path.Count > 1)
                {
                    // "Scan/FOV_X" = "0.37 um"
                    var (name, units) = path.Peek();
                    notes.TryAdd($"{path.ElementAt(1).Name}/{name}", $"{reader.Value} {units}".Trim());
                }
            }
        }
        catch (XmlException) { } // what was read before the fault still holds
        var columns = LengthUnit.Number(notes.GetValueOrDefault("Image/Width")) ?? width;
        var pixel = LengthUnit.Parse(notes.GetValueOrDefault("Scan/FOV_X", "")) / columns;
        var rows = LengthUnit.Number(notes.GetValueOrDefault("Image/Height"));
        Pixel(pixel, LengthUnit.Parse(notes.GetValueOrDefault("Scan/FOV_Y", "")) / rows ?? pixel);
        Note("slicePosition", notes.GetValueOrDefault("Slice/ZPos"));
        Note("detector", notes.GetValueOrDefault("DetectorInfo/Detector"));
    }

    // a binary head, then SI units in sections
    private void Tescan(string text)
    {
        var start = text.IndexOf("[MAIN]", StringComparison.Ordinal);
        if (start < 0) return;
        var notes = Sections(text[start..]);
        double? Number(string key) => LengthUnit.Number(notes.GetValueOrDefault(key));
        Note("vendor", "TESCAN");
        Pixel(Number("MAIN/PixelSizeX") * 1e9, Number("MAIN/PixelSizeY") * 1e9);
        Note("voltageKeV", Number("SEM/HV") / 1e3);
        Note("detector", notes.GetValueOrDefault("SEM/Detector"));
        Note("tiltDegrees", Number("SEM/StageTilt"));
        Note("workingDistanceMm", Number("SEM/WD") * 1e3);
        Note("databarHeightPixels", notes.GetValueOrDefault("MAIN/ImageStripSize"));
    }

    private static double? First(string? text) =>
        text is null ? null : LengthUnit.Number(text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).FirstOrDefault());

    // "[Section]" and "Key=Value" lines, as "Section/Key"
    private static Dictionary<string, string> Sections(string text)
    {
        var notes = new Dictionary<string, string>();
        var section = "";
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            var equals = line.IndexOf('=');
            if (line.StartsWith("[") && line.IndexOf(']') is > 0 and < 64 and var end) section = line[1..end].ToString();
            else if (equals is > 0 and < 64) notes.TryAdd($"{section}/{line[..equals].Trim()}", line[(equals + 1)..].Trim().ToString());
        }
        return notes;
    }
}
