using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>
/// Meshes of a phase by surface nets (Gibson 1998, doi:10.1007/BFb0056277): one vertex in each cube of eight voxel centres that the surface passes, in the
/// middle of its crossings, and a square across each pair of neighbours that differ. Relaxation moves each vertex halfway to the mean of
/// its neighbours and back by a little more, which smooths without shrinking (Taubin 1995, doi:10.1145/218380.218473), and never out of its cube. Outside the volume there is no phase: meshes are closed.
/// </summary>
public static class SurfaceNets
{
    private const int MostVertices = 200_000_000;

    /// <summary>Makes the mesh. One pass over the slices; memory grows with the surface, about 60 bytes per voxel face.</summary>
    /// <param name="mask">The phase.</param>
    /// <param name="relaxations">How often vertices are relaxed; 0 keeps the voxels' steps.</param>
    /// <param name="walk">Progress and cancellation.</param>
    /// <exception cref="InputError">More than 200 million vertices.</exception>
    public static SurfaceMesh Of(PhaseMask mask, int relaxations, Traversal walk)
    {
        var net = new Net(mask.Info.Size);
        var size = mask.Info.Size;
        var (below, slice) = (new byte[size.SliceCount], new byte[size.SliceCount]);
        for (var z = 0; z <= size.Z; z++)
        {
            walk.Cancellation.ThrowIfCancellationRequested();
            (below, slice) = (slice, below);
            if (z < size.Z) mask.Read(Box.Slice(size, z), slice);
            else slice.AsSpan().Clear();
            net.Layer(z, below, slice);
            if (net.Cells.Count > MostVertices) throw new InputError(
                $"mesh: the surface of {mask.Phase.Name} has more than {MostVertices:N0} vertices. Crop the volume, or make it coarser with kerf resample.");
            walk.Progress?.Report((z + 1.0) / (size.Z + 1));
        }
        for (var i = 0; i < relaxations; i++)
        {
            net.Relax(0.5f);
            net.Relax(-0.53f);
        }
        return net.Mesh(mask.Voxel);
    }

    private sealed class Net(Size3 size)
    {
        private readonly int _columns = size.X + 1;
        private readonly List<(int A, int B, int C, int D)> _squares = [];
        private int[] _before = [];
        private int[] _here = [];
        private (float X, float Y, float Z)[] _offsets = [];

        /// <summary>Cube (z, y, x) of each vertex: the corner it has in common with voxel (z, y, x)'s first corner is its middle.</summary>
        public List<(int Z, int Y, int X)> Cells { get; } = [];

        private List<(float X, float Y, float Z)> Starts { get; } = [];

        // cubes between slices z − 1 and z, and the squares that they complete
        public void Layer(int z, byte[] below, byte[] slice)
        {
            (_before, _here) = (_here, _before.Length > 0 ? _before : new int[(size.Y + 1) * _columns]);
            for (var y = 0; y <= size.Y; y++)
            {
                for (var x = 0; x <= size.X; x++)
                {
                    var corners = Corners(below, slice, y, x);
                    if (corners is 0 or 255) continue;
                    _here[y * _columns + x] = Cells.Count;
                    Cells.Add((z, y, x));
                    Starts.Add(Middle(corners));
                    Squares(corners, y, x);
                }
            }
        }

        // bit 4·dz + 2·dy + dx: voxel (z − 1 + dz, y − 1 + dy, x − 1 + dx)
        private int Corners(byte[] below, byte[] slice, int y, int x)
        {
            var corners = 0;
            for (var at = 0; at < 4; at++)
            {
                var (row, column) = (y - 1 + (at >> 1), x - 1 + (at & 1));
                if ((uint)row >= (uint)size.Y || (uint)column >= (uint)size.X) continue;
                corners |= below[row * size.X + column] << at | slice[row * size.X + column] << (at + 4);
            }
            return corners;
        }

        // mean of the middles of the cube's edges whose ends differ, from −½ to ½
        private static (float X, float Y, float Z) Middle(int corners)
        {
            var (x, y, z, count) = (0f, 0f, 0f, 0);
            for (var from = 0; from < 8; from++)
            {
                for (var bit = 1; bit < 8; bit <<= 1)
                {
                    if ((from & bit) != 0 || (corners >> from & 1) == (corners >> (from | bit) & 1)) continue;
                    x += bit == 1 ? 0 : (from & 1) - 0.5f;
                    y += bit == 2 ? 0 : (from >> 1 & 1) - 0.5f;
                    z += bit == 4 ? 0 : (from >> 2 & 1) - 0.5f;
                    count++;
                }
            }
            return (x / count, y / count, z / count);
        }

        // the edges of the cube that end in its first voxel: all four cubes around them are known now
        private void Squares(int corners, int y, int x)
        {
            var own = y * _columns + x;
            var first = corners & 1;
            if (x > 0 && y > 0 && (corners >> 4 & 1) != first) Add(first != 0, _here[own], _here[own - 1], _here[own - _columns - 1], _here[own - _columns]);
            if (x > 0 && (corners >> 2 & 1) != first) Add(first == 0, _here[own], _here[own - 1], _before[own - 1], _before[own]);
            if (y > 0 && (corners >> 1 & 1) != first) Add(first != 0, _here[own], _here[own - _columns], _before[own - _columns], _before[own]);
        }

        private void Add(bool forward, int a, int b, int c, int d) => _squares.Add(forward ? (a, b, c, d) : (a, d, c, b));

        // moves each vertex by a share of its way to the mean of its neighbours
        public void Relax(float share)
        {
            if (_offsets.Length == 0) _offsets = [.. Starts];
            var sums = new (float X, float Y, float Z)[_offsets.Length];
            var counts = new int[_offsets.Length];
            foreach (var (a, b, c, d) in _squares)
            {
                Pull(a, b);
                Pull(b, c);
                Pull(c, d);
                Pull(d, a);
            }
            for (var i = 0; i < _offsets.Length; i++)
            {
                var (own, count) = (_offsets[i], (float)counts[i]);
                if (count > 0) _offsets[i] = (Inside(own.X, sums[i].X / count), Inside(own.Y, sums[i].Y / count), Inside(own.Z, sums[i].Z / count));
            }

            float Inside(float own, float mean) => Math.Clamp(own + share * (mean - own), -0.5f, 0.5f);

            void Pull(int a, int b)
            {
                var (p, q) = (Cells[a], Cells[b]);
                var (dx, dy, dz) = (q.X - p.X, q.Y - p.Y, q.Z - p.Z);
                sums[a] = (sums[a].X + _offsets[b].X + dx, sums[a].Y + _offsets[b].Y + dy, sums[a].Z + _offsets[b].Z + dz);
                sums[b] = (sums[b].X + _offsets[a].X - dx, sums[b].Y + _offsets[a].Y - dy, sums[b].Z + _offsets[a].Z - dz);
                counts[a]++;
                counts[b]++;
            }
        }

        public SurfaceMesh Mesh(VoxelSize voxel)
        {
            var offsets = _offsets.Length > 0 ? _offsets : [.. Starts];
            var vertices = Cells.Select((cell, i) =>
                ((float)((cell.X + offsets[i].X) * voxel.X), (float)((cell.Y + offsets[i].Y) * voxel.Y), (float)((cell.Z + offsets[i].Z) * voxel.Z))).ToArray();
            var triangles = new (int, int, int)[_squares.Count * 2];
            for (var i = 0; i < _squares.Count; i++)
            {
                var (a, b, c, d) = _squares[i];
                (triangles[2 * i], triangles[2 * i + 1]) = ((a, b, c), (a, c, d));
            }
            return new(vertices, triangles);
        }
    }
}
