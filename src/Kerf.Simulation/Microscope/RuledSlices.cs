using Kerf.Volumes;

namespace Kerf.Simulation;

/// <summary>Slices with a ruler drawn over their top.</summary>
/// <param name="images">Greys 0 to 255, of a known pixel size.</param>
/// <param name="ruler">The marks; columns are shares of the width of <paramref name="images"/>.</param>
/// <param name="depths">Of each slice, nanometres.</param>
/// <param name="shifts">Displacement (y, x) of each slice's content, pixels.</param>
/// <param name="margin">Rows above the image's first.</param>
public sealed class RuledSlices(IVolume<float> images, VirtualRuler ruler, double[] depths, (double Y, double X)[] shifts, int margin) : IVolume<float>
{
    private readonly double _pixel = images.Info.RequireVoxel("a ruler").X;

    /// <inheritdoc/>
    public VolumeInfo Info => images.Info;

    /// <inheritdoc/>
    public void Read(Box box, Span<float> target)
    {
        var size = Info.Size;
        var image = new float[size.SliceCount];
        for (var z = box.Start.Z; z < box.End.Z; z++)
        {
            var slice = Box.Slice(size, z);
            images.Read(slice, image);
            ruler.Draw(image, size.Y, size.X, depths[z], _pixel, (shifts[z].Y + margin, shifts[z].X));
            Rows.Copy(image, slice, target, box, box.Intersect(slice));
        }
    }
}
