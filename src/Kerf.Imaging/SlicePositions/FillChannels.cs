using System.Numerics.Tensors;

namespace Kerf.Imaging;

/// <summary>Makes a plane's field from its channels: what a learned filling calls. The field is above 0 inside the phase.</summary>
public interface IPlaneNetwork : IDisposable
{
    /// <summary>Computes one plane.</summary>
    /// <param name="channels">Those of <see cref="FillChannels.Names"/>, one after the other, x fastest.</param>
    /// <param name="height">Rows.</param>
    /// <param name="width">Columns.</param>
    /// <param name="field">Receives the field.</param>
    void Run(ReadOnlySpan<float> channels, int height, int width, Span<float> field);
}

/// <summary>
/// What a learned filling sees of a plane between two slices: the saturated signed distance to the phase's outline in the two slices on each side, how far these lie away, and the
/// plane as <see cref="FillMethod.Shape"/> makes it. Distances are told in mean slice distances, so that a network serves other voxel sizes too.
/// </summary>
public static class FillChannels
{
    /// <summary>Names of the channels.</summary>
    public static readonly IReadOnlyList<string> Names = ["slice -2", "slice -1", "slice 1", "slice 2", "way -2", "way -1", "way 1", "way 2", "shape"];

    // the shape's field is steep enough to be a logit
    private const float Steepness = 8;

    /// <summary>The field of one slice: d/√(d² + s²), d the signed distance to the phase's outline, s = 1.25 mean slice distances.</summary>
    /// <param name="slice">Labels, x fastest.</param>
    /// <param name="label">Of the phase.</param>
    /// <param name="height">Rows.</param>
    /// <param name="width">Columns.</param>
    /// <param name="pixelY">Nanometres.</param>
    /// <param name="pixelX">Nanometres.</param>
    /// <param name="distance">Mean distance of slices in nanometres.</param>
    public static float[] Field(byte[] slice, byte label, int height, int width, double pixelY, double pixelX, double distance) =>
        PlaneDistance.Saturated(slice, label, height, width, pixelY, pixelX, PhaseFilling.SaturationOfThickness * distance);

    /// <summary>The slices that a plane is made of, and their weights in the spline through them.</summary>
    /// <param name="planes">Planes that hold slices.</param>
    /// <param name="at">The plane to be made.</param>
    public static (int First, double[] Weights) Around(int[] planes, double at)
    {
        var weights = KnotWeights.Of(FillMethod.Shape, planes, at, PhaseFilling.ShapeReach);
        return (weights.First, weights.Weights);
    }

    /// <summary>Puts the channels together. Beyond the last slice on a side it repeats.</summary>
    /// <param name="fields">Of the slices <see cref="Around"/> the plane.</param>
    /// <param name="planes">Planes of all slices.</param>
    /// <param name="first">Number of the first of these slices.</param>
    /// <param name="weights">Their weights.</param>
    /// <param name="at">The plane to be made.</param>
    /// <param name="image">Receives the channels.</param>
    public static void Make(IReadOnlyList<float[]> fields, int[] planes, int first, double[] weights, double at, Span<float> image)
    {
        var count = image.Length / Names.Count;
        var mean = planes.Length > 1 ? (double)(planes[^1] - planes[0]) / (planes.Length - 1) : 1;
        var next = 0;
        while (planes[first + next] < at) next++;
        ReadOnlySpan<int> seen = [Math.Max(0, next - 2), next - 1, next, Math.Min(weights.Length - 1, next + 1)];
        for (var c = 0; c < 4; c++)
        {
            fields[seen[c]].CopyTo(image.Slice(c * count, count));
            image.Slice((4 + c) * count, count).Fill((float)((planes[first + seen[c]] - at) / mean));
        }
        var shape = image.Slice(8 * count, count);
        shape.Clear();
        for (var k = 0; k < weights.Length; k++) TensorPrimitives.MultiplyAdd(fields[k], Steepness * (float)weights[k], shape, shape);
    }
}
