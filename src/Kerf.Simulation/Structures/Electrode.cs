using Kerf.Volumes;

namespace Kerf.Simulation;

/// <summary>
/// A virtual cathode of a solid-state cell: angular particles of active material, pressed into a sulfide electrolyte with pores at the interfaces
/// and between its grains. Labels and greys are functions of the seed and of the position on the canvas, computed slice by slice when they are
/// read: same bytes for any number of threads. See docs/methods/virtual-electrode.md.
/// </summary>
public sealed partial class Electrode
{
    /// <summary>Label of the pores.</summary>
    public const byte Pore = 1;

    /// <summary>Label of the solid electrolyte.</summary>
    public const byte Electrolyte = 2;

    /// <summary>Label of the active material.</summary>
    public const byte Active = 3;

    /// <summary>The three phases, in label order.</summary>
    public static readonly IReadOnlyList<Phase> Phases =
        [new(Pore, "pore", "#2b2b33"), new(Electrolyte, "solid electrolyte", "#3b7dd8"), new(Active, "active material", "#e8883a")];

    /// <summary>Mean grey of each phase in a backscattered-electron image, by label; 0 is the platinum of the cap.</summary>
    public static readonly IReadOnlyList<float> MeanGreys = [215, 40, 90, 170];

    private readonly Size3 _canvas;
    private readonly VoxelSize _voxel;
    private readonly Particle[] _particles;
    private readonly Cap _cap;
    private readonly LatticeNoise[] _noises;
    private readonly float _activeLevel, _poreLevel;

    /// <summary>Packs the particles and finds the two levels that give the wanted fractions on this canvas.</summary>
    /// <exception cref="InputError">A parameter is out of its range.</exception>
    public Electrode(Size3 canvas, VoxelSize voxel, ElectrodeParameters parameters, ulong seed)
    {
        var p = parameters.Checked();
        (_canvas, _voxel) = (canvas, voxel);
        _particles = Packing.Fill(canvas, voxel, p, seed);
        _cap = new(canvas, voxel, p.CapHeight, seed);
        LatticeNoise Noise(int stream, double across, double along) => new(seed, stream, canvas, voxel, along, across, across);
        double grain = p.Grain, along = p.GrainElongation;
        _noises =
        [
            Noise(0, 70, 150), // rough: the particles' surface
            Noise(1, 260, 500), // bumps: their shape, and how cracks wander
            Noise(2, 200, 300), // film: electrolyte between two particles, and the cloudy ground of pores
            Noise(3, grain, grain * along), // voids
            Noise(4, grain * 0.6, grain * 0.6 * along), // grains
            Noise(5, grain * 0.35, grain * 0.35 * along), // fine texture
            Noise(6, 80, 200), // pores inside particles
        ];
        (_activeLevel, _poreLevel) = Levels(p);
        Labels = new View<byte>(this, new(canvas, PixelType.UInt8, voxel) { Phases = Phases });
        Greys = new View<float>(this, new(canvas, PixelType.Float32, voxel));
    }

    /// <summary>The phases: 1 pore, 2 solid electrolyte, 3 active material; 0 in the cap, which is no part of the electrode.</summary>
    public IVolume<byte> Labels { get; }

    /// <summary>
    /// What a perfect backscattered-electron detector would record: the phase's mean grey, ±4 from particle to particle (channelling), mottled
    /// electrolyte, cloudy pores, marks in the cap. Neither blurred nor noisy.
    /// </summary>
    public IVolume<float> Greys { get; }

    /// <summary>Long axes of the particles that lean: sideways voxels (y, x) per slice, one entry a particle; (0, 0) stands along z.</summary>
    public IReadOnlyList<(double Y, double X)> Leans =>
        [.. _particles.Select(q => (q.LeanY * _voxel.Z / _voxel.Y, q.LeanX * _voxel.Z / _voxel.X))];

    /// <summary>A whole electrode as labels 1 pore, 2 solid electrolyte, 3 active material.</summary>
    /// <param name="size">Extent in voxels.</param>
    /// <param name="voxel">Edge lengths in nanometres; structure is laid out in nanometres, so a finer voxel shows more detail.</param>
    /// <param name="p">What it looks like.</param>
    /// <param name="seed">Another seed gives another specimen of the same kind.</param>
    /// <param name="walk">Threads; they do not change a byte.</param>
    /// <exception cref="InputError">A parameter is out of its range.</exception>
    public static Volume<byte> Generate(Size3 size, VoxelSize voxel, ElectrodeParameters p, ulong seed, Traversal walk)
    {
        var electrode = new Electrode(size, voxel, p, seed);
        var volume = new Volume<byte>(electrode.Labels.Info);
        walk.ForEach(size.Z, z => electrode.Slice(z, volume.Slice(z), []));
        return volume;
    }

    // labels, and greys too unless the span is empty
    private void Slice(int z, Span<byte> labels, Span<float> greys)
    {
        var row = new Row(this, z);
        for (var y = 0; y < _canvas.Y; y++)
        {
            row.Evaluate(y);
            var line = labels.Slice(y * _canvas.X, _canvas.X);
            for (var x = 0; x < line.Length; x++) line[x] = _cap.Covers(y, row.Film[x]) ? (byte)0 : Label(row, x);
            if (!greys.IsEmpty) Grey(row, y, line, greys.Slice(y * _canvas.X, _canvas.X));
        }
    }

    private byte Label(Row row, int x)
    {
        if (row.Solid[x] < _activeLevel) return row.Hole[x] ? Pore : Active;
        return row.Void(x, _activeLevel) > _poreLevel ? Pore : Electrolyte;
    }

    private void Grey(Row row, int y, ReadOnlySpan<byte> labels, Span<float> greys)
    {
        for (var x = 0; x < labels.Length; x++)
        {
            greys[x] = MeanGreys[labels[x]] + labels[x] switch
            {
                Active => _particles[row.Owner[x]].Grey + 1.2f * row.Fine[x],
                Electrolyte => 4f * row.Fine[x] + 2.5f * row.Grains[x],
                Pore => 3.5f * row.Film[x] + 1.5f * row.Fine[x],
                _ => 1.5f * row.Fine[x] - _cap.Mark(y, x),
            };
        }
    }

    // quantiles over every fourth row of up to sixteen slices
    private (float Active, float Pore) Levels(ElectrodeParameters p)
    {
        List<float> solid = [], empty = [];
        var rows = new List<Row>();
        for (var z = 0; z < _canvas.Z; z += Math.Max(1, _canvas.Z / 16)) rows.Add(new(this, z));
        foreach (var row in rows) Sample(row, (r, x) => solid.Add(r.Solid[x]));
        var active = Quantile(solid, p.ActiveFraction);
        foreach (var row in rows) Sample(row, (r, x) => { if (r.Solid[x] >= active) empty.Add(r.Void(x, active)); });
        return (active, Quantile(empty, 1 - p.PoreFraction / (1 - p.ActiveFraction)));
    }

    private void Sample(Row row, Action<Row, int> take)
    {
        for (var y = Math.Min(_cap.Rows, _canvas.Y - 1); y < _canvas.Y; y += 4)
        {
            row.Evaluate(y);
            for (var x = 0; x < _canvas.X; x++) take(row, x);
        }
    }

    private static float Quantile(List<float> values, double share)
    {
        values.Sort();
        return values[Math.Clamp((int)(share * values.Count), 0, values.Count - 1)];
    }

    private sealed class View<T>(Electrode electrode, VolumeInfo info) : IVolume<T> where T : unmanaged
    {
        public VolumeInfo Info => info;

        public void Read(Box box, Span<T> target)
        {
            var count = checked((int)info.Size.SliceCount);
            var labels = new byte[count];
            var greys = typeof(T) == typeof(float) ? new float[count] : [];
            for (var z = box.Start.Z; z < box.End.Z; z++)
            {
                electrode.Slice(z, labels, greys);
                var slice = (ReadOnlySpan<T>)(greys.Length > 0 ? (T[])(object)greys : (T[])(object)labels);
                Rows.Copy(slice, Box.Slice(info.Size, z), target, box, box.Intersect(Box.Slice(info.Size, z)));
            }
        }
    }
}
