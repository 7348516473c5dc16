using System.Numerics;
using System.Runtime.CompilerServices;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>
/// Non-local means (Buades, Coll and Morel 2005, doi:10.1109/CVPR.2005.38), pixelwise, with square patches:
/// <code>
/// out(p) = Σ_t w(p, p+t) f(p+t) / Σ_t w(p, p+t),      |t| ≤ search radius along each axis, w(p, p) = 1
/// w(p, q) = exp(−max(d²(p, q) − 2σ², 0) / h²),        d² = mean over the patch of (f(p+o) − f(q+o))²
/// </code>
/// σ is the standard deviation of the noise: two patches that differ by noise alone have d² = 2σ² and full weight. Weights below 2⁻²⁴ are 0.
/// Outside the volume lies its mirror image. Patch and search window are squares of a slice, or boxes of voxels.
/// </summary>
public static class NonLocalMeans
{
    /// <summary>Writes the filtered volume.</summary>
    /// <param name="source">Grey values.</param>
    /// <param name="target">A volume of the same size.</param>
    /// <param name="patch">Half-width of the patch along (z, y, x) in voxels. With 0 along z in both radii, slices are filtered one by one.</param>
    /// <param name="search">Half-width of the search window along (z, y, x) in voxels.</param>
    /// <param name="h">Photometric distance in grey levels, above 0: how different two patches may be.</param>
    /// <param name="noise">Standard deviation of the noise in grey levels; 0 subtracts nothing from the distances.</param>
    /// <param name="walk">Threads, budget, progress.</param>
    /// <exception cref="InputError"><paramref name="h"/> is not above 0, or a radius or the noise is below 0.</exception>
    public static void Filter(IVolume source, IVolume target, Size3 patch, Size3 search, double h, double noise, Traversal walk)
    {
        if (!(h > 0)) throw new InputError($"h is {h} grey levels; it must be above 0, near the standard deviation of the noise.");
        if (!(noise >= 0)) throw new InputError($"noise is {noise} grey levels; it must be 0 or more.");
        if (Math.Min(patch.Z, Math.Min(patch.Y, patch.X)) < 0 || Math.Min(search.Z, Math.Min(search.Y, search.X)) < 0)
            throw new InputError($"patch radius {patch} and search radius {search} must be 0 or more.");
        var pixels = (patch * 2 + Size3.Cube(1)).Count;
        var similarity = new Similarity((float)(Log2E / (pixels * h * h)), (float)(Log2E * 2 * noise * noise / (h * h)));
        Blocks.Map<float, float>(source.AsFloat(), target.AsFloatTarget(), patch + search, Border.Mirror, walk, (block, output) =>
            new PatchTile(Size3.Min(Tile(patch + search), block.Inner.Size), patch, search, similarity).Filter(block, output), scratchBytes: 4);
    }

    private const double Log2E = 1.4426950408889634;

    // what a shift touches at once stays in the second-level cache
    private static Size3 Tile(Size3 halo) => halo.Z == 0 ? new(1, 64, 128) : new(12, 24, 128);
}

/// <summary>
/// The weight of a pair of patches from their sum of squared differences: 2^min(<paramref name="Bias"/> − sum·<paramref name="Scale"/>, 0).
/// </summary>
internal readonly record struct Similarity(float Scale, float Bias) : ISumMap
{
    /// <summary>Weights of as many pairs as a vector has lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<float> Of(Vector<float> sum)
    {
        var exponent = Vector.MinNative(new Vector<float>(Bias) - sum * new Vector<float>(Scale), Vector<float>.Zero);
        return Vector.ConditionalSelect(Vector.GreaterThan(exponent, new Vector<float>(-24f)), Exp2(exponent), Vector<float>.Zero);
    }

    /// <summary>
    /// 2^y for y in −24 … 0; the largest relative error is 2·10⁻⁷. Only +, −, ×, and shifts of lanes: the same bits on every processor.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector<float> Exp2(Vector<float> y)
    {
        // adding 1.5·2²³ leaves round(y) in the low bits of the sum
        var shifted = y + new Vector<float>(12582912f);
        var f = y - (shifted - new Vector<float>(12582912f));
        // minimax polynomial of 2^f on −½ … ½ with the constant term 1
        var p = new Vector<float>(0.0013264727f) * f + new Vector<float>(0.009671513f);
        p = p * f + new Vector<float>(0.055507336f);
        p = p * f + new Vector<float>(0.24022242f);
        p = p * f + new Vector<float>(0.693147f);
        p = p * f + Vector<float>.One;
        return Vector.AsVectorSingle(Vector.AsVectorInt32(p) + Vector.ShiftLeft(Vector.AsVectorInt32(shifted), 23));
    }
}

/// <summary>What becomes of a sum over a patch.</summary>
internal interface ISumMap
{
    /// <summary>The value to store, lane by lane.</summary>
    Vector<float> Of(Vector<float> sum);
}
