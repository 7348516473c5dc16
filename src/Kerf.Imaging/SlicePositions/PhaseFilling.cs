using System.Numerics.Tensors;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>Fills planes of a segmentation: each phase has a field along z, and the highest one wins.</summary>
internal static class PhaseFilling
{
    // slices on each side that the distances' spline passes through: it is smooth, and each field costs four bytes a pixel
    public const int ShapeReach = 4;

    public static void Run(IVolume<byte> source, IWritableVolume<byte> target, int[] knots, double step, byte[] labels, Fill how, IPlaneNetwork? network, Traversal walk)
    {
        if (how.Method is FillMethod.Shape or FillMethod.Learned) Outlines(source, target, knots, step, labels, how.Method, network, walk);
        else Indicators(source, target, knots, step, labels, how, walk);
    }

    // the phase whose indicator is the highest, interpolated
    private static void Indicators(IVolume<byte> source, IWritableVolume<byte> target, int[] knots, double step, byte[] labels, Fill how, Traversal walk)
    {
        var size = source.Info.Size;
        // of two phases the second decides alone
        var (rivals, floor) = labels.Length == 2 ? (labels[1..], 0.5f) : (labels, float.NegativeInfinity);
        FillTraversal.Run(source, target, knots, step, how.Method, KnotWeights.Reach, size.SliceCount, voxels => voxels, (weights, slices, result) =>
        {
            IndicatorSums.Highest(slices, weights.Weights, labels[0], rivals, floor, result);
            if (how.Method == FillMethod.Cubic && how.HoleSize > 0) PlaneHoles.Close(result, size.Y, size.X, how.HoleSize);
        }, walk);
    }

    // the phase that lies deepest inside its outline, whose saturated distance is interpolated, by a spline or by a network
    private static void Outlines(IVolume<byte> source, IWritableVolume<byte> target, int[] knots, double step, byte[] labels, FillMethod method, IPlaneNetwork? network, Traversal walk)
    {
        var size = source.Info.Size;
        var fields = labels.Length == 2 ? labels[1..] : labels;
        var voxel = source.Info.Voxel ?? VoxelSize.Cube(1);
        var saturation = SaturationOfThickness * (knots.Length > 1 ? (double)(knots[^1] - knots[0]) / (knots.Length - 1) : 1) * voxel.Z;
        var bytes = size.SliceCount * fields.Length * sizeof(float);
        FillTraversal.Run<byte, float[][]>(source, target, knots, step, method, ShapeReach, bytes,
            slice => [.. fields.Select(label => PlaneDistance.Saturated(slice, label, size.Y, size.X, voxel.Y, voxel.X, saturation))],
            (weights, slices, result) =>
            {
                var sums = new float[fields.Length][];
                for (var i = 0; i < sums.Length; i++)
                {
                    sums[i] = new float[result.Length];
                    if (network is not null)
                    {
                        var image = new float[FillChannels.Names.Count * result.Length];
                        FillChannels.Make([.. slices.Select(slice => slice[i])], knots, weights.First, weights.Weights, weights.At, image);
                        network.Run(image, size.Y, size.X, sums[i]);
                        continue;
                    }
                    for (var k = 0; k < slices.Length; k++) TensorPrimitives.MultiplyAdd(slices[k][i], (float)weights.Weights[k], sums[i], sums[i]);
                }
                if (labels.Length == 2) Decide(sums[0], labels, result);
                else Highest(sums, labels, result);
            }, walk);
    }

    // distances saturate at this multiple of the mean thickness. Chosen on levelled waves of other seeds and wavelengths than those of the study; 0.7 to 2 make little difference
    public const double SaturationOfThickness = 1.25;

    private static void Decide(float[] field, byte[] labels, byte[] result)
    {
        for (var i = 0; i < result.Length; i++) result[i] = field[i] > 0 ? labels[1] : labels[0];
    }

    // the lower label wins a tie
    private static void Highest(float[][] fields, byte[] labels, byte[] result)
    {
        for (var i = 0; i < result.Length; i++)
        {
            var best = 0;
            for (var k = 1; k < fields.Length; k++)
                if (fields[k][i] > fields[best][i]) best = k;
            result[i] = labels[best];
        }
    }
}
