using Kerf.Volumes;

namespace Kerf.Simulation;

/// <summary>What a <see cref="Session"/> did to a specimen, and no step of a recipe may see. Serialises to JSON as it is.</summary>
public sealed record SessionTruth
{
    /// <summary>Displacement [dy, dx] of each slice's content against slice 0, in pixels.</summary>
    public required double[][] Shifts { get; init; }

    /// <summary>Grey levels added to each slice.</summary>
    public required double[] BrightnessOffsets { get; init; }

    /// <summary>Distance between two cuts in nanometres, the same for all; null when the volume had no voxel size.</summary>
    public required double? Thickness { get; init; }

    /// <summary>Highest grey that overlapping curtains together add or take away.</summary>
    public required double CurtainGrey { get; init; }

    /// <summary>The curtains, in order of the slice in which they began.</summary>
    public required IReadOnlyList<Curtain> Curtains { get; init; }

    /// <summary>Squares that were scanned before the image was taken, in order of their slices.</summary>
    public IReadOnlyList<FocusSquare> Squares { get; init; } = [];

    /// <summary>Charging bands, in order of their slices.</summary>
    public IReadOnlyList<ChargingBand> Bands { get; init; } = [];

    /// <summary>
    /// Adds the curtains of slice <paramref name="z"/> to a row-major image of <paramref name="field"/>.Y × <paramref name="field"/>.X pixels. The
    /// curtains are scars on the specimen, so they drift with it; with a shift of (0, 0) they stand where an aligned stack shows them.
    /// </summary>
    public void AddCurtains(int z, Size3 field, (double Y, double X) shift, Span<float> image)
    {
        var scars = new float[field.SliceCount];
        foreach (var curtain in Curtains) curtain.Draw(z, field, shift, scars);
        var limit = (float)CurtainGrey;
        for (var i = 0; i < scars.Length; i++) image[i] += Math.Clamp(scars[i], -limit, limit);
    }
}

/// <summary>A scar that the ion beam left: a vertical stripe from where it starts down to the lower edge, for a few slices.</summary>
/// <param name="X">Column of its middle in slice 0's frame, pixels.</param>
/// <param name="Top">Row where it starts: under a pore or a particle's edge, or above the image when it crosses all of it.</param>
/// <param name="Sigma">Half its width: standard deviation of its Gaussian profile in pixels.</param>
/// <param name="Grey">Grey levels that it adds when it is strongest; negative for a dark one.</param>
/// <param name="First">Slice in which it begins; may lie before slice 0.</param>
/// <param name="Count">Slices that it lasts; it comes and goes gradually.</param>
public sealed record Curtain(double X, double Top, double Sigma, double Grey, int First, int Count)
{
    // rows over which a curtain sets in
    private const double Onset = 6;

    /// <summary>The curtains of a session: as many are alive in slice 0 as later.</summary>
    internal static Curtain[] Grow(Session session, IVolume<float> specimen, (int Y, int X) origin, Size3 field, ulong seed, Traversal walk)
    {
        if (session.CurtainGrey == 0 || session.CurtainDensity == 0) return [];
        var margin = origin.X;
        var bornPerSlice = session.CurtainDensity * (field.X + 2 * margin) / session.CurtainLife;
        var before = 3 * (int)Math.Ceiling(session.CurtainLife);
        var born = new Curtain[before + field.Z][];
        walk.ForEach(born.Length, i =>
        {
            var z = i - before;
            var random = new CounterRandom(seed, (uint)i | 1UL << 62);
            var canvas = specimen.Info.Size;
            float[]? scene = null;
            var curtains = new List<Curtain>();
            var count = random.NextPoisson(bornPerSlice);
            for (var k = 0; k < count; k++)
            {
                var x = random.NextDouble() * canvas.X;
                var height = random.NextDouble() * field.Y * 0.8;
                var whole = random.NextDouble() < 0.5;
                var sigma = 0.8 + 1.7 * random.NextDouble();
                var grey = session.CurtainGrey * (0.4 + 0.6 * random.NextDouble()) * (random.NextDouble() < 0.5 ? -1 : 1);
                var life = 1 + random.NextPoisson(session.CurtainLife - 1);
                if (z + life <= 0) continue;
                if (!whole && scene is null) specimen.Read(Box.Slice(canvas, Math.Max(0, z)), scene = new float[canvas.SliceCount]);
                var top = whole ? -1e6 : Start(scene!, canvas, origin.Y + (int)height, (int)x) - origin.Y;
                curtains.Add(new(x - margin, top, sigma, grey, z, life));
            }
            born[i] = [.. curtains];
        });
        return [.. born.SelectMany(c => c)];
    }

    // the first step between phases below a row of the specimen: where the beam meets another milling rate
    private static int Start(float[] scene, Size3 canvas, int row, int column)
    {
        for (var y = row + 2; y < canvas.Y; y++)
            if (Math.Abs(scene[y * canvas.X + column] - scene[(y - 2) * canvas.X + column]) > 25) return y;
        return canvas.Y;
    }

    internal void Draw(int z, Size3 field, (double Y, double X) shift, Span<float> image)
    {
        var age = z - First;
        if (age < 0 || age >= Count) return;
        var strength = Grey * Math.Min(1, Math.Min(age + 1, Count - age) / 2.0);
        double middle = X + shift.X, top = Top + shift.Y;
        var from = Math.Max(0, (int)Math.Ceiling(middle - 4 * Sigma));
        var to = Math.Min(field.X - 1, (int)Math.Floor(middle + 4 * Sigma));
        for (var x = from; x <= to; x++)
        {
            var column = strength * Math.Exp(-(x - middle) * (x - middle) / (2 * Sigma * Sigma));
            for (var y = Math.Max(0, (int)Math.Min(top, field.Y)); y < field.Y; y++)
                image[y * field.X + x] += (float)(column * Math.Clamp((y - top) / Onset, 0, 1));
        }
    }
}
