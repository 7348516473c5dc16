using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>
/// Separates touching particles by a watershed of the distance map: voxels are flooded from the most inner ones outwards; a voxel joins the basin of
/// its innermost neighbour that is flooded already (26 neighbours), or begins one. Where two basins meet, the one whose summit rises less than
/// <c>depth</c> above the place joins the other: what stays are the h-maxima (Soille, Morphological Image Analysis, 2003,
/// doi:10.1007/978-3-662-05088-0). Levels are sorted by counting, so the cost is linear; ties fall to the first voxel in z, y, x order, so the
/// result is one, whatever the threads.
/// </summary>
public sealed class Separation
{
    private const int BytesPerVoxel = 12;

    private Separation(Size3 size, int[] labels, int count) => (Size, Labels, Count) = (size, labels, count);

    /// <summary>Extent of the volume.</summary>
    public Size3 Size { get; }

    /// <summary>The particle of each voxel, numbered from 1 by their first voxel in z, y, x order; 0 for none.</summary>
    public int[] Labels { get; }

    /// <summary>How many particles there are.</summary>
    public int Count { get; }

    /// <summary>The coarsest voxel edge: summits that rise less are steps of the surface.</summary>
    public static double DefaultDepth(PhaseMask mask) => Math.Max(mask.Voxel.Z, Math.Max(mask.Voxel.Y, mask.Voxel.X));

    /// <summary>Separates the particles of a mask. In memory: 12 bytes per voxel.</summary>
    /// <param name="mask">Not 0 = in a particle.</param>
    /// <param name="depth">How far a summit must rise above the neck to its neighbour to be a particle of its own, in nm (voxels where the size is unknown).</param>
    /// <param name="walk">Threads, budget, progress.</param>
    /// <exception cref="InputError">The phase fills the volume, or the budget is too small.</exception>
    public static Separation Of(IVolume<byte> mask, double depth, Traversal walk)
    {
        var size = mask.Info.Size;
        if (size.Count > Array.MaxLength || size.Count > walk.MemoryBytes / BytesPerVoxel) throw new InputError(
            $"particles: {size} voxels need {(BytesPerVoxel * size.Count >> 20) + 1} MiB, the memory budget is {walk.MemoryBytes >> 20} MiB. "
            + "Raise --memory (2³¹ voxels at most), or resample the volume.");
        var squared = DistanceMap.Squared(mask, walk.Part(0, 0.2));
        var flood = new Flood(squared, size, depth / Lengths.Voxel(mask.Info).X, walk.Part(0.2, 1));
        return new(size, flood.Basins, flood.Run());
    }

    private sealed class Flood(float[] squared, Size3 size, double depth, Traversal walk)
    {
        private readonly List<int> _parent = [0];
        private readonly List<float> _summit = [0];
        private readonly (int Z, int Y, int X)[] _neighbours =
            [.. from z in (int[])[0, -1, 1] from y in (int[])[0, -1, 1] from x in (int[])[0, -1, 1] where (z, y, x) != (0, 0, 0) orderby z * z + y * y + x * x select (z, y, x)];

        public int[] Basins { get; } = new int[squared.Length];

        public int Run()
        {
            var around = Array.ConvertAll(_neighbours, n => (n.Z * size.Y + n.Y) * size.X + n.X);
            var near = new int[around.Length];
            var order = InwardsFirst();
            for (var i = 0; i < order.Length; i++)
            {
                if ((i & 0xfffff) == 0)
                {
                    walk.Cancellation.ThrowIfCancellationRequested();
                    walk.Progress?.Report((double)i / order.Length);
                }
                var voxel = order[i];
                var (z, y, x) = (voxel / (size.Y * size.X), voxel / size.X % size.Y, voxel % size.X);
                var inside = z > 0 && z < size.Z - 1 && y > 0 && y < size.Y - 1 && x > 0 && x < size.X - 1;
                Join(voxel, inside ? around : near.AsSpan(0, Inside(z, y, x, around, near)));
            }
            return Renumber();
        }

        private int Inside(int z, int y, int x, int[] around, int[] near)
        {
            var count = 0;
            for (var i = 0; i < around.Length; i++)
            {
                var n = _neighbours[i];
                if ((uint)(z + n.Z) < size.Z && (uint)(y + n.Y) < size.Y && (uint)(x + n.X) < size.X) near[count++] = around[i];
            }
            return count;
        }

        private void Join(int voxel, ReadOnlySpan<int> around)
        {
            var (highest, joined, top) = (0f, 0, 0);
            var level = MathF.Sqrt(squared[voxel]);
            foreach (var offset in around)
            {
                var basin = Basins[voxel + offset];
                if (basin == 0) continue;
                basin = Root(basin);
                if (squared[voxel + offset] > highest) (highest, joined) = (squared[voxel + offset], basin);
                if (top == 0 || top == basin)
                {
                    top = basin;
                    continue;
                }
                // of equal summits the older one stands
                var lower = _summit[basin] < _summit[top] || (_summit[basin] == _summit[top] && basin > top) ? basin : top;
                top = lower == basin ? top : basin;
                if (_summit[lower] - level < depth) _parent[lower] = top;
            }
            if (joined == 0)
            {
                joined = _parent.Count;
                _parent.Add(joined);
                _summit.Add(level);
            }
            Basins[voxel] = Root(joined);
        }

        private int Root(int basin)
        {
            while (_parent[basin] != basin) basin = _parent[basin] = _parent[_parent[basin]];
            return basin;
        }

        // by counting: the whole part of the squared distance, downwards, then z, y, x; on voxels of whole ratios that is the exact order
        private int[] InwardsFirst()
        {
            var highest = 0f;
            foreach (var value in squared) highest = Math.Max(highest, value);
            var first = new int[Bin(highest) + 2];
            foreach (var value in squared)
            {
                if (value > 0) first[Bin(value)]++;
            }
            var sum = 0;
            for (var bin = first.Length - 1; bin >= 0; bin--) (first[bin], sum) = (sum, sum + first[bin]);
            var order = new int[sum];
            for (var i = 0; i < squared.Length; i++)
            {
                if (squared[i] > 0) order[first[Bin(squared[i])]++] = i;
            }
            return order;
        }

        private static int Bin(float value) => (int)MathF.Ceiling(value);

        private int Renumber()
        {
            var numbers = new int[_parent.Count];
            var count = 0;
            for (var i = 0; i < Basins.Length; i++)
            {
                if (Basins[i] == 0) continue;
                ref var number = ref numbers[Root(Basins[i])];
                if (number == 0) number = ++count;
                Basins[i] = number;
            }
            return count;
        }
    }
}
