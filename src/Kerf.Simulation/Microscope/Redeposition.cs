using Kerf.Volumes;

namespace Kerf.Simulation;

/// <summary>
/// What milling throws onto the floors of wide empty pores: the structure as the beam meets it, with redeposit as a phase of its own. Over a floor the
/// empty voxels above are filled as high as <see cref="Session.RedepositRate"/> times the height of the pore there, but not higher than
/// <see cref="Session.RedepositMost"/>; none where less than half of the neighbourhood is empty, all of it from 0.9 on; ragged by ±50 %.
/// </summary>
public static class Redeposition
{
    /// <summary>Label of redeposit.</summary>
    public const byte Label = 255;

    /// <summary>Streams a structure from top to bottom, keeping a few slices.</summary>
    /// <param name="structure">Labels, with a voxel size.</param>
    /// <param name="empty">True for the labels that are vacuum.</param>
    /// <param name="session">Rate, thickness and width.</param>
    /// <param name="target">Receives the labels and <see cref="Label"/>.</param>
    /// <param name="seed">Of the raggedness.</param>
    /// <param name="walk">Progress and cancellation.</param>
    public static void Write(IVolume<byte> structure, bool[] empty, Session session, IWritableVolume<byte> target, ulong seed, Traversal walk)
    {
        session.Check();
        var (size, voxel) = (structure.Info.Size, structure.Info.RequireVoxel("redeposition"));
        var most = Math.Max(1, (int)Math.Round(session.RedepositMost * 1.5 / voxel.Z));
        var highest = (int)Math.Ceiling(session.RedepositMost / Math.Max(1e-3, session.RedepositRate) / voxel.Z);
        var ragged = new LatticeNoise(seed, 60, size, voxel, 200, 90, 90);
        // slices in which a floor further down may still leave redeposit
        var waiting = new Queue<byte[]>();
        var (height, noise) = (new int[size.SliceCount], new float[size.X]);
        float[]? open = null;
        for (var z = 0; z <= size.Z; z++)
        {
            walk.Cancellation.ThrowIfCancellationRequested();
            var slice = new byte[size.SliceCount];
            if (z < size.Z) structure.Read(Box.Slice(size, z), slice);
            var above = waiting.ToArray();
            var plane = ragged.Slice(Math.Min(z, size.Z - 1));
            for (var y = 0; y < size.Y && z < size.Z; y++)
            {
                ragged.Row(plane, y, noise);
                for (var x = 0; x < size.X; x++)
                {
                    var at = y * size.X + x;
                    if (empty[slice[at]])
                    {
                        height[at] = Math.Min(height[at] + 1, highest);
                        continue;
                    }
                    if (height[at] > 0 && open is not null)
                    {
                        var share = Math.Clamp((open[at] - 0.5) / 0.4, 0, 1) * Math.Clamp(1 + 0.5 * noise[x], 0, 1.5);
                        var cover = Math.Min(session.RedepositMost, session.RedepositRate * height[at] * voxel.Z) * share;
                        for (var k = Math.Min(Math.Min(height[at], above.Length), (int)Math.Round(cover / voxel.Z)); k > 0; k--) above[^k][at] = Label;
                    }
                    height[at] = 0;
                }
            }
            if (z < size.Z) open = Openness(slice, empty, size, (int)Math.Round(session.RedepositWidth / voxel.Y), (int)Math.Round(session.RedepositWidth / voxel.X));
            waiting.Enqueue(slice);
            while (waiting.Count > (z < size.Z ? most : 1))
            {
                var number = Math.Min(z, size.Z) - waiting.Count + 1;
                target.Write(Box.Slice(size, number), waiting.Dequeue());
                walk.Progress?.Report((number + 1.0) / size.Z);
            }
        }
    }

    // share of empty pixels in a rectangle around each, by running sums; what lies outside is left out
    private static float[] Openness(byte[] labels, bool[] empty, Size3 size, int reachY, int reachX)
    {
        var width = size.X + 1;
        var sums = new int[(size.Y + 1) * width];
        for (var y = 0; y < size.Y; y++)
        {
            var row = 0;
            for (var x = 0; x < size.X; x++)
            {
                row += empty[labels[y * size.X + x]] ? 1 : 0;
                sums[(y + 1) * width + x + 1] = sums[y * width + x + 1] + row;
            }
        }
        var share = new float[labels.Length];
        for (var y = 0; y < size.Y; y++)
        {
            int top = Math.Max(0, y - reachY), bottom = Math.Min(size.Y, y + reachY + 1);
            for (var x = 0; x < size.X; x++)
            {
                int left = Math.Max(0, x - reachX), right = Math.Min(size.X, x + reachX + 1);
                var count = sums[bottom * width + right] - sums[top * width + right] - sums[bottom * width + left] + sums[top * width + left];
                share[y * size.X + x] = (float)count / ((bottom - top) * (right - left));
            }
        }
        return share;
    }
}
