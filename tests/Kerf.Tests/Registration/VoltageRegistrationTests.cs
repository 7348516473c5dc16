using Kerf.Imaging;
using Kerf.Simulation;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

/// <summary>One specimen of gold in epoxy, under a strip of platinum with drilled marks, as the virtual microscope counts electrons at 1, 2 and 4 kV.</summary>
public sealed class VoltageRegistrationTests
{
    private const int Slices = 8, Margin = 16, Strip = 72;
    private static readonly Size3 Field = new(Slices, 176, 224);
    private static readonly Session Session = new() { DriftStep = 1.2, CurtainGrey = 0, BrightnessJump = 4, ElectronsAtWhite = 1500, NoiseSigma = 6 };

    [Fact]
    public void ThreeVoltagesMeet()
    {
        var specimen = Specimen();
        var middle = Seen(specimen, 2);
        foreach (var keV in (double[])[1, 4])
        {
            var moved = Seen(specimen, keV);
            var truth = moved.Drift.Zip(middle.Drift, (m, r) => (Y: m.Y - r.Y, X: m.X - r.X)).ToArray();
            Assert.InRange(truth.Max(t => Math.Max(Math.Abs(t.Y), Math.Abs(t.X))), 1, 12);
            foreach (var box in (int[]?[])[[0, Strip - 12, 0, Field.X], null])
            {
                var found = Register.Estimate(moved.Image.AsFloat(), middle.Image.AsFloat(), new() { Box = box }, Traversal.Default);
                var error = Math.Sqrt(found.Shifts.Zip(truth, (f, t) => ((f[0] - t.Y) * (f[0] - t.Y) + (f[1] - t.X) * (f[1] - t.X)) / 2).Average());
                Assert.True(error <= 0.15, $"{keV} kV: {error:F3} px in {string.Join(',', found.Box)}{(box is null ? ", found" : "")}");
            }
        }
    }

    private static Volume<byte> Specimen()
    {
        var size = Field + new Size3(0, 2 * Margin, 2 * Margin);
        var structure = Volume<byte>.Load(VirtualStructure.Make("hierarchical", size, VoxelSize.Cube(5), 0.12, 170, 51, Traversal.Default));
        var random = new CounterRandom(51, 9);
        var holes = Enumerable.Range(0, 90).Select(_ => (Y: random.NextDouble() * (Strip + Margin), X: random.NextDouble() * size.X, R: 2 + 4 * random.NextDouble())).ToArray();
        for (var z = 0; z < size.Z; z++)
            for (var y = 0; y < Strip + Margin; y++)
                for (var x = 0; x < size.X; x++)
                    structure[z, y, x] = (byte)(holes.Any(h => (h.Y - y) * (h.Y - y) + (h.X - x) * (h.X - x) < h.R * h.R) ? 1 : 3);
        return structure;
    }

    private static (Volume<byte> Image, (double Y, double X)[] Drift) Seen(Volume<byte> specimen, double keV)
    {
        var materials = new Dictionary<int, Material> { [1] = Material.Parse("epoxy"), [2] = Material.Parse("Au"), [3] = Material.Parse("Pt") };
        var seed = (ulong)(60 + keV);
        var drift = Session.Drift(Slices, seed);
        var (signal, error) = (new Volume<float>(specimen.Info with { Phases = null }), new Volume<float>(specimen.Info with { Phases = null }));
        ElectronImage.Make(specimen, materials, new() { KeV = keV, ElectronsPerPixel = 16 }, signal, error, seed, Traversal.Default, shifts: Session.Fractions(drift));
        foreach (ref var grey in signal.Data.AsSpan()) grey *= 350;
        var image = new Volume<byte>(Field);
        Session.Image(signal, drift, image, null, seed, Traversal.Default, Session.Fractions(drift));
        return (image, drift);
    }
}
