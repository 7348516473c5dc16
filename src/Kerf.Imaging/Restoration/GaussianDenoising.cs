using System.Numerics;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>
/// Smoothing with a sampled Gaussian, cut at 4σ and normalised to sum 1; mirrored border. Equals scipy's gaussian_filter(mode="mirror").
/// </summary>
public static class GaussianDenoising
{
    /// <summary>Writes the smoothed volume.</summary>
    /// <param name="source">Grey values.</param>
    /// <param name="target">A volume of the same size.</param>
    /// <param name="sigmaVoxels">σ along (z, y, x) in voxels; 0 leaves an axis alone.</param>
    /// <param name="walk">Threads, budget, progress.</param>
    /// <exception cref="InputError">σ is below 0, or above 50 voxels: scale the volume down first.</exception>
    public static void Filter(IVolume source, IVolume target, (double Z, double Y, double X) sigmaVoxels, Traversal walk)
    {
        var (z, y, x) = (Taps(sigmaVoxels.Z), Taps(sigmaVoxels.Y), Taps(sigmaVoxels.X));
        var halo = new Size3(z.Length - 1, y.Length - 1, x.Length - 1);
        Blocks.Map<float, float>(source.AsFloat(), target.AsFloatTarget(), halo, Border.Mirror, walk, (block, output) =>
        {
            var (outer, inner) = (block.Outer.Size, block.Inner.Size);
            var plane = outer.Y * outer.X;
            var alongZ = new float[inner.Z * plane];
            for (var i = 0; i < inner.Z; i++) Convolve(block.Voxels, (i + halo.Z) * plane, plane, z, alongZ.AsSpan(i * plane, plane));
            var rows = inner.Y * outer.X;
            var alongY = new float[inner.Z * rows];
            for (var i = 0; i < inner.Z; i++) Convolve(alongZ, i * plane + halo.Y * outer.X, outer.X, y, alongY.AsSpan(i * rows, rows));
            for (var i = 0; i < inner.Z * inner.Y; i++) Convolve(alongY, i * outer.X + halo.X, 1, x, output.Slice(i * inner.X, inner.X));
        }, scratchBytes: 8);
    }

    /// <summary>The central weight of the Gaussian and those to one side of it.</summary>
    public static float[] Taps(double sigmaVoxels)
    {
        if (!(sigmaVoxels is >= 0 and <= 50))
            throw new InputError($"sigma is {sigmaVoxels} voxels; it must be 0 to 50. Resample the volume for a wider one.");
        var taps = new double[(int)(4 * sigmaVoxels + 0.5) + 1];
        var sum = 0.0;
        for (var k = 0; k < taps.Length; k++)
        {
            taps[k] = k == 0 ? 1 : Math.Exp(-0.5 * k * k / (sigmaVoxels * sigmaVoxels));
            sum += k == 0 ? 1 : 2 * taps[k];
        }
        return [.. taps.Select(tap => (float)(tap / sum))];
    }

    // to[i] = Σ taps[k]·(from[start + i − k·stride] + from[start + i + k·stride]); the remainder does the same arithmetic as the lanes
    private static void Convolve(ReadOnlySpan<float> from, int start, int stride, float[] taps, Span<float> to)
    {
        var i = 0;
        for (; i <= to.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var sum = new Vector<float>(from[(start + i)..]) * new Vector<float>(taps[0]);
            for (var k = 1; k < taps.Length; k++)
            {
                var pair = new Vector<float>(from[(start + i - k * stride)..]) + new Vector<float>(from[(start + i + k * stride)..]);
                sum += pair * new Vector<float>(taps[k]);
            }
            sum.CopyTo(to[i..]);
        }
        for (; i < to.Length; i++)
        {
            var sum = from[start + i] * taps[0];
            for (var k = 1; k < taps.Length; k++) sum += (from[start + i - k * stride] + from[start + i + k * stride]) * taps[k];
            to[i] = sum;
        }
    }
}
