using Kerf.Volumes;

namespace Kerf.Simulation;

/// <summary>How one secondary-electron detector sees a porous specimen. Greys of 0 to 255, lengths in nanometres.</summary>
public sealed record PoreDetector
{
    /// <summary>Grey of a pore that nothing shines through.</summary>
    public required float Dark { get; init; }

    /// <summary>Grey of carbon and binder at the cut.</summary>
    public required float Carbon { get; init; }

    /// <summary>Grey of NMC at the cut.</summary>
    public required float Nmc { get; init; }

    /// <summary>Grey of redeposited material at the cut.</summary>
    public required float Redeposit { get; init; }

    /// <summary>Depth below the cut at which the contrast of a surface has fallen to 1/e.</summary>
    public required double Reach { get; init; }

    /// <summary>Grey that the far ground of a wide pore adds: it faces the detector and is lit from all sides.</summary>
    public float Ground { get; init; }

    /// <summary>Grey that the rim of a pore adds.</summary>
    public float Edge { get; init; }

    /// <summary>Standard deviation of the detector's Gaussian noise.</summary>
    public double Noise { get; init; } = 7;

    /// <summary>Share by which the image is brighter at its right side than in the middle.</summary>
    public float Shading { get; init; }

    /// <summary>The detector at the side of the chamber: sees far into pores, and their lit ground.</summary>
    public static readonly PoreDetector Se2 =
        new() { Dark = 26, Carbon = 78, Nmc = 124, Redeposit = 96, Reach = 160, Ground = 150, Edge = 30, Shading = 0.06f };

    /// <summary>The detector in the column: contrast between materials, little of what lies deep.</summary>
    public static readonly PoreDetector InLens =
        new() { Dark = 40, Carbon = 74, Nmc = 112, Redeposit = 66, Reach = 120, Ground = 14, Edge = 48, Noise = 11 };
}

/// <summary>
/// A simple microscope for porous specimens with two detectors: where the cut shows a pore, the surface below it shines through, weaker with depth
/// and differently for each detector; what is milled redeposits on the ground of wide pores long before the cut gets there; rims are bright.
/// Then each detector's image goes through a <see cref="Session"/>. See docs/methods/two-detectors.md.
/// </summary>
public sealed record TwoDetectors
{
    /// <summary>Point spread, shot noise and curtains of both detectors; there is no drift, as after alignment.</summary>
    public Session Session { get; init; } = new() { DriftStep = 0, BrightnessJump = 2, CurtainGrey = 8, ElectronsAtWhite = 1500 };

    /// <summary>Redeposited thickness per thickness milled above it in a wide pore.</summary>
    public double RedepositRate { get; init; } = 0.2;

    /// <summary>Greatest redeposited thickness in nanometres.</summary>
    public double RedepositMost { get; init; } = 160;

    /// <summary>Radius in nanometres of the neighbourhood that says how wide a pore is.</summary>
    public double Width { get; init; } = 260;

    /// <summary>Nanometres below the last slice, and sideways, that a specimen must hold besides the field of view.</summary>
    public double Depth { get; init; } = 800;

    /// <summary>The canvas on which to generate a specimen for a field of view.</summary>
    public Size3 Canvas(Size3 field, VoxelSize voxel) => field + new Size3((int)Math.Ceiling(Depth / voxel.Z), 2 * Margin, 2 * Margin);

    /// <summary>Images a specimen with both detectors.</summary>
    /// <param name="specimen">Labels of <see cref="PorousCathode"/>, of the size of <see cref="Canvas"/>.</param>
    /// <param name="field">The field of view.</param>
    /// <param name="seed">Seed of texture, curtains and noise.</param>
    /// <param name="walk">Threads; they do not change a byte.</param>
    /// <returns>The images, and the labels of the field of view.</returns>
    public (Volume<byte> Se2, Volume<byte> InLens, Volume<byte> Truth) Image(Volume<byte> specimen, Size3 field, ulong seed, Traversal walk)
    {
        var voxel = specimen.Info.RequireVoxel("a simulated microscope");
        if (specimen.Info.Size != Canvas(field, voxel)) throw new InputError($"specimen: is {specimen.Info.Size} voxels; a field of {field} needs {Canvas(field, voxel)}.");
        var truth = new Volume<byte>(specimen.Info with { Size = field });
        for (var z = 0; z < field.Z; z++) specimen.Read(new(new(z, Margin, Margin), new(1, field.Y, field.X)), truth.Slice(z));
        Volume<byte> Seen(PoreDetector detector, int number)
        {
            var scene = Scene(specimen, field.Z, detector, seed, walk);
            var image = new Volume<byte>(field, voxel);
            (Session with { Detector = number, NoiseSigma = detector.Noise }).Image(scene, new (double, double)[field.Z], image, null, seed, walk with { Progress = null });
            return image;
        }
        return (Seen(PoreDetector.Se2, 0), Seen(PoreDetector.InLens, 1), truth);
    }

    private int Margin => Session.Margin([(0, 0)]);

    /// <summary>What a perfect detector would record of each slice: neither blurred nor noisy.</summary>
    public Volume<float> Scene(Volume<byte> specimen, int slices, PoreDetector detector, ulong seed, Traversal walk)
    {
        var (size, voxel) = (specimen.Info.Size, specimen.Info.RequireVoxel("a simulated microscope"));
        var scene = new Volume<float>(size with { Z = slices }, voxel);
        LatticeNoise fine = new(seed, 40, size, voxel, 45, 45, 45), grains = new(seed, 41, size, voxel, 240, 240, 240), layer = new(seed, 42, size, voxel, 200, 90, 90);
        walk.ForEach(slices, z =>
        {
            var wide = Openness(specimen.Slice(z), size, (int)Math.Round(Width / voxel.Y), (int)Math.Round(Width / voxel.X));
            var rim = Openness(specimen.Slice(z), size, 2, 2);
            LatticeNoise[] noises = [fine, grains, layer];
            float[][] planes = [.. noises.Select(noise => noise.Slice(z))], rows = [.. noises.Select(_ => new float[size.X])];
            for (var y = 0; y < size.Y; y++)
            {
                for (var i = 0; i < noises.Length; i++) noises[i].Row(planes[i], y, rows[i]);
                for (var x = 0; x < size.X; x++)
                {
                    var at = y * size.X + x;
                    var grey = specimen.Slice(z)[at] == PorousCathode.Void
                        ? Pore(specimen, z, at, detector, wide[at], rows[2][x], rows[0][x])
                        : Surface(detector, specimen.Slice(z)[at], rows[0][x], rows[1][x]) + detector.Edge * rim[at];
                    scene.Slice(z)[at] = (float)(grey * (1 + detector.Shading * (2.0 * x / size.X - 1)));
                }
            }
        });
        return scene;
    }

    private static double Surface(PoreDetector detector, byte label, float fine, float grains) =>
        label == PorousCathode.Nmc ? detector.Nmc + 2 * fine + 5 * grains : detector.Carbon + 7 * fine;

    // the beam falls through the pore onto what lies below, perhaps covered by what was milled above and fell down
    private double Pore(Volume<byte> specimen, int z, int at, PoreDetector detector, float wide, float layer, float fine)
    {
        var (size, step) = (specimen.Info.Size, specimen.Info.Voxel!.Value.Z);
        int below = z, above = z;
        while (below < size.Z && (below - z) * step < Depth && specimen.Slice(below)[at] == PorousCathode.Void) below++;
        while (above >= 0 && (z - above) * step < 4 * RedepositMost / Math.Max(1e-9, RedepositRate) && specimen.Slice(above)[at] == PorousCathode.Void) above--;
        // only wide pores collect: none below half, all of it above 0.9
        var open = Math.Clamp((wide - 0.5) / 0.4, 0, 1);
        var cover = Math.Min(RedepositMost, RedepositRate * (z - above) * step) * open * Math.Clamp(1 + 0.5 * layer, 0, 2);
        var depth = Math.Max(0, (below - z - 0.5) * step - cover);
        var hit = below < size.Z ? specimen.Slice(below)[at] : PorousCathode.Void;
        var ground = cover > 0.5 * step ? detector.Redeposit + 8 * fine : hit == PorousCathode.Void ? detector.Dark : Surface(detector, hit, 0, 0);
        // narrow pores let fewer electrons out
        var light = Math.Exp(-depth / detector.Reach) * (0.7 + 0.3 * Math.Min(1, wide / 0.6));
        var broad = Math.Clamp((wide - 0.45) / 0.25, 0, 1);
        var lit = detector.Ground * broad * (1 - Math.Exp(-depth / 150));
        return detector.Dark + (ground - detector.Dark) * light + lit;
    }

    // share of void in a rectangle around each pixel, by running sums; what lies outside is left out
    private static float[] Openness(ReadOnlySpan<byte> labels, Size3 size, int reachY, int reachX)
    {
        var sums = new int[(size.Y + 1) * (size.X + 1)];
        for (var y = 0; y < size.Y; y++)
        {
            var row = 0;
            for (var x = 0; x < size.X; x++)
            {
                row += labels[y * size.X + x] == PorousCathode.Void ? 1 : 0;
                sums[(y + 1) * (size.X + 1) + x + 1] = sums[y * (size.X + 1) + x + 1] + row;
            }
        }
        var share = new float[size.SliceCount];
        for (var y = 0; y < size.Y; y++)
        {
            int top = Math.Max(0, y - reachY) * (size.X + 1), bottom = Math.Min(size.Y, y + reachY + 1) * (size.X + 1);
            for (var x = 0; x < size.X; x++)
            {
                int left = Math.Max(0, x - reachX), right = Math.Min(size.X, x + reachX + 1);
                share[y * size.X + x] = (float)(sums[bottom + right] - sums[top + right] - sums[bottom + left] + sums[top + left]) / ((bottom - top) / (size.X + 1) * (right - left));
            }
        }
        return share;
    }
}
