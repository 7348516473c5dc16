using Kerf.Simulation;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class SessionTests
{
    private static readonly Session Clean =
        new() { DriftStep = 0, CurtainGrey = 0, BrightnessJump = 0, ElectronsAtWhite = double.PositiveInfinity, NoiseSigma = 0 };
    private static readonly Size3 Field = new(8, 96, 96);

    private static (Volume<byte> Images, Volume<byte> Ideal, SessionTruth Truth) Record(
        Session session, Func<int, int, int, float> scene, ulong seed = 1, int threads = 2, (double Y, double X)[]? drift = null)
    {
        var shifts = drift ?? session.Drift(Field.Z, seed);
        var margin = session.Margin(shifts);
        var canvas = new Volume<float>(Field + new Size3(0, 2 * margin, 2 * margin));
        for (var z = 0; z < canvas.Info.Size.Z; z++)
            for (var y = 0; y < canvas.Info.Size.Y; y++)
                for (var x = 0; x < canvas.Info.Size.X; x++) canvas[z, y, x] = scene(z, y - margin, x - margin);
        var (images, ideal) = (new Volume<byte>(Field), new Volume<byte>(Field));
        return (images, ideal, session.Image(canvas, shifts, images, ideal, seed, Traversal.Default with { Threads = threads }));
    }

    [Fact]
    public void DriftIsARandomWalkOfTheStatedStep()
    {
        var walk = new Session().Drift(4000, 9);
        var steps = walk.Zip(walk.Skip(1), (a, b) => (b.Y - a.Y, b.X - a.X)).SelectMany(s => new[] { s.Item1, s.Item2 }).ToArray();
        Assert.Equal((0.0, 0.0), walk[0]);
        Assert.InRange(Math.Sqrt(steps.Average(s => s * s)), 0.77, 0.83);
        Assert.InRange(steps.Average(), -0.03, 0.03);
        var successive = steps.Zip(steps.Skip(2), (a, b) => a * b).Average() / 0.64;
        Assert.InRange(successive, -0.05, 0.05);
    }

    [Fact]
    public void AShiftedSliceShowsTheSceneWhereTheTruthSays()
    {
        // a wave that the point spread damps by a known factor: exp(−2π²σ²f²)
        const double f = 1.0 / 16, sigma = 0.75;
        var damping = Math.Exp(-2 * Math.PI * Math.PI * sigma * sigma * f * f);
        (double Y, double X)[] drift = [(0, 0), (0.3, -2.6), (1.5, 0.5), (-3.25, 0.75), (0, 0), (0, 0), (0, 0), (0, 0)];
        var (images, _, _) = Record(Clean with { PointSpread = sigma }, (_, y, x) => 128 + 100 * (float)Math.Sin(2 * Math.PI * f * (y + 2 * x)), drift: drift);
        // along y + 2x the frequency is f along y and 2f along x
        var both = damping * Math.Pow(damping, 4);
        for (var z = 0; z < 4; z++)
            for (var y = 0; y < Field.Y; y += 7)
                for (var x = 0; x < Field.X; x += 5)
                    Assert.InRange(images[z, y, x] - (128 + 100 * both * Math.Sin(2 * Math.PI * f * (y - drift[z].Y + 2 * (x - drift[z].X)))), -0.51, 0.51);
    }

    [Theory]
    [InlineData(double.PositiveInfinity, 15)]
    [InlineData(1000, 15)]
    [InlineData(1000, 0)]
    public void NoiseHasItsVariance(double electrons, double sigma)
    {
        var session = Clean with { ElectronsAtWhite = electrons, NoiseSigma = sigma };
        var (first, second) = (Record(session, (_, _, _) => 128, 1).Images.Data, Record(session, (_, _, _) => 128, 2).Images.Data);
        var variance = first.Zip(second, (a, b) => (double)(a - b) * (a - b)).Average() / 2;
        // shot noise, detector noise, rounding
        var expected = (double.IsFinite(electrons) ? 255 * 128 / electrons : 0) + sigma * sigma + 1 / 12.0;
        Assert.InRange(variance / expected, 0.98, 1.02);
        Assert.InRange(first.Average(v => (double)v), 127.7, 128.3);
    }

    [Fact]
    public void BrightnessJumpsAreRecordedAndBounded()
    {
        var (images, ideal, truth) = Record(Clean with { BrightnessJump = 8 }, (_, _, _) => 100);
        for (var z = 0; z < Field.Z; z++)
        {
            Assert.InRange(truth.BrightnessOffsets[z], -8, 8);
            Assert.Equal((byte)Math.Round(100 + truth.BrightnessOffsets[z]), images[z, 50, 50]);
            Assert.Equal(100, ideal[z, 50, 50]);
        }
        Assert.True(truth.BrightnessOffsets.Max() - truth.BrightnessOffsets.Min() > 6);
    }

    [Fact]
    public void CurtainsReachTheStatedGreyRunDownwardsAndStandInTheTruth()
    {
        var session = Clean with { CurtainGrey = 10, CurtainDensity = 0.12 };
        // two phases: partial curtains start at the step in row 40
        var (images, ideal, truth) = Record(session, (_, y, _) => y < 40 ? 90 : 170);
        for (var z = 0; z < Field.Z; z++)
        {
            var curtains = new float[Field.SliceCount];
            truth.AddCurtains(z, Field, (0, 0), curtains);
            Assert.InRange(curtains.Max(), 5, 10);
            Assert.InRange(curtains.Min(), -10, -5);
            for (var i = 0; i < curtains.Length; i++) Assert.InRange(images.Slice(z)[i] - (ideal.Slice(z)[i] + curtains[i]), -1.01, 1.01);
        }
        Assert.Contains(truth.Curtains, c => c.Top is >= 40 and <= 43);
        Assert.DoesNotContain(truth.Curtains, c => c.Top is > -1e5 and < 40);
    }

    [Fact]
    public void CurtainsLastSeveralSlicesAndThenGo()
    {
        var truth = Record(Clean with { CurtainGrey = 10 }, (_, _, _) => 90).Truth;
        float[] At(int z) { var image = new float[Field.SliceCount]; truth.AddCurtains(z, Field, (0, 0), image); return image; }
        static double Correlation(float[] a, float[] b) =>
            a.Zip(b, (p, q) => (double)p * q).Sum() / Math.Sqrt(a.Sum(p => (double)p * p) * b.Sum(q => (double)q * q));
        Assert.InRange(Correlation(At(1), At(2)), 0.6, 0.98);
        // 1 + Poisson(4) slices each, 0.12 alive at a time per column, in slice 0 as in the last
        Assert.InRange(truth.Curtains.Where(c => c.First >= 0).Average(c => c.Count), 4, 6);
        int Alive(int z) => truth.Curtains.Count(c => z >= c.First && z < c.First + c.Count);
        Assert.InRange(Alive(0), 4, 25);
        Assert.InRange(Alive(7), 4, 25);
    }

    [Fact]
    public void SameBytesForAnyThreadCount()
    {
        float Scene(int z, int y, int x) => 100 + 50 * MathF.Sin(0.2f * x + 0.1f * y + z);
        var (one, three) = (Record(new(), Scene, threads: 1), Record(new(), Scene, threads: 3));
        Assert.True(one.Images.Data.AsSpan().SequenceEqual(three.Images.Data));
        Assert.Equal(one.Truth.Curtains, three.Truth.Curtains);
    }

    [Fact]
    public void RefusesASmallSpecimenAndABadParameter()
    {
        var session = new Session();
        var shifts = session.Drift(2, 1);
        var error = Assert.Throws<InputError>(() =>
            session.Image(new Volume<float>(new Size3(2, 64, 64)), shifts, new Volume<byte>(new Size3(2, 64, 64)), null, 1, Traversal.Default));
        Assert.Contains("specimen: 2×64×64 voxels are too few for 2×64×64 slices that drift; make it", error.Message);
        Assert.Equal("session: noise sigma is -1; choose 0 to 100.", Assert.Throws<InputError>(() => new Session { NoiseSigma = -1 }.Drift(2, 1)).Message);
    }
}
