using System.Collections.Concurrent;
using System.Numerics.Tensors;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>Fills planes of grey values.</summary>
internal static class GreyFilling
{
    public static void Run(IVolume<float> source, IWritableVolume<float> target, int[] knots, double step, FillMethod method, Traversal walk)
    {
        var size = source.Info.Size;
        // a slice; and for flow the motion to the next
        var bytes = size.SliceCount * sizeof(float) * (method == FillMethod.Flow ? 3 : 1);
        var motions = new ConcurrentDictionary<int, Lazy<SliceMotion>>();
        FillTraversal.Run(source, target, knots, step, method, KnotWeights.Reach, bytes, voxels => voxels, (weights, slices, result) =>
        {
            if (method == FillMethod.Flow) Motion(weights.First, slices[0], slices[1]).Blend(slices[0], slices[1], (float)weights.Weights[1], result);
            else
            {
                result.AsSpan().Clear();
                for (var i = 0; i < slices.Length; i++) TensorPrimitives.MultiplyAdd(slices[i], (float)weights.Weights[i], result, result);
            }
        }, walk);

        SliceMotion Motion(int pair, float[] a, float[] b)
        {
            var motion = motions.GetOrAdd(pair, _ => new(() => new(a, b, size.Y, size.X))).Value;
            if (motions.Count > walk.Threads + 1) motions.TryRemove(motions.Keys.Min(), out _);
            return motion;
        }
    }
}
