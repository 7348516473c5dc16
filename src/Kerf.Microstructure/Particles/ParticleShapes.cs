using System.Runtime.InteropServices;
using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>Shapes of the labelled particles of a volume.</summary>
public static class ParticleShapes
{
    /// <summary>All particles, in the order of their numbers.</summary>
    /// <param name="particles">The separated particles.</param>
    /// <param name="info">Voxel size.</param>
    /// <param name="walk">Threads and progress.</param>
    public static Particle[] Of(Separation particles, VolumeInfo info, Traversal walk)
    {
        var size = particles.Size;
        var directions = new Directions(Lengths.Voxel(info));
        var totals = new Sums[particles.Count + 1];
        for (var i = 0; i < totals.Length; i++) totals[i] = Sums.Empty;
        var contacts = new Dictionary<(int, int), int[]>();
        // a few thick slabs: each holds sums of every particle. All are whole numbers, so neither slabs nor threads show.
        var slabs = Math.Min(size.Z, 4 * walk.Threads);
        walk.ForEach(slabs, slab =>
        {
            var (first, end) = ((int)((long)slab * size.Z / slabs), (int)((long)(slab + 1) * size.Z / slabs));
            var own = new Dictionary<int, Sums>();
            var touched = new Dictionary<(int, int), int[]>();
            for (var z = first; z < end; z++)
            {
                for (var y = 0; y < size.Y; y++)
                {
                    Moments(particles.Labels, size, z, y, own);
                    Crossings(particles.Labels, size, z, y, directions, own, touched);
                }
            }
            lock (totals)
            {
                foreach (var (id, sums) in own) totals[id] = totals[id].And(sums);
                foreach (var (pair, crossings) in touched) Add(ref CollectionsMarshal.GetValueRefOrAddDefault(contacts, pair, out _), crossings);
            }
        });
        return Describe(totals, contacts, directions, size, Lengths.Voxel(info));
    }

    private static void Add(ref int[]? total, int[] crossings)
    {
        total ??= new int[crossings.Length];
        for (var k = 0; k < total.Length; k++) total[k] += crossings[k];
    }

    private static ref Sums At(Dictionary<int, Sums> sums, int id)
    {
        ref var found = ref CollectionsMarshal.GetValueRefOrAddDefault(sums, id, out var there);
        if (!there) found = Sums.Empty;
        return ref found;
    }

    private static void Moments(int[] labels, Size3 size, int z, int y, Dictionary<int, Sums> own)
    {
        var row = labels.AsSpan((z * size.Y + y) * size.X, size.X);
        for (var x = 0; x < row.Length;)
        {
            var (id, start) = (row[x], x);
            while (x < row.Length && row[x] == id) x++;
            if (id != 0) At(own, id).AddRun(z, y, start, x - 1);
        }
    }

    private static void Crossings(int[] labels, Size3 size, int z, int y, Directions directions, Dictionary<int, Sums> own, Dictionary<(int, int), int[]> touched)
    {
        var here = labels.AsSpan((z * size.Y + y) * size.X, size.X);
        for (var k = 0; k < directions.Steps.Length; k++)
        {
            var step = directions.Steps[k];
            if (z + step.Z >= size.Z || (uint)(y + step.Y) >= size.Y) continue;
            var there = labels.AsSpan(((z + step.Z) * size.Y + y + step.Y) * size.X, size.X);
            var face = Math.Abs(step.Z) + Math.Abs(step.Y) + Math.Abs(step.X) == 1;
            // pairs x, x + step.X that both lie in the row
            var from = here[Math.Max(0, -step.X)..Math.Min(size.X, size.X - step.X)];
            var to = there[Math.Max(0, step.X)..Math.Min(size.X, size.X + step.X)];
            for (var x = 0; x < from.Length; x++)
            {
                var equal = ((ReadOnlySpan<int>)from[x..]).CommonPrefixLength(to[x..]);
                x += equal;
                if (x >= from.Length) break;
                var (a, b) = (from[x], to[x]);
                if (a != 0) At(own, a).Crossed[k]++;
                if (b != 0) At(own, b).Crossed[k]++;
                if (a == 0 || b == 0) continue;
                ref var pair = ref CollectionsMarshal.GetValueRefOrAddDefault(touched, (Math.Min(a, b), Math.Max(a, b)), out _);
                pair ??= new int[directions.Steps.Length + 1];
                pair[k]++;
                if (face) pair[^1]++;
            }
        }
    }

    private static Particle[] Describe(Sums[] totals, Dictionary<(int A, int B), int[]> contacts, Directions directions, Size3 size, VoxelSize voxel)
    {
        var (touching, area) = (new int[totals.Length], new double[totals.Length]);
        foreach (var (pair, crossings) in contacts.OrderBy(contact => contact.Key))
        {
            if (crossings[^1] == 0) continue;
            var shared = 0.0;
            for (var k = 0; k < directions.Area.Length; k++) shared += crossings[k] * directions.Area[k];
            foreach (var id in (int[])[pair.A, pair.B])
            {
                touching[id]++;
                area[id] += shared;
            }
        }
        return [.. Enumerable.Range(1, totals.Length - 1).Select(id => Describe(id, totals[id], touching[id], area[id], directions, size, voxel))];
    }

    private static Particle Describe(int id, Sums sums, int contacts, double contactArea, Directions directions, Size3 size, VoxelSize voxel)
    {
        var volume = sums.Voxels * voxel.Volume;
        var surface = 0.0;
        for (var k = 0; k < directions.Area.Length; k++) surface += sums.Crossed[k] * directions.Area[k];
        var (lengths, longest) = sums.Ellipsoid(voxel);
        var border = sums.Low.Z == 0 || sums.Low.Y == 0 || sums.Low.X == 0 || sums.High.Z == size.Z - 1 || sums.High.Y == size.Y - 1 || sums.High.X == size.X - 1;
        var density = border ? 0 : 1.0;
        for (var axis = 0; axis < 3 && !border; axis++) density /= (size[axis] - (sums.High[axis] - sums.Low[axis] + 1) - 1) * voxel[axis];
        return new(
            id, sums.Voxels, volume, Math.Cbrt(6 * volume / Math.PI), surface, Math.Cbrt(Math.PI) * Math.Pow(6 * volume, 2.0 / 3) / surface,
            (sums.Mean(0) + 0.5) * voxel.Z, (sums.Mean(1) + 0.5) * voxel.Y, (sums.Mean(2) + 0.5) * voxel.X,
            lengths, longest, contacts, contactArea, border, density);
    }

    /// <summary>Whole-number sums over the voxels of a particle.</summary>
    internal struct Sums
    {
        private long _z, _y, _x;
        private Int128 _zz, _yy, _xx, _zy, _zx, _yx;

        public static Sums Empty => new() { Low = new(int.MaxValue, int.MaxValue, int.MaxValue), High = new(-1, -1, -1), Crossed = new int[13] };

        public long Voxels { get; private set; }

        public Size3 Low { get; private set; }

        public Size3 High { get; private set; }

        public int[] Crossed { get; private set; }

        public void AddRun(int z, int y, int from, int to)
        {
            long count = to - from + 1, x = count * (from + to) / 2;
            Voxels += count;
            (_z, _y, _x) = (_z + count * z, _y + count * y, _x + x);
            (_zz, _yy, _zy) = (_zz + count * z * z, _yy + count * y * y, _zy + count * z * y);
            (_zx, _yx, _xx) = (_zx + x * z, _yx + x * y, _xx + Squares(to) - Squares(from - 1));
            Low = Size3.Min(Low, new(z, y, from));
            High = new(Math.Max(High.Z, z), Math.Max(High.Y, y), Math.Max(High.X, to));

            static long Squares(long n) => n * (n + 1) * (2 * n + 1) / 6;
        }

        public readonly Sums And(Sums o)
        {
            var crossed = new int[Crossed.Length];
            for (var k = 0; k < crossed.Length; k++) crossed[k] = Crossed[k] + o.Crossed[k];
            return new()
            {
                Voxels = Voxels + o.Voxels,
                Low = Size3.Min(Low, o.Low),
                High = new(Math.Max(High.Z, o.High.Z), Math.Max(High.Y, o.High.Y), Math.Max(High.X, o.High.X)),
                Crossed = crossed,
                _z = _z + o._z,
                _y = _y + o._y,
                _x = _x + o._x,
                _zz = _zz + o._zz,
                _yy = _yy + o._yy,
                _xx = _xx + o._xx,
                _zy = _zy + o._zy,
                _zx = _zx + o._zx,
                _yx = _yx + o._yx,
            };
        }

        public readonly double Mean(int axis) => (double)(axis switch { 0 => _z, 1 => _y, _ => _x }) / Voxels;

        /// <summary>Full axes of the ellipsoid with the same second moments, longest first, and the direction of the longest.</summary>
        public readonly (double[] Lengths, double[] Longest) Ellipsoid(VoxelSize voxel)
        {
            var (count, z, y, x) = (Voxels, _z, _y, _x);
            // n Σab − Σa Σb in whole numbers: no digit is lost far from the corner
            double Central(Int128 product, long a, long b) => (double)(count * product - (Int128)a * b) / ((double)count * count);
            // a voxel is a box, not a point: edge²/12
            double[,] tensor = new double[3, 3];
            tensor[0, 0] = (Central(_zz, z, z) + 1 / 12.0) * voxel.Z * voxel.Z;
            tensor[1, 1] = (Central(_yy, y, y) + 1 / 12.0) * voxel.Y * voxel.Y;
            tensor[2, 2] = (Central(_xx, x, x) + 1 / 12.0) * voxel.X * voxel.X;
            tensor[0, 1] = tensor[1, 0] = Central(_zy, z, y) * voxel.Z * voxel.Y;
            tensor[0, 2] = tensor[2, 0] = Central(_zx, z, x) * voxel.Z * voxel.X;
            tensor[1, 2] = tensor[2, 1] = Central(_yx, y, x) * voxel.Y * voxel.X;
            var (values, vectors) = SymmetricMatrix.Eigen(tensor);
            var longest = Enumerable.Range(0, 3).Select(row => vectors[row, 0]).ToArray();
            var lead = longest.FirstOrDefault(part => Math.Abs(part) > 1e-9);
            return (Array.ConvertAll(values, value => 2 * Math.Sqrt(5 * Math.Max(0, value))), Array.ConvertAll(longest, part => lead < 0 ? -part : part));
        }
    }
}
