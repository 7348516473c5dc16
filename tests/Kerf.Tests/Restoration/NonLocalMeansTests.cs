using System.Numerics;
using Kerf.Imaging;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class NonLocalMeansTests
{
    [Fact]
    public void ExponentialIsAccurate()
    {
        var worst = 0.0;
        for (var y = -24f; y <= 0; y += 0.0007f)
        {
            var exact = Math.Pow(2, y);
            worst = Math.Max(worst, Math.Abs(Similarity.Exp2(new Vector<float>(y))[0] - exact) / exact);
        }
        Assert.InRange(worst, 0, 2e-7);
        Assert.Equal(1f, Similarity.Exp2(Vector<float>.Zero)[0]);
    }

    [Theory]
    [InlineData(0, 2, 0, 3, 0)]
    [InlineData(0, 1, 0, 4, 9)]
    [InlineData(1, 1, 2, 2, 9)]
    [InlineData(1, 2, 1, 1, 12)]
    public void EqualsTheDefinition(int patchZ, int patch, int searchZ, int search, double noise)
    {
        var source = Restored.Texture(new(4, 11, 19), 12);
        var target = new Volume<float>(source.Info.Size);
        var (p, s) = (new Size3(patchZ, patch, patch), new Size3(searchZ, search, search));
        NonLocalMeans.Filter(source, target, p, s, 14, noise, Traversal.Default);
        var expected = Definition(source, p, s, 14, noise);
        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], target.Data[i], 2e-3);
    }

    private static double[] Definition(Volume<float> source, Size3 patch, Size3 search, double h, double noise)
    {
        var size = source.Info.Size;
        float At(int z, int y, int x) => source[Borders.Map(Border.Mirror, z, size.Z), Borders.Map(Border.Mirror, y, size.Y), Borders.Map(Border.Mirror, x, size.X)];
        double Distance(Size3 a, Size3 b)
        {
            var sum = 0.0;
            for (var z = -patch.Z; z <= patch.Z; z++)
                for (var y = -patch.Y; y <= patch.Y; y++)
                    for (var x = -patch.X; x <= patch.X; x++)
                        sum += Math.Pow(At(a.Z + z, a.Y + y, a.X + x) - At(b.Z + z, b.Y + y, b.X + x), 2);
            return sum / (patch * 2 + Size3.Cube(1)).Count;
        }
        var result = new double[size.Count];
        var i = 0;
        for (var z = 0; z < size.Z; z++)
        {
            for (var y = 0; y < size.Y; y++)
            {
                for (var x = 0; x < size.X; x++)
                {
                    var (value, total) = (0.0, 0.0);
                    for (var tz = -search.Z; tz <= search.Z; tz++)
                        for (var ty = -search.Y; ty <= search.Y; ty++)
                            for (var tx = -search.X; tx <= search.X; tx++)
                            {
                                var w = tz == 0 && ty == 0 && tx == 0 ? 1
                                    : Math.Exp(-Math.Max(Distance(new(z, y, x), new(z + tz, y + ty, x + tx)) - 2 * noise * noise, 0) / (h * h));
                                value += w * At(z + tz, y + ty, x + tx);
                                total += w;
                            }
                    result[i++] = value / total;
                }
            }
        }
        return result;
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void BlocksAndThreadsDoNotMatter(int z)
    {
        var source = Restored.Texture(new(z == 0 ? 2 : 14, 50, 140), 10);
        Restored.SameForAnyWalk(source, (target, walk) => NonLocalMeans.Filter(source, target, new(z, 2, 2), new(z, 2, 3), 10, 10, walk));
    }

    [Fact]
    public void PeriodicTextureStays()
    {
        // every patch has exact copies in the window; the others differ by far more than h
        var source = new Volume<float>(new Size3(1, 40, 40));
        for (var y = 0; y < 40; y++)
            for (var x = 0; x < 40; x++) source[0, y, x] = 100 + 50 * ((x & 3) == 0 ? 1 : 0) + 30 * ((y & 3) == 1 ? 1 : 0);
        var target = new Volume<float>(source.Info.Size);
        NonLocalMeans.Filter(source, target, new(0, 2, 2), new(0, 8, 8), 1, 0, Traversal.Default);
        for (var i = 0; i < source.Data.Length; i++) Assert.Equal(source.Data[i], target.Data[i], 1e-3);
    }

    [Fact]
    public void TakesTheNoiseButLeavesTheEdge()
    {
        var source = new Volume<float>(new Size3(1, 64, 64));
        var random = new CounterRandom(5, 0);
        for (var i = 0; i < source.Data.Length; i++) source.Data[i] = (float)((i % 64 < 32 ? 60 : 160) + 10 * random.NextNormal());
        var target = new Volume<float>(source.Info.Size);
        NonLocalMeans.Filter(source, target, new(0, 2, 2), new(0, 7, 7), 10, 10, Traversal.Default);
        var error = target.Data.Select((v, i) => Math.Pow(v - (i % 64 < 32 ? 60 : 160), 2)).Average();
        Assert.InRange(Math.Sqrt(error), 0, 2);
    }

    [Fact]
    public void RefusesNonsense()
    {
        var volume = new Volume<byte>(new Size3(1, 4, 4));
        Assert.StartsWith("h is 0 grey levels; it must be above 0",
            Assert.Throws<InputError>(() => NonLocalMeans.Filter(volume, volume, new(0, 1, 1), new(0, 1, 1), 0, 0, Traversal.Default)).Message);
        Assert.StartsWith("noise is -1 grey levels",
            Assert.Throws<InputError>(() => NonLocalMeans.Filter(volume, volume, new(0, 1, 1), new(0, 1, 1), 1, -1, Traversal.Default)).Message);
        Assert.StartsWith("patch radius 0×-1×1",
            Assert.Throws<InputError>(() => NonLocalMeans.Filter(volume, volume, new(0, -1, 1), new(0, 1, 1), 1, 0, Traversal.Default)).Message);
    }
}
