namespace Kerf.Volumes;

/// <summary>A named, coloured class of a segmentation. Label 0 means none (unlabelled, outside the specimen); phases count from 1.</summary>
/// <param name="Label">The value that voxels of this phase hold, 1 to 255.</param>
/// <param name="Name">A word for tables and legends, such as "pore".</param>
/// <param name="Colour">"#rrggbb".</param>
public sealed record Phase(int Label, string Name, string Colour)
{
    private static readonly string[] Palette = ["#e8e6df", "#3b7dd8", "#e8883a", "#4ca66b", "#b05cc6", "#d9c544", "#c64f4f", "#5bb8c4"];

    /// <summary>Red, green and blue of <see cref="Colour"/>.</summary>
    public (byte R, byte G, byte B) Rgb => (Convert.ToByte(Colour[1..3], 16), Convert.ToByte(Colour[3..5], 16), Convert.ToByte(Colour[5..7], 16));

    /// <summary>"phase N" in a colour of the house palette: what a label is called when nobody named it.</summary>
    public static Phase Unnamed(int label) => new(label, $"phase {label}", Palette[(label + Palette.Length - 1) % Palette.Length]);
}
