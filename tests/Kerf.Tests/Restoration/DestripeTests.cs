using Kerf.Imaging;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class DestripeTests
{
    private const int Height = 300, Width = 400;

    [Theory]
    [InlineData(0.0, 90.0)]
    [InlineData(8.0, 90.0)]
    [InlineData(8.0, 0.0)]
    public void StripesGoAndTheMeanOfEachPhaseStays(double noise, double direction)
    {
        var (structure, phase) = Particles(noise);
        var stripes = Curtains(direction == 0);
        var clean = Run(Add(structure, stripes), new Destripe { Direction = direction }, out _);
        var left = structure.Zip(clean, (a, b) => (double)b - a).ToArray();
        var energy = Energy(stripes.Select(s => (double)s));
        Assert.InRange(Energy(Profile(left, direction == 0)), 0, 0.1 * energy);
        // all that changed against the image without stripes, noise that was taken for stripes included
        Assert.InRange(Energy(left), 0, 0.25 * energy);
        for (var p = 0; p < 3; p++)
        {
            var mean = Mean(structure, phase, p);
            Assert.InRange(Mean(clean, phase, p), mean * 0.99, mean * 1.01);
        }
    }

    [Fact]
    public void CleanStructureIsHardlyTouched()
    {
        var (structure, _) = Particles(5);
        var clean = Run(structure, new Destripe(), out _);
        Assert.InRange(Energy(structure.Zip(clean, (a, b) => (double)b - a)), 0, 1.25);
    }

    [Theory]
    [InlineData(StripeFilter.Guarded)]
    [InlineData(StripeFilter.Wedge)]
    [InlineData(StripeFilter.Wavelet)]
    public void TheMeanStaysAndTheEnergyFallsAsReported(StripeFilter method)
    {
        var (structure, _) = Particles(5);
        var striped = Add(structure, Curtains(false));
        var clean = Run(striped, new Destripe { Method = method }, out var facts);
        Assert.Equal(striped.Average(v => (double)v), clean.Average(v => (double)v), 1e-3);
        Assert.InRange(facts.After[0], 0, 0.1 * facts.Before[0]);
    }

    [Fact]
    public void TheWedgeTakesOutAStripeOfAnyDirection()
    {
        var (sin, cos) = Math.SinCos(70 * Math.PI / 180);
        var image = new float[Height * Width];
        for (var y = 0; y < Height; y++)
            for (var x = 0; x < Width; x++) image[y * Width + x] = 100 + 10 * (float)Math.Sin(2 * Math.PI * (x * sin - y * cos) / 12);
        var clean = Run(image, new Destripe { Method = StripeFilter.Wedge, Direction = 70 }, out _);
        Assert.InRange(Energy(clean.Select(v => v - 100.0)), 0, 2.5);
        var other = Run(image, new Destripe { Method = StripeFilter.Wedge, Direction = -70 }, out _);
        Assert.InRange(Energy(other.Select(v => v - 100.0)), 49, 52);
    }

    [Theory]
    [InlineData(90.0)]
    [InlineData(0.0)]
    public void WaveletsTakeOutWhatIsConstantAlongTheStripesAndNothingElse(double direction)
    {
        var how = new Destripe { Method = StripeFilter.Wavelet, Direction = direction };
        float[] Wave(Func<int, int, double> phase) => [.. Enumerable.Range(0, Height * Width).Select(i => 100 + 10 * (float)Math.Sin(2 * Math.PI * phase(i / Width, i % Width)))];
        var stripes = Wave((y, x) => (direction == 0 ? y : x) / 12.0);
        Assert.InRange(Energy(Run(stripes, how, out _).Select(v => v - 100.0)), 0, 0.001 * 50);
        var across = Wave((y, x) => (direction == 0 ? x : y) / 12.0);
        Assert.InRange(Energy(Run(across, how, out _).Zip(across, (a, b) => (double)a - b)), 0, 1e-6);
        // 30 cycles along the stripes are far beyond the damping of 3
        var oblique = Wave((y, x) => y / 10.0 + x / 10.0);
        Assert.InRange(Energy(Run(oblique, how, out _).Zip(oblique, (a, b) => (double)a - b)), 0, 0.5);
    }

    [Fact]
    public void WaveletsLeaveLittleOfCurtainsWhateverTheStructure()
    {
        var (structure, _) = Particles(8);
        var stripes = Curtains(false);
        var how = new Destripe { Method = StripeFilter.Wavelet };
        // the method is linear: what it does to the structure is the same with and without curtains
        var left = Run(Add(structure, stripes), how, out _).Zip(Run(structure, how, out _), (a, b) => (double)a - b);
        Assert.InRange(Energy(left), 0, 0.02 * Energy(stripes.Select(s => (double)s)));
    }

    [Fact]
    public void WaveletsRefuseOtherDirections()
    {
        var flat = new Volume<float>(new Size3(1, 64, 64));
        Assert.Equal("direction is 80 degrees; method wavelet knows 0 and 90 only. Take method guarded or wedge.", Assert.Throws<InputError>(
            () => Destripe.Apply(flat, flat, new() { Method = StripeFilter.Wavelet, Direction = 80 }, Traversal.Default)).Message);
    }

    [Fact]
    public void NoStrengthNoChange()
    {
        var (structure, _) = Particles(5);
        Assert.Equal(structure, Run(structure, new Destripe { Strength = 0 }, out _));
    }

    [Fact]
    public void ThreadsDoNotShow()
    {
        var volume = new Volume<byte>(new Size3(5, 60, 80));
        var random = new CounterRandom(3, 0);
        for (var i = 0; i < volume.Data.Length; i++) volume.Data[i] = (byte)random.NextInt(256);
        var one = new Volume<byte>(volume.Info);
        var many = new Volume<byte>(volume.Info);
        Destripe.Apply(volume.AsFloat(), one.AsFloatTarget(), new(), Traversal.Default with { Threads = 1 });
        Destripe.Apply(volume.AsFloat(), many.AsFloatTarget(), new(), Traversal.Default with { Threads = 4 });
        Assert.Equal(one.Data, many.Data);
        Assert.NotEqual(volume.Data, one.Data);
    }

    [Fact]
    public void RefusesTinySlices()
    {
        var tiny = new Volume<float>(new Size3(1, 8, 40));
        Assert.Equal("destripe: slices are 8×40 pixels; it needs at least 16×16. Leave the step out.",
            Assert.Throws<InputError>(() => Destripe.Apply(tiny, tiny, new(), Traversal.Default)).Message);
    }

    private static float[] Run(float[] image, Destripe how, out (double[] Before, double[] After) energies)
    {
        var source = new Volume<float>(new Size3(1, Height, Width), null, image);
        var target = new Volume<float>(source.Info);
        energies = Destripe.Apply(source, target, how, Traversal.Default);
        return target.Data;
    }

    // discs of two phases, with soft edges, on a matrix
    private static (float[] Grey, byte[] Phase) Particles(double noise)
    {
        float[] levels = [90, 180, 40];
        var random = new CounterRandom(11, 0);
        var (grey, phase) = (new float[Height * Width], new byte[Height * Width]);
        Array.Fill(grey, levels[0]);
        for (var i = 0; i < 60; i++)
        {
            var (cy, cx, r) = (random.NextDouble() * Height, random.NextDouble() * Width, 8 + 25 * random.NextDouble());
            var p = (byte)(1 + random.NextInt(2));
            for (var y = 0; y < Height; y++)
            {
                for (var x = 0; x < Width; x++)
                {
                    var inside = Math.Clamp((r - Math.Sqrt((y - cy) * (y - cy) + (x - cx) * (x - cx))) / 2 + 0.5, 0, 1);
                    var at = y * Width + x;
                    grey[at] += (float)inside * (levels[p] - grey[at]);
                    if (inside > 0.5) phase[at] = p;
                }
            }
        }
        for (var i = 0; i < grey.Length; i++) grey[i] += (float)(noise * random.NextNormal());
        return (grey, phase);
    }

    // ±10 grey, as wide as curtains are
    private static float[] Curtains(bool alongX)
    {
        var length = alongX ? Height : Width;
        var random = new CounterRandom(5, 0);
        var raw = Enumerable.Range(0, length + 8).Select(_ => random.NextNormal()).ToArray();
        var profile = Enumerable.Range(0, length).Select(i => raw.Skip(i).Take(5).Sum() - raw.Skip(i + 3).Take(5).Sum() * 0.5).ToArray();
        var (top, mean) = (profile.Max(v => Math.Abs(v)), profile.Average());
        return [.. Enumerable.Range(0, Height * Width).Select(i => (float)(10 * (profile[alongX ? i / Width : i % Width] - mean) / top))];
    }

    private static double[] Profile(double[] image, bool alongX) =>
        [.. image.Select((v, i) => (v, At: alongX ? i / Width : i % Width)).GroupBy(p => p.At, p => p.v).Select(g => g.Average())];

    private static float[] Add(float[] a, float[] b) => [.. a.Zip(b, (x, y) => x + y)];

    private static double Energy(IEnumerable<double> values) => values.Average(v => v * v);

    private static double Mean(float[] grey, byte[] phase, int p) => grey.Where((_, i) => phase[i] == p).Average(v => (double)v);
}
