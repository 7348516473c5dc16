using System.Numerics.Tensors;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>Fills planes of grey values.</summary>
internal static class GreyFilling
{
    public static void Run(IVolume<float> source, IWritableVolume<float> target, int[] knots, double step, FillMethod method, Traversal walk) =>
        FillTraversal.Run(source, target, knots, step, method, KnotWeights.Reach, source.Info.Size.SliceCount * sizeof(float), voxels => voxels, (weights, slices, result) =>
        {
            for (var i = 0; i < slices.Length; i++) TensorPrimitives.MultiplyAdd(slices[i], (float)weights.Weights[i], result, result);
        }, walk);
}
