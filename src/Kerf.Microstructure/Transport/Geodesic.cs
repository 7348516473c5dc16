using System.Runtime.CompilerServices;
using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>How long a way through the voxels is.</summary>
public enum Metric
{
    /// <summary>
    /// The wave equation |∇t| = 1, upwind differences of first order on the six face neighbours (Sethian 1996, doi:10.1073/pnas.93.4.1591): any
    /// direction,
    /// error falling with the voxel size. A way must pass through faces.
    /// </summary>
    Eikonal,

    /// <summary>
    /// Steps from centre to centre to the 26 neighbours, each as long as it is (Dijkstra; scikit-image's MCP_Geometric). A way in any other
    /// direction
    /// is a staircase, up to 13 % too long in cubic voxels; steps also pass edges and corners that two voxels share.
    /// </summary>
    Steps,
}

/// <summary>
/// Shortest ways inside a mask, from seeds. Voxels wait in buckets of one length each (Denardo and Fox 1979, doi:10.1287/opre.27.1.161; Yatziv
/// et al. 2006,
/// doi:10.1016/j.jcp.2005.08.005), so the cost grows with the voxels alone; one that gets shorter later waits again, so the buckets do not show.
/// </summary>
internal sealed class Geodesic
{
    private const float Wall = -1;
    private readonly int _row;
    private readonly int _slice;

    private Geodesic(Size3 size, VoxelSize voxel)
    {
        (Size, Voxel, _row) = (size, voxel, size.X + 2);
        _slice = checked((size.Y + 2) * _row);
        // a wall around all: no step needs to look where it is
        Lengths = new float[checked((int)((long)(size.Z + 2) * _slice))];
    }

    /// <summary>Extent without the wall.</summary>
    public Size3 Size { get; }

    /// <summary>Edges of a voxel.</summary>
    public VoxelSize Voxel { get; }

    /// <summary>Length of the shortest way from a seed by <see cref="Index"/>; −1 outside the mask, +∞ where no way leads.</summary>
    public float[] Lengths { get; }

    /// <summary>Where a voxel's length lies.</summary>
    public int Index(int z, int y, int x) => (z + 1) * _slice + (y + 1) * _row + x + 1;

    /// <summary>The voxel of an index.</summary>
    public (int Z, int Y, int X) Place(int index) => (index / _slice - 1, index / _row % (Size.Y + 2) - 1, index % _row - 1);

    /// <summary>Bytes that the lengths of a volume need.</summary>
    public static long Bytes(Size3 size) => 4 * (new Size3(2, 2, 2) + size).Count;

    /// <summary>The mask's voxels (not 0), with no way to any of them yet.</summary>
    /// <exception cref="InputError">More voxels than the budget or an array holds.</exception>
    public static Geodesic In(IVolume<byte> mask, string measure, Traversal walk)
    {
        var size = mask.Info.Size;
        if (Bytes(size) > Math.Min(walk.MemoryBytes, 8L << 30) || Bytes(size) / 4 > int.MaxValue - 64) throw new InputError(
            $"{measure}: the lengths of {size} voxels need {Bytes(size) >> 20} MiB, the budget is {Math.Min(walk.MemoryBytes, 8L << 30) >> 20} MiB. "
            + "Raise --memory, or crop or resample the volume.");
        var map = new Geodesic(size, Microstructure.Lengths.Voxel(mask.Info));
        map.Lengths.AsSpan().Fill(Wall);
        Blocks.ForEachSlice(mask, walk with { Progress = null }, (z, slice) =>
        {
            for (int y = 0, i = 0; y < size.Y; y++)
            {
                var row = map.Lengths.AsSpan(map.Index(z, y, 0), size.X);
                for (var x = 0; x < size.X; x++) row[x] = slice[i++] != 0 ? float.PositiveInfinity : Wall;
            }
        });
        return map;
    }

    /// <summary>Finds the lengths of all voxels that can be reached from the seeds.</summary>
    /// <param name="seeds">Indices and the length that each starts with, 0 or more.</param>
    /// <param name="metric">What a length is.</param>
    /// <param name="walk">Cancellation; one thread does the work.</param>
    public void Spread(IEnumerable<(int Index, float Length)> seeds, Metric metric, Traversal walk)
    {
        var steps = Steps();
        var longest = steps.Max(step => step.Length);
        var width = (float)(Voxel.Finest * (metric == Metric.Steps ? 1 : 0.5));
        var queue = new Buckets(width, longest);
        foreach (var (index, length) in seeds)
        {
            if (!(length < Lengths[index])) continue;
            Lengths[index] = length;
            queue.Add(index, length);
        }
        while (queue.Next())
        {
            walk.Cancellation.ThrowIfCancellationRequested();
            // what is added to the bucket meanwhile is taken too
            for (var i = 0; i < queue.Count; i++)
            {
                var index = queue[i];
                if (!queue.IsNow(Lengths[index])) continue;
                if (metric == Metric.Steps) Step(index, steps, queue);
                else Wave(index, queue);
            }
        }
    }

    /// <summary>The neighbours of a voxel, as differences of indices, and how far their centres are.</summary>
    public (int Offset, float Length)[] Steps()
    {
        var steps = new List<(int Offset, float Length)>();
        for (var i = 0; i < 27; i++)
        {
            if (i == 13) continue;
            var (z, y, x) = (i / 9 - 1, i / 3 % 3 - 1, i % 3 - 1);
            var squared = z * z * Voxel.Z * Voxel.Z + y * y * Voxel.Y * Voxel.Y + x * x * Voxel.X * Voxel.X;
            steps.Add((z * _slice + y * _row + x, (float)Math.Sqrt(squared)));
        }
        return [.. steps];
    }

    private void Step(int index, (int Offset, float Length)[] steps, Buckets queue)
    {
        var length = Lengths[index];
        foreach (var (offset, far) in steps)
        {
            ref var other = ref Lengths[index + offset];
            var way = length + far;
            if (!(way < other)) continue;
            other = way;
            queue.Add(index + offset, way);
        }
    }

    private void Wave(int index, Buckets queue)
    {
        var length = Lengths[index];
        Touch(index - _slice);
        Touch(index - _row);
        Touch(index - 1);
        Touch(index + 1);
        Touch(index + _row);
        Touch(index + _slice);

        void Touch(int other)
        {
            ref var old = ref Lengths[other];
            if (!(old > length)) return;
            var way = Arrival(Nearer(other, _slice), Nearer(other, _row), Nearer(other, 1));
            // a little less is none: rounding would go on and on
            if (!(way < old * 0.999999f)) return;
            old = way;
            queue.Add(other, way);
        }
    }

    // the earlier of two opposite neighbours
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private float Nearer(int index, int step)
    {
        var (a, b) = (Lengths[index - step], Lengths[index + step]);
        return a < 0 ? b < 0 ? float.PositiveInfinity : b : b < 0 ? a : Math.Min(a, b);
    }

    // t with Σ ((t − tᵢ)/hᵢ)² = 1 over the neighbours that are earlier than t
    private float Arrival(float z, float y, float x)
    {
        double a = z, b = y, c = x, ha = Voxel.Z, hb = Voxel.Y, hc = Voxel.X;
        if (a > b) (a, b, ha, hb) = (b, a, hb, ha);
        if (b > c) (b, c, hb, hc) = (c, b, hc, hb);
        if (a > b) (a, b, ha, hb) = (b, a, hb, ha);
        var t = a + ha;
        if (t <= b) return (float)t;
        double p = 1 / (ha * ha), q = 1 / (hb * hb);
        double weight = p + q, mean = p * a + q * b, square = p * a * a + q * b * b - 1;
        t = (mean + Math.Sqrt(Math.Max(0, mean * mean - weight * square))) / weight;
        if (t <= c) return (float)t;
        var r = 1 / (hc * hc);
        (weight, mean, square) = (weight + r, mean + r * c, square + r * c * c);
        return (float)((mean + Math.Sqrt(Math.Max(0, mean * mean - weight * square))) / weight);
    }

    // a ring of buckets, each as wide as the shortest step; the ring spans more than the longest
    private sealed class Buckets
    {
        private readonly float _scale;
        private readonly int[][] _lists;
        private readonly int[] _counts;
        private long _now = -1;
        private long _waiting;
        private int _current;

        public Buckets(float width, float longest)
        {
            _scale = 1 / width;
            _lists = new int[(int)(longest / width) + 4][];
            _counts = new int[_lists.Length];
            for (var i = 0; i < _lists.Length; i++) _lists[i] = new int[1024];
        }

        public int Count => _counts[_current];

        public int this[int i] => _lists[_current][i];

        public void Add(int index, float length)
        {
            var at = (int)(Math.Max(_now, (long)(length * _scale)) % _lists.Length);
            if (_counts[at] == _lists[at].Length) Array.Resize(ref _lists[at], 2 * _counts[at]);
            _lists[at][_counts[at]++] = index;
            _waiting++;
        }

        // one that became shorter had its turn in an earlier bucket
        public bool IsNow(float length) => (long)(length * _scale) >= _now;

        // goes on to the next bucket that holds something
        public bool Next()
        {
            if (_now >= 0)
            {
                _waiting -= Count;
                _counts[_current] = 0;
            }
            if (_waiting == 0) return false;
            do _current = (int)(++_now % _lists.Length);
            while (Count == 0);
            return true;
        }
    }
}
