using Kerf.Imaging;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class AlignTests
{
    [Fact]
    public void FindsARandomWalkInShotNoise()
    {
        var error = Errors(new(48, 256, 320) { Dose = 0.1, SlantSpread = 0, RadiusZ = 40, Density = 3e-5 }, new());
        Say("noise", error);
    }

    [Fact]
    public void GrowthAndSlantsWithoutACommonDirectionDoNotCount()
    {
        var error = Errors(new(48, 320, 384) { SlantSpread = 0.25, Seed = 4 }, new());
        Say("slants", error);
    }

    [Fact]
    public void AMinorityThatSlantsOneWayIsNotFollowed()
    {
        var error = Errors(new(48, 384, 384) { Slant = 0.3, SlantSpread = 0.1, SlantedShare = 0.35, Seed = 5 , RadiusZ = 30, Density = 2e-5}, new());
        Say("minority", error);
    }

    [Fact]
    public void CommonSlant()
    {
        var error = Errors(new(48, 384, 384) { Slant = 0.3, SlantSpread = 0.1, SlantedShare = 0.8, Seed = 5 , RadiusZ = 30, Density = 2e-5}, new());
        Say("majority", error);
    }

    [Fact]
    public void AThousandSlicesDoNotWalkAway()
    {
        var error = Errors(new(1000, 96, 96) { Step = 0.3, SlantSpread = 0.1, Density = 4e-5, RadiusZ = 25, Seed = 6 }, new());
        Say("thousand", error);
    }

    private static void Say(string name, (double Y, double X)[] e) => TestContext.Current.SendDiagnosticMessage(
        $"{name}: rms y {Rms(e.Select(p => p.Y)):F4} x {Rms(e.Select(p => p.X)):F4} end {e[^1].Y:F3} {e[^1].X:F3} max {e.Max(p => Math.Max(Math.Abs(p.Y), Math.Abs(p.X))):F3}");

    private static double Rms(IEnumerable<double> values) => Math.Sqrt(values.Average(v => v * v));

    private static (double Y, double X)[] Errors(DriftPhantom phantom, Align how)
    {
        var t = System.Diagnostics.Stopwatch.StartNew();
        var volume = phantom.Render();
        var t1 = t.Elapsed.TotalSeconds;
        var found = Align.Estimate(volume.AsFloat(), how, Traversal.Default);
        TestContext.Current.SendDiagnosticMessage($"render {t1:F2} s, estimate {t.Elapsed.TotalSeconds - t1:F2} s residual {found.Residual} coherence {found.Coherence.Average():F3}");
        return [.. phantom.Drift().Zip(found.Shifts, (truth, shift) => (shift[0] - truth.Y, shift[1] - truth.X))];
    }
}
