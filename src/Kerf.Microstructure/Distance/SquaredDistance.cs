using System.Buffers;
using System.Numerics;
using System.Numerics.Tensors;
using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>
/// Squared Euclidean distance of each voxel of a mask to the nearest voxel outside it, in units of the voxel's x edge, so that whole ratios of the
/// edges give whole numbers, which float holds exactly. Three passes: runs down y (whole rows at a time), then the lower envelope of parabolas
/// along x and along z (Maurer et al. 2003, doi:10.1109/TPAMI.2003.1177156). Linear in the voxels; +∞ where the region holds nothing outside.
/// </summary>
internal static class SquaredDistance
{
    // columns that the z pass takes at a time: four cache lines of each slice
    private const int Tile = 64;

    /// <summary>Squared edges of a voxel over that of x. Of 24 bits, so that the envelope's sums are exact in double and no order of work can show.</summary>
    public static (float Z, float Y) Weights(VoxelSize voxel)
    {
        var (z, y) = (voxel.Z / voxel.X, voxel.Y / voxel.X);
        return ((float)(z * z), (float)(y * y));
    }

    /// <summary>Fills <paramref name="squared"/> for a region of a mask; what lies outside the region is not seen.</summary>
    public static void Fill(IVolume<byte> mask, Box region, float[] squared, VoxelSize voxel, Traversal walk)
    {
        var (size, plane) = (region.Size, (int)region.Size.SliceCount);
        var (weightZ, weightY) = Weights(voxel);
        walk.Part(0, 0.5).ForEach(size.Z, z =>
        {
            var inside = ArrayPool<byte>.Shared.Rent(plane);
            mask.Read(new(region.Start + new Size3(z, 0, 0), size with { Z = 1 }), inside);
            var slice = squared.AsSpan((int)((long)z * plane), plane);
            RunsDown(inside.AsSpan(0, plane), slice, size.X, weightY);
            ArrayPool<byte>.Shared.Return(inside);
            var sites = new Parabola[size.X + 1];
            for (var y = 0; y < size.Y; y++) Envelope(slice.Slice(y * size.X, size.X), 1, sites);
        });
        if (size.Z == 1) return;
        walk.Part(0.5, 1).ForEach(size.Y, y => AlongZ(squared, size, y, weightZ));
    }

    // d(y) = d(y − 1) + 1 inside, then the same upwards, then squared
    private static void RunsDown(ReadOnlySpan<byte> inside, Span<float> slice, int width, float weight)
    {
        Grey.Widen(inside, slice);
        for (var x = 0; x < width; x++) slice[x] = slice[x] == 0 ? 0 : float.PositiveInfinity;
        for (var start = width; start < slice.Length; start += width) CountOn(slice.Slice(start, width), slice.Slice(start - width, width));
        for (var start = slice.Length - 2 * width; start >= 0; start -= width) Lower(slice.Slice(start, width), slice.Slice(start + width, width));
        TensorPrimitives.Multiply(slice, slice, slice);
        if (weight != 1) TensorPrimitives.Multiply(slice, weight, slice);
    }

    private static void CountOn(Span<float> row, ReadOnlySpan<float> above)
    {
        var x = 0;
        for (; x <= row.Length - Vector<float>.Count; x += Vector<float>.Count)
        {
            var outside = Vector.Equals(new Vector<float>(row[x..]), Vector<float>.Zero);
            Vector.ConditionalSelect(outside, Vector<float>.Zero, new Vector<float>(above[x..]) + Vector<float>.One).CopyTo(row[x..]);
        }
        for (; x < row.Length; x++) row[x] = row[x] == 0 ? 0 : above[x] + 1;
    }

    private static void Lower(Span<float> row, ReadOnlySpan<float> below)
    {
        var x = 0;
        for (; x <= row.Length - Vector<float>.Count; x += Vector<float>.Count)
            Vector.Min(new Vector<float>(row[x..]), new Vector<float>(below[x..]) + Vector<float>.One).CopyTo(row[x..]);
        for (; x < row.Length; x++) row[x] = Math.Min(row[x], below[x] + 1);
    }

    private static void AlongZ(float[] squared, Size3 size, int y, float weight)
    {
        // the stride is odd in cache lines, else every line of a tile would fall into one set of the cache
        var stride = (size.Z | 15) + 2;
        var lines = ArrayPool<float>.Shared.Rent(Tile * stride);
        var sites = new Parabola[size.Z + 1];
        for (var x = 0; x < size.X; x += Tile)
        {
            var width = Math.Min(Tile, size.X - x);
            for (var z = 0; z < size.Z; z++)
            {
                var row = squared.AsSpan((int)(((long)z * size.Y + y) * size.X + x), width);
                for (var i = 0; i < row.Length; i++) lines[i * stride + z] = row[i];
            }
            for (var i = 0; i < width; i++) Envelope(lines.AsSpan(i * stride, size.Z), weight, sites);
            for (var z = 0; z < size.Z; z++)
            {
                var row = squared.AsSpan((int)(((long)z * size.Y + y) * size.X + x), width);
                for (var i = 0; i < row.Length; i++) row[i] = lines[i * stride + z];
            }
        }
        ArrayPool<float>.Shared.Return(lines);
    }

    private readonly record struct Parabola(int At, double Height)
    {
        public double Value(int at, double weight) => Height + weight * ((double)(at - At) * (at - At));
    }

    // line(i) becomes min over j of line(j) + weight (i − j)². A zero is its own nearest site, and nothing beyond it can be nearer than it:
    // so each stretch between zeros stands alone.
    private static void Envelope(Span<float> line, double weight, Parabola[] sites)
    {
        for (var i = 0; i < line.Length;)
        {
            if (line[i] == 0)
            {
                i++;
                continue;
            }
            var end = i + 1;
            while (end < line.Length && line[end] != 0) end++;
            Stretch(line, i, end, weight, sites);
            i = end;
        }
    }

    private static void Stretch(Span<float> line, int start, int end, double weight, Parabola[] sites)
    {
        var count = 0;
        if (start > 0) sites[count++] = new(start - 1, 0);
        var last = end < line.Length ? end : end - 1;
        for (var i = start; i <= last; i++)
        {
            if (float.IsPositiveInfinity(line[i])) continue;
            var added = new Parabola(i, line[i]);
            while (count >= 2 && Hidden(sites[count - 2], sites[count - 1], added, weight)) count--;
            sites[count++] = added;
        }
        if (count == 0) return;
        var at = 0;
        for (var i = start; i < end; i++)
        {
            var value = sites[at].Value(i, weight);
            while (at + 1 < count && sites[at + 1].Value(i, weight) is var next && next <= value)
            {
                value = next;
                at++;
            }
            line[i] = (float)value;
        }
    }

    // v lies nowhere below both u and w
    private static bool Hidden(Parabola u, Parabola v, Parabola w, double weight)
    {
        double a = v.At - u.At, b = w.At - v.At, c = w.At - u.At;
        return c * v.Height - b * u.Height - a * w.Height - weight * (a * b * c) > 0;
    }
}
