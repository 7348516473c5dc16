using System.Buffers;
using System.Numerics.Tensors;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>
/// Opening and closing of one phase by a ball (3-D) or a disc (2-D) of exact Euclidean radius, voxels of any shape. A voxel belongs to the
/// ball when its centre lies within the radius, edge included, so that radius r voxels is scikit-image's <c>ball(r)</c>. Outside the volume
/// there is nothing: the border erodes no phase and grows none.
/// </summary>
public static class Morphology
{
    /// <summary>The labels after opening, then closing, computed where they are read; nothing is stored.</summary>
    /// <param name="labels">Labels.</param>
    /// <param name="phase">The phase to open and close.</param>
    /// <param name="open">Radius of the opening; 0 for none. What it removes gets the label of the nearest voxel of another phase.</param>
    /// <param name="close">Radius of the closing; 0 for none. What it adds is taken from whatever was there.</param>
    /// <param name="edge">Edge lengths of a voxel (z, y, x) in the unit of the radii; an infinite z keeps slices apart.</param>
    public static IVolume<byte> OpenClose(IVolume<byte> labels, byte phase, double open, double close, (double Z, double Y, double X) edge) =>
        new Opened(labels, phase, open, close, edge);

    /// <summary>
    /// Squared distance to the nearest seed, exact up to the reach and above it at least reach². Along each axis in turn, the lowest of the
    /// shifted parabolas: the exact Euclidean distance transform, as far as the window sees.
    /// </summary>
    internal static void SquaredDistance(ReadOnlySpan<bool> seeds, Size3 size, (double Z, double Y, double X) edge, double reach, Span<float> squared)
    {
        var count = (int)size.Count;
        var buffer = ArrayPool<float>.Shared.Rent(2 * count);
        var near = buffer.AsSpan(0, count);
        var shifted = buffer.AsSpan(count, count);
        for (var i = 0; i < count; i++) squared[i] = seeds[i] ? 0 : float.MaxValue;
        Axis(squared, near, shifted, 1, size.X, edge.X, reach);
        Axis(squared, near, shifted, size.X, size.Y, edge.Y, reach);
        Axis(squared, near, shifted, size.X * size.Y, size.Z, edge.Z, reach);
        ArrayPool<float>.Shared.Return(buffer);
    }

    /// <summary>Voxels that a radius spans along an axis.</summary>
    internal static int Reach(double radius, double edge) => double.IsInfinity(edge) ? 0 : (int)Math.Floor(radius / edge * (1 + 1e-9));

    /// <summary>The highest squared distance that still counts as within the radius.</summary>
    internal static float Limit(double radius) => (float)(radius * radius * (1 + 1e-6));

    // lines of `length` voxels, `stride` apart: each run of length·stride voxels is a set of lines side by side
    private static void Axis(Span<float> squared, Span<float> near, Span<float> scratch, int stride, int length, double edge, double reach)
    {
        var steps = Math.Min(Reach(reach, edge), length - 1);
        if (steps == 0) return;
        squared.CopyTo(near);
        for (var step = 1; step <= steps; step++)
        {
            var rise = (float)(step * edge * (step * edge));
            var overlap = (length - step) * stride;
            TensorPrimitives.Add(near, rise, scratch[..near.Length]);
            for (var line = 0; line < near.Length; line += length * stride)
            {
                var ahead = squared.Slice(line, overlap);
                var behind = squared.Slice(line + step * stride, overlap);
                TensorPrimitives.Min(ahead, scratch.Slice(line + step * stride, overlap), ahead);
                TensorPrimitives.Min(behind, scratch.Slice(line, overlap), behind);
            }
        }
    }

    private sealed class Opened(IVolume<byte> labels, byte phase, double open, double close, (double Z, double Y, double X) edge) : IVolume<byte>
    {
        public VolumeInfo Info => labels.Info;

        public void Read(Box box, Span<byte> target)
        {
            var reach = 2 * Math.Max(0, open) + 2 * Math.Max(0, close);
            var outer = box.Grow(new(Reach(reach, edge.Z) + 1, Reach(reach, edge.Y) + 1, Reach(reach, edge.X) + 1)).Intersect(Box.Whole(Info.Size));
            if (double.IsInfinity(edge.Z)) outer = new(outer.Start with { Z = box.Start.Z }, outer.Size with { Z = box.Size.Z });
            var count = checked((int)outer.Count);
            var voxels = ArrayPool<byte>.Shared.Rent(count);
            var squared = ArrayPool<float>.Shared.Rent(count);
            var seeds = ArrayPool<bool>.Shared.Rent(count);
            labels.Read(outer, voxels);
            if (open > 0) Open(voxels.AsSpan(0, count), outer.Size, seeds.AsSpan(0, count), squared.AsSpan(0, count));
            if (close > 0) Close(voxels.AsSpan(0, count), outer.Size, seeds.AsSpan(0, count), squared.AsSpan(0, count));
            Rows.Copy<byte>(voxels.AsSpan(0, count), outer, target, box, box);
            ArrayPool<byte>.Shared.Return(voxels);
            ArrayPool<float>.Shared.Return(squared);
            ArrayPool<bool>.Shared.Return(seeds);
        }

        private void Open(Span<byte> voxels, Size3 size, Span<bool> seeds, Span<float> squared)
        {
            for (var i = 0; i < seeds.Length; i++) seeds[i] = voxels[i] != phase;
            SquaredDistance(seeds, size, edge, open, squared);
            for (var i = 0; i < seeds.Length; i++) seeds[i] = squared[i] > Limit(open);
            SquaredDistance(seeds, size, edge, open, squared);
            // removed voxels take labels of what was there before, so all are read before any is written
            var removed = new List<(int Voxel, byte Label)>();
            var ball = Ball(open);
            for (var i = 0; i < seeds.Length; i++)
            {
                if (voxels[i] == phase && squared[i] > Limit(open)) removed.Add((i, Nearest(voxels, size, i, ball)));
            }
            foreach (var (voxel, label) in removed) voxels[voxel] = label;
        }

        private void Close(Span<byte> voxels, Size3 size, Span<bool> seeds, Span<float> squared)
        {
            for (var i = 0; i < seeds.Length; i++) seeds[i] = voxels[i] == phase;
            SquaredDistance(seeds, size, edge, close, squared);
            for (var i = 0; i < seeds.Length; i++) seeds[i] = squared[i] > Limit(close);
            SquaredDistance(seeds, size, edge, close, squared);
            for (var i = 0; i < seeds.Length; i++)
            {
                if (squared[i] > Limit(close)) voxels[i] = phase;
            }
        }

        // the label of the nearest voxel of another phase; of several the most frequent, of these the lowest
        private byte Nearest(ReadOnlySpan<byte> voxels, Size3 size, int voxel, (float Squared, int Z, int Y, int X)[] ball)
        {
            var (z, y, x) = (voxel / (size.Y * size.X), voxel / size.X % size.Y, voxel % size.X);
            Span<int> votes = stackalloc int[256];
            votes.Clear();
            var found = float.MaxValue;
            foreach (var (squared, dz, dy, dx) in ball)
            {
                if (squared > found) break;
                if ((uint)(z + dz) >= size.Z || (uint)(y + dy) >= size.Y || (uint)(x + dx) >= size.X) continue;
                var label = voxels[voxel + (dz * size.Y + dy) * size.X + dx];
                if (label == phase) continue;
                votes[label]++;
                found = squared;
            }
            var best = 0;
            for (var label = 1; label < 256; label++)
            {
                if (votes[label] > votes[best]) best = label;
            }
            return (byte)best;
        }

        private (float Squared, int Z, int Y, int X)[] Ball(double radius)
        {
            var offsets = new List<(float, int, int, int)>();
            int rz = Reach(radius, edge.Z), ry = Reach(radius, edge.Y), rx = Reach(radius, edge.X);
            for (var z = -rz; z <= rz; z++)
            {
                for (var y = -ry; y <= ry; y++)
                {
                    for (var x = -rx; x <= rx; x++)
                    {
                        var squared = (float)((z == 0 ? 0 : z * edge.Z * z * edge.Z) + y * edge.Y * y * edge.Y + x * edge.X * x * edge.X);
                        if (squared <= Limit(radius)) offsets.Add((squared, z, y, x));
                    }
                }
            }
            offsets.Sort();
            return [.. offsets];
        }
    }
}
