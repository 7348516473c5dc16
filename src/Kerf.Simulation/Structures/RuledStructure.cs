using System.Globalization;
using Kerf.Volumes;

namespace Kerf.Simulation;

/// <summary>
/// A structure drawn by rules: all voxels begin as one phase; each rule turns those voxels of one phase where a field is highest into another phase,
/// as large a share of them as it says. Nothing is kept but the fields: slices are computed when they are read, so a structure may exceed the memory.
/// </summary>
public sealed class RuledStructure : IVolume<byte>
{
    private const int Samples = 4_000_000;

    private readonly byte _ground;
    private readonly (IField Field, float Level, byte Within, byte Becomes)[] _rules;

    internal RuledStructure(VolumeInfo info, byte ground, double finest, IEnumerable<(IField Field, double Share, byte Within, byte Becomes)> rules, Traversal walk)
    {
        (Info, _ground) = (info, ground);
        _rules = [.. Levels(info, ground, finest, [.. rules], walk)];
    }

    /// <inheritdoc/>
    public VolumeInfo Info { get; }

    /// <inheritdoc/>
    public void Read(Box box, Span<byte> target)
    {
        var count = checked((int)Info.Size.SliceCount);
        var (labels, values) = (new byte[count], new float[count]);
        for (var z = box.Start.Z; z < box.End.Z; z++)
        {
            Array.Fill(labels, _ground);
            foreach (var (field, level, within, becomes) in _rules)
            {
                field.Slice(z, values);
                for (var i = 0; i < count; i++) if (labels[i] == within && values[i] > level) labels[i] = becomes;
            }
            Rows.Copy(labels, Box.Slice(Info.Size, z), target, box, box.Intersect(Box.Slice(Info.Size, z)));
        }
    }

    // each level is a quantile of its field over the voxels that the rule may turn: all of them, or an even grid of some four million
    private static IEnumerable<(IField, float, byte, byte)> Levels(
        VolumeInfo info, byte ground, double finest, (IField Field, double Share, byte Within, byte Becomes)[] rules, Traversal walk)
    {
        var size = info.Size;
        var strideZ = Math.Clamp((int)(finest / 4 / info.Voxel!.Value.Z), 1, Math.Max(1, size.Z / 64));
        var slices = (size.Z + strideZ - 1) / strideZ;
        var stride = Math.Max(1, (int)Math.Sqrt((double)slices * size.SliceCount / Samples));
        var labels = new byte[slices][];
        var (rows, columns) = ((size.Y + stride - 1) / stride, (size.X + stride - 1) / stride);
        for (var i = 0; i < slices; i++) Array.Fill(labels[i] = new byte[rows * columns], ground);
        foreach (var (field, share, within, becomes) in rules)
        {
            var values = new float[slices][];
            walk.ForEach(slices, i =>
            {
                var slice = new float[size.SliceCount];
                field.Slice(i * strideZ, slice);
                values[i] = new float[rows * columns];
                for (var y = 0; y < rows; y++)
                    for (var x = 0; x < columns; x++) values[i][y * columns + x] = slice[y * stride * size.X + x * stride];
            });
            var may = new List<float>();
            for (var i = 0; i < slices; i++)
                for (var j = 0; j < values[i].Length; j++) if (labels[i][j] == within) may.Add(values[i][j]);
            var sorted = may.ToArray();
            Array.Sort(sorted);
            var level = sorted.Length == 0 ? 0 : sorted[Math.Clamp((int)((1 - share) * sorted.Length), 0, sorted.Length - 1)];
            for (var i = 0; i < slices; i++)
                for (var j = 0; j < values[i].Length; j++) if (labels[i][j] == within && values[i][j] > level) labels[i][j] = becomes;
            yield return (field, level, within, becomes);
        }
    }
}

/// <summary>The virtual specimens of <c>kerf simulate structure</c>: see docs/methods/structures.md.</summary>
public static class VirtualStructure
{
    /// <summary>Names of all kinds.</summary>
    public static readonly IReadOnlyList<string> Kinds = ["levelled-wave", "hierarchical", "self-similar", "random-pores", "stretched-spheres", "electrode", "particle", "rock"];

    private static readonly IReadOnlyList<Phase> PoreSolid = [new(1, "pore", "#2b2b33"), new(2, "solid", "#e8b23a")];
    private static readonly IReadOnlyList<Phase> PoreBinderActive = [new(1, "pore", "#2b2b33"), new(2, "carbon binder", "#3b7dd8"), new(3, "active material", "#e8883a")];

    private static readonly IReadOnlyList<Phase> Rock = [new(1, "pore", "#2b2b33"), new(2, "matrix", "#b9b2a3"), new(3, "organic", "#6b5b4b"), new(4, "mineral", "#e8b23a")];

    /// <summary>
    /// Makes a structure. Labels: 1 pore, 2 solid; for the electrode 1 pore, 2 carbon binder, 3 active material; for the rock 1 pore, 2 matrix,
    /// 3 organic, 4 mineral.
    /// </summary>
    /// <param name="kind">One of <see cref="Kinds"/> but self-similar, which <see cref="SelfSimilar"/> makes.</param>
    /// <param name="size">Extent in voxels.</param>
    /// <param name="voxel">Edges of a voxel in nanometres.</param>
    /// <param name="solid">Share of the volume that is no pore; for a particle, the share of its inside.</param>
    /// <param name="wavelength">Nanometres: of the wave, the mean diameter of a pore or a particle, the pitch of the grid.</param>
    /// <param name="seed">Another seed, another specimen of the same kind.</param>
    /// <param name="walk">Threads; they do not change a byte.</param>
    /// <exception cref="InputError">An unknown kind or a parameter out of its range.</exception>
    public static IVolume<byte> Make(string kind, Size3 size, VoxelSize voxel, double solid, double wavelength, ulong seed, Traversal walk)
    {
        Check(size, voxel, solid, wavelength);
        IField Wave(double length, ulong stream) => new LevelledWave(size, voxel, length, seed, stream);
        VolumeInfo Labels(IReadOnlyList<Phase> phases) => new(size, PixelType.UInt8, voxel) { Phases = phases };
        RuledStructure Draw(byte ground, double finest, params (IField, double, byte, byte)[] rules) => new(Labels(PoreSolid), ground, finest, rules, walk);
        switch (kind)
        {
            case "levelled-wave": return Draw(1, wavelength, (Wave(wavelength, 0), solid, 1, 2));
            case "hierarchical":
                // ligaments of 110 and 15 nm: the second wave is shorter by that ratio, and both leave the same share
                var (fine, each) = (wavelength * 15 / 110, Math.Sqrt(solid));
                return Draw(1, fine, (Wave(wavelength, 0), each, 1, 2), (Wave(fine, 1), 1 - each, 2, 1));
            case "random-pores": return Draw(2, wavelength / 2, (Spheres.Boolean(size, voxel, wavelength, solid, seed), 1 - solid, 2, 1));
            case "stretched-spheres": return Draw(1, wavelength / 2, (Spheres.Stretched(size, voxel, wavelength), solid, 1, 2));
            case "particle":
                var edges = new[] { size.Z * voxel.Z, size.Y * voxel.Y, size.X * voxel.X };
                var ball = new Spheres(size, voxel, [new(edges[0] / 2, edges[1] / 2, edges[2] / 2, 0.45 * edges.Min(), 1)], edges.Max());
                var share = 4 * Math.PI / 3 * Math.Pow(0.45 * edges.Min(), 3) / (edges[0] * edges[1] * edges[2]);
                return Draw(1, wavelength, (ball, share, 1, 2), (Wave(wavelength, 0), 1 - solid, 2, 1));
            case "electrode":
                // three quarters of the solid are active: secondary particles with 4 % pores between their primary grains; binder fills the rest
                var active = 0.75 * solid;
                return new RuledStructure(Labels(PoreBinderActive), 1, wavelength / 8,
                [
                    (Spheres.Packed(size, voxel, wavelength, active, seed), active / 0.96, 1, 3), (Wave(wavelength / 8, 0), 0.04, 3, 1),
                    (Wave(wavelength / 3, 1), (solid - active) / (1 - active), 1, 2),
                ], walk);
            case "rock":
                // most of what is no matrix holds organic matter, the rest is open; some bright mineral
                return new RuledStructure(Labels(Rock), 2, wavelength / 8,
                [
                    (new RockPores(size, voxel, wavelength, seed), 1 - solid, 2, 3), (new SmoothNoise(size, voxel, wavelength / 6, seed, 80), 0.1, 3, 1),
                    (new SmoothNoise(size, voxel, wavelength / 7, seed, 81), 0.001, 2, 4),
                ], walk);
            default: throw new InputError($"there is no structure \"{kind}\"; choose one of {string.Join(", ", Kinds)}.");
        }
    }

    /// <summary>
    /// A self-similar structure from a binary stack, resized to the wanted size: solid where the stack is solid, and a copy of half its size with its
    /// axes exchanged, mirrored on, is solid too. Its solid fraction follows from the stack.
    /// </summary>
    /// <param name="stack">Labels 1 pore, 2 solid; or 0 and anything else.</param>
    /// <param name="size">Extent in voxels.</param>
    /// <param name="voxel">Edges of a voxel in nanometres.</param>
    public static IVolume<byte> SelfSimilar(IVolume<byte> stack, Size3 size, VoxelSize voxel)
    {
        Check(size, voxel, 0.5, 1e5);
        var source = Volume<byte>.Load(stack);
        return new SimilarView(source, source.Data.Max() <= 1 || source.Data.Contains((byte)0) ? (byte)1 : (byte)2, new(size, PixelType.UInt8, voxel) { Phases = PoreSolid });
    }

    private static void Check(Size3 size, VoxelSize voxel, double solid, double wavelength)
    {
        if (size is not { Z: >= 1 and <= 1 << 20, Y: >= 4 and <= 1 << 15, X: >= 4 and <= 1 << 15 })
            throw new InputError($"size is {size}; choose 1 to 2^20 slices of 4 to 32768 rows and columns.");
        if (!(solid is > 0.001 and < 0.999)) throw new InputError(string.Create(CultureInfo.InvariantCulture, $"solid fraction is {solid}; choose 0.001 to 0.999."));
        if (!(wavelength >= 2 * voxel.Finest && wavelength <= 1e6))
            throw new InputError(string.Create(CultureInfo.InvariantCulture, $"wavelength is {wavelength} nm; choose two voxels ({2 * voxel.Finest} nm) to 1000000 nm."));
    }

    private sealed class SimilarView(Volume<byte> source, byte least, VolumeInfo info) : IVolume<byte>
    {
        public VolumeInfo Info => info;

        public void Read(Box box, Span<byte> target)
        {
            var (from, to) = (source.Info.Size, info.Size);
            // positions as 1/2^20 of the whole, so that every axis may be exchanged for another
            bool Solid(long z, long y, long x) => source[At(z, from.Z), At(y, from.Y), At(x, from.X)] >= least;
            var i = 0;
            for (var z = box.Start.Z; z < box.End.Z; z++)
                for (var y = box.Start.Y; y < box.End.Y; y++)
                    for (var x = box.Start.X; x < box.End.X; x++)
                    {
                        long pz = (2L * z + 1 << 20) / (2 * to.Z), py = (2L * y + 1 << 20) / (2 * to.Y), px = (2L * x + 1 << 20) / (2 * to.X);
                        target[i++] = Solid(pz, py, px) && Solid(2 * px, 2 * pz, 2 * py) ? (byte)2 : (byte)1;
                    }
        }

        private static int At(long part, int count)
        {
            var folded = part & (2 << 20) - 1;
            if (folded >= 1 << 20) folded = (2 << 20) - 1 - folded;
            return (int)(folded * count >> 20);
        }
    }
}
