using System.Globalization;
using Kerf.Volumes;

namespace Kerf.Simulation;

/// <summary>
/// An imaging session at a FIB-SEM: turns the greys of a specimen into the slices that the microscope would have stored. Each artefact can be set
/// to 0. Order: point spread and drift, contamination, curtains, charging, brightness, shot noise, detector noise, scan lag, rounding to 8 bit. Pixels are
/// those of the image. Where the slices are cut, what falls into pores and which edges blur belong to the specimen: <see cref="Cuts"/>,
/// <see cref="Redeposition"/>, <see cref="BlurredEdges"/>.
/// </summary>
public sealed record Session
{
    /// <summary>A session in which nothing goes wrong.</summary>
    public static readonly Session Perfect = new()
    {
        PointSpread = 0,
        DriftStep = 0,
        CurtainGrey = 0,
        BrightnessJump = 0,
        ElectronsAtWhite = double.PositiveInfinity,
        NoiseSigma = 0,
    };

    /// <summary>Mean distance between two cuts in nanometres; 0 for the structure's own slices.</summary>
    public double SliceThickness { get; init; }

    /// <summary>Ruler marks drawn over the top of the slices, from which their thickness can be read; null for none.</summary>
    public VirtualRuler? Ruler { get; init; }

    /// <summary>Standard deviation of that distance, which is gamma distributed, in nanometres; 0 for even slices.</summary>
    public double ThicknessDeviation { get; init; }

    /// <summary>Standard deviation in pixels of the blur that edges between phases get, and nothing else; 0 or 0.5 to 5.</summary>
    public double EdgeBlur { get; init; }

    /// <summary>Share of what was milled out of the walls above that covers the floor of a wide pore, as thickness per height of the pore; 0 to 1.</summary>
    public double RedepositRate { get; init; }

    /// <summary>Thickest redeposit in nanometres; 1 to 1000.</summary>
    public double RedepositMost { get; init; } = 160;

    /// <summary>Radius in nanometres of the neighbourhood that must be mostly empty where a pore collects redeposit; 1 to 10⁵.</summary>
    public double RedepositWidth { get; init; } = 100;

    /// <summary>Share of the signal that is lost where a square was scanned before the image was taken, to focus; 0 to 0.9.</summary>
    public double Contamination { get; init; }

    /// <summary>Slices from one such square to the next on average; 1 to 10⁶.</summary>
    public double ContaminationEvery { get; init; } = 5;

    /// <summary>Highest grey that a charging band adds or takes away; 0 to 100.</summary>
    public double ChargingGrey { get; init; }

    /// <summary>Charging bands a slice on average; 0 to 100.</summary>
    public double ChargingBands { get; init; } = 2;

    /// <summary>Rows over which a charging band decays on average; 1 to 1000.</summary>
    public double ChargingRows { get; init; } = 12;

    /// <summary>Standard deviation of the Gaussian point spread, in pixels; 0 or 0.5 to 5.</summary>
    public double PointSpread { get; init; } = 0.75;

    /// <summary>Standard deviation, in pixels and along y and x each, of the step of the drift from one slice to the next; 0 to 10.</summary>
    public double DriftStep { get; init; } = 0.8;

    /// <summary>Highest grey that curtains add or take away; 0 to 100.</summary>
    public double CurtainGrey { get; init; } = 10;

    /// <summary>Curtains alive at a time per column of the image; 0 to 1.</summary>
    public double CurtainDensity { get; init; } = 0.12;

    /// <summary>Slices that a curtain lasts on average; 1 to 100.</summary>
    public double CurtainLife { get; init; } = 5;

    /// <summary>Each slice is brighter or darker by up to this many grey levels, drawn uniformly; 0 to 100.</summary>
    public double BrightnessJump { get; init; } = 8;

    /// <summary>Electrons counted in a pixel of grey 255: shot noise of σ = √(255·grey/electrons) grey levels. Infinity for none; 1 or more.</summary>
    public double ElectronsAtWhite { get; init; } = 2500;

    /// <summary>Standard deviation of the detector's Gaussian noise in grey levels; 0 to 100.</summary>
    public double NoiseSigma { get; init; } = 15;

    /// <summary>Share of each pixel's signal, noise included, that the detector delivers one pixel late along the row; 0 to 0.5.</summary>
    public double ScanLag { get; init; }

    /// <summary>Number of the detector, 0 to 7: several detectors see the same curtains, each with noise and brightness of its own.</summary>
    public int Detector { get; init; }

    /// <summary>
    /// How far each slice's content lies from where it lies in slice 0, in pixels (y, x): a random walk with steps of <see cref="DriftStep"/>.
    /// </summary>
    public (double Y, double X)[] Drift(int slices, ulong seed)
    {
        Check();
        var random = new CounterRandom(seed, 0x4452494654);
        var shifts = new (double Y, double X)[slices];
        for (var z = 1; z < slices; z++)
            shifts[z] = (shifts[z - 1].Y + DriftStep * random.NextNormal(), shifts[z - 1].X + DriftStep * random.NextNormal());
        return shifts;
    }

    /// <summary>
    /// The depths of the slices in nanometres: the first at 0, then by steps of <see cref="SliceThickness"/> on average, drawn from a gamma distribution,
    /// as long as they stay within the specimen.
    /// </summary>
    /// <param name="depth">Depth of the specimen's last slice in nanometres.</param>
    /// <param name="usual">Thickness where <see cref="SliceThickness"/> is 0.</param>
    /// <param name="seed">Slice k draws from a stream of its own.</param>
    public double[] Cuts(double depth, double usual, ulong seed)
    {
        Check();
        var mean = SliceThickness > 0 ? SliceThickness : usual;
        var cuts = new List<double>();
        for (var at = 0.0; at <= depth * (1 + 1e-12);)
        {
            cuts.Add(at);
            var random = new CounterRandom(seed, 0x43555453UL << 32 | (uint)cuts.Count);
            var ratio = ThicknessDeviation / mean;
            // even slices do not pile up rounding errors
            at = ratio > 0 ? at + Math.Max(0.01 * mean, random.NextGamma(1 / (ratio * ratio), mean * ratio * ratio)) : cuts.Count * mean;
        }
        return [.. cuts];
    }

    /// <summary>What is left of a drift beside whole pixels: for the beam, since a shift by whole pixels needs no interpolation.</summary>
    public static (double Y, double X)[] Fractions((double Y, double X)[] shifts) => [.. shifts.Select(s => (s.Y - Math.Round(s.Y), s.X - Math.Round(s.X)))];

    /// <summary>Pixels that a specimen must reach beyond the field of view on all four sides so that the drifting window never leaves it.</summary>
    public int Margin((double Y, double X)[] shifts)
    {
        var furthest = shifts.Max(shift => Math.Max(Math.Abs(shift.Y), Math.Abs(shift.X)));
        return (int)Math.Ceiling(furthest) + Optics.Reach(PointSpread) + 1;
    }

    /// <summary>Images a specimen.</summary>
    /// <param name="specimen">Greys, larger than the field of view by <see cref="Margin"/> pixels on each side of y and x.</param>
    /// <param name="shifts">The drift, one entry a slice.</param>
    /// <param name="images">Receives the slices, 8 bit; its size is the field of view.</param>
    /// <param name="ideal">Receives the same slices blurred but without drift, curtains, brightness jumps and noise; null when nobody asks.</param>
    /// <param name="seed">Seed of curtains, brightness and noise.</param>
    /// <param name="walk">Threads; they do not change a byte.</param>
    /// <param name="already">
    /// The part of the drift that the greys show already, because the beam was displaced: interpolation would smooth the noise of counted electrons.
    /// The ideal image keeps it.
    /// </param>
    /// <returns>What was done to the specimen.</returns>
    /// <exception cref="InputError">A parameter is out of its range, or the specimen is too small.</exception>
    public SessionTruth Image(
        IVolume<float> specimen, (double Y, double X)[] shifts, IWritableVolume<byte> images, IWritableVolume<byte>? ideal, ulong seed, Traversal walk,
        (double Y, double X)[]? already = null)
    {
        Check();
        var field = images.Info.Size;
        var margin = Margin(shifts);
        var canvas = specimen.Info.Size;
        if (canvas.Z != field.Z || shifts.Length != field.Z || canvas.Y < field.Y + 2 * margin || canvas.X < field.X + 2 * margin)
            throw new InputError($"specimen: {canvas} voxels are too few for {field} slices that drift; make it {margin} pixels larger on each side of y and x.");
        var origin = ((canvas.Y - field.Y) / 2, (canvas.X - field.X) / 2);
        var curtains = Curtain.Grow(this, specimen, origin, field, seed, walk);
        var random = new CounterRandom(seed, 0x425249474854 | (ulong)Detector << 56);
        var truth = new SessionTruth
        {
            Shifts = [.. shifts.Select(s => new[] { s.Y, s.X })],
            BrightnessOffsets = [.. Enumerable.Range(0, field.Z).Select(_ => BrightnessJump * (2 * random.NextDouble() - 1))],
            Thickness = images.Info.Voxel?.Z,
            CurtainGrey = CurtainGrey,
            Curtains = curtains,
            Squares = FocusSquare.Draw(this, field, seed),
            Bands = ChargingBand.Draw(this, field, seed),
        };
        walk.ForEach(field.Z, z =>
        {
            var scene = new float[canvas.SliceCount];
            specimen.Read(Box.Slice(canvas, z), scene);
            var grey = new float[field.SliceCount];
            var stored = new byte[field.SliceCount];
            if (ideal is not null)
            {
                Optics.Expose(scene, canvas, field, origin, PointSpread, (0, 0), grey);
                Grey.Narrow<byte>(grey, stored);
                ideal.Write(Box.Slice(field, z), stored);
            }
            var (y, x) = already?[z] ?? default;
            Optics.Expose(scene, canvas, field, origin, PointSpread, (shifts[z].Y - y, shifts[z].X - x), grey);
            foreach (var square in truth.Squares) square.Darken(z, field, grey);
            truth.AddCurtains(z, field, shifts[z], grey);
            foreach (var band in truth.Bands) band.Add(z, field, grey);
            Detect(z, field, truth.BrightnessOffsets[z], seed, grey);
            Grey.Narrow<byte>(grey, stored);
            images.Write(Box.Slice(field, z), stored);
        });
        return truth;
    }

    private void Detect(int z, Size3 field, double brightness, ulong seed, Span<float> grey)
    {
        var electronsPerGrey = ElectronsAtWhite / 255;
        for (var y = 0; y < field.Y; y++)
        {
            // a stream a row: the number of draws of a Poisson variate varies
            var random = new CounterRandom(seed, (ulong)z << 32 | (uint)y | 1UL << 63 | (ulong)Detector << 56);
            foreach (ref var pixel in grey.Slice(y * field.X, field.X))
            {
                var level = Math.Max(0, pixel + brightness);
                if (double.IsFinite(electronsPerGrey)) level = random.NextPoisson(level * electronsPerGrey) / electronsPerGrey;
                pixel = (float)(level + (NoiseSigma > 0 ? NoiseSigma * random.NextNormal() : 0));
            }
            var row = grey.Slice(y * field.X, field.X);
            for (var x = row.Length - 1; x > 0 && ScanLag > 0; x--) row[x] += (float)ScanLag * (row[x - 1] - row[x]);
        }
    }

    /// <summary>Looks at all parameters.</summary>
    /// <exception cref="InputError">One is out of its range.</exception>
    public void Check()
    {
        Ruler?.Check();
        if (PointSpread != 0) Range(PointSpread, 0.5, 5, "point spread (pixels)");
        if (EdgeBlur != 0) Range(EdgeBlur, 0.5, 5, "edge blur (pixels)");
        if (SliceThickness != 0) Range(SliceThickness, 0.1, 1e5, "slice thickness (nm)");
        Range(ThicknessDeviation, 0, 1e5, "thickness deviation (nm)");
        Range(RedepositRate, 0, 1, "redeposit rate");
        Range(RedepositMost, 1, 1000, "thickest redeposit (nm)");
        Range(RedepositWidth, 1, 1e5, "redeposit width (nm)");
        Range(Contamination, 0, 0.9, "contamination");
        Range(ContaminationEvery, 1, 1e6, "slices between contaminations");
        Range(ChargingGrey, 0, 100, "charging grey");
        Range(ChargingBands, 0, 100, "charging bands");
        Range(ChargingRows, 1, 1000, "charging rows");
        Range(DriftStep, 0, 10, "drift step (pixels)");
        Range(CurtainGrey, 0, 100, "curtain grey");
        Range(CurtainDensity, 0, 1, "curtain density");
        Range(CurtainLife, 1, 100, "curtain life (slices)");
        Range(BrightnessJump, 0, 100, "brightness jump");
        Range(ElectronsAtWhite, 1, double.PositiveInfinity, "electrons at white");
        Range(NoiseSigma, 0, 100, "noise sigma");
        Range(ScanLag, 0, 0.5, "scan lag");
        Range(Detector, 0, 7, "detector");
    }

    private static void Range(double value, double low, double high, string name)
    {
        if (!(value >= low && value <= high))
            throw new InputError(string.Create(CultureInfo.InvariantCulture, $"session: {name} is {value}; choose {low} to {high}."));
    }
}
