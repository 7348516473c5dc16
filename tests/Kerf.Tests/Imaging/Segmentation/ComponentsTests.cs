using Kerf.Imaging;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class ComponentsTests
{
    // one slice a slab
    private static readonly Traversal Thin = new() { Threads = 3, MemoryBytes = 1 };

    [Theory]
    [InlineData(Connectivity.Faces)]
    [InlineData(Connectivity.Full)]
    public void AFloodFillFindsTheSame(Connectivity connectivity)
    {
        for (ulong seed = 0; seed < 6; seed++)
        {
            var labels = Noise(new(7, 9, 11), seed, 3);
            var components = Components.OfLabels(labels, true, connectivity, Thin);
            Assert.Equal(Flood(labels, connectivity), All(components, labels));
            Assert.Equal(labels.Data.LongCount(v => v > 0), components.Parts.Sum(part => part.Voxels));
        }
    }

    [Fact]
    public void NumbersAndSizesAreThoseOfScipy()
    {
        var mask = new Volume<byte>(Reference.MaskSize, null, Reference.Mask(Reference.Json.GetProperty("speckled"), Reference.MaskSize));
        Assert.Equal(Reference.Json.GetProperty("labelled6").GetInt32(), Components.OfMask(mask, true, Connectivity.Faces, Thin).Parts.Count);
        Assert.Equal(Reference.Json.GetProperty("labelled26").GetInt32(), Components.OfMask(mask, true, Connectivity.Full, Traversal.Default).Parts.Count);
    }

    [Fact]
    public void ASpiralIsOnePieceWhateverTheSlabs()
    {
        // a staircase that only closes at the far end of the stack: the hard case for a union by slabs
        var mask = new Volume<byte>(new Size3(40, 3, 5));
        for (var z = 0; z < 40; z++) mask[z, 0, 0] = mask[z, 2, 4] = 1;
        for (var x = 0; x < 5; x++) mask[39, 0, x] = 1;
        for (var y = 0; y < 3; y++) mask[39, y, 4] = 1;
        var components = Components.OfMask(mask, true, Connectivity.Faces, Thin);
        Assert.Equal(mask.Data.LongCount(v => v > 0), Assert.Single(components.Parts).Voxels);
        // 39 slices with two pieces each, and the last one where they meet
        Assert.Equal(79, Components.OfMask(mask, false, Connectivity.Faces, Thin).Parts.Count);
    }

    [Fact]
    public void HysteresisIsThatOfScikitImage()
    {
        var grey = Reference.Grey;
        foreach (var (name, dimensions) in new[] { ("hysteresis", 3), ("hysteresisSlices", 2) })
        {
            var (labels, _) = Reference.Run<byte>(new Hysteresis { Low = 120, High = 150, Dimensions = dimensions }, grey);
            Assert.Equal(Reference.Mask(Reference.Json.GetProperty(name), grey.Info.Size), labels.Data.Select(v => (byte)(v - 1)));
        }
    }

    [Fact]
    public void TheDarkSideIsTheBrightSideOfTheNegative()
    {
        var grey = Reference.Grey;
        var (bright, _) = Reference.Run<byte>(new Hysteresis { Low = 120, High = 150, Connectivity = Connectivity.Full }, grey, new() { Threads = 3 });
        var negative = new Volume<float>(grey.Info.Size, null, [.. grey.Data.Select(v => -(float)v)]);
        // v ≥ 150 ⇔ −v < −149.5
        var (dark, _) = Reference.Run<byte>(
            new Hysteresis { Low = -149.5, High = -119.5, Side = GreySide.Dark, Connectivity = Connectivity.Full }, negative, new() { BlockEdge = 5 });
        Assert.Equal(bright.Data.Select(v => 3 - v), dark.Data.Select(v => (int)v));
    }

    [Fact]
    public void HysteresisRefusesMissingAndCrossedThresholds()
    {
        Assert.Equal("hysteresis needs both low and high; add --low 80 --high 120.", Reference.Refusal(() => Reference.Run<byte>(new Hysteresis { Low = 3 }, Reference.Grey)));
        Assert.Equal("low is 9 and high is 9; low must lie below high.", Reference.Refusal(() => Reference.Run<byte>(new Hysteresis { Low = 9, High = 9 }, Reference.Grey)));
    }

    internal static Volume<byte> Noise(Size3 size, ulong seed, int values)
    {
        var random = new CounterRandom(seed, 1);
        var volume = new Volume<byte>(size);
        for (var i = 0; i < volume.Data.Length; i++) volume.Data[i] = (byte)random.NextInt(values);
        return volume;
    }

    private static int[] All(Components components, Volume<byte> labels)
    {
        var all = new int[labels.Data.Length];
        var plane = (int)labels.Info.Size.SliceCount;
        for (var z = 0; z < labels.Info.Size.Z; z++) components.Label(z, labels.Slice(z), all.AsSpan(z * plane, plane));
        return all;
    }

    private static int[] Flood(Volume<byte> labels, Connectivity connectivity)
    {
        var size = labels.Info.Size;
        var found = new int[labels.Data.Length];
        var count = 0;
        for (var seed = 0; seed < found.Length; seed++)
        {
            if (labels.Data[seed] == 0 || found[seed] != 0) continue;
            var todo = new Stack<int>([seed]);
            found[seed] = ++count;
            while (todo.TryPop(out var voxel))
            {
                var (z, y, x) = (voxel / (size.Y * size.X), voxel / size.X % size.Y, voxel % size.X);
                for (var k = 0; k < 27; k++)
                {
                    var (dz, dy, dx) = (k / 9 - 1, k / 3 % 3 - 1, k % 3 - 1);
                    if (connectivity == Connectivity.Faces && Math.Abs(dz) + Math.Abs(dy) + Math.Abs(dx) != 1) continue;
                    if ((uint)(z + dz) >= size.Z || (uint)(y + dy) >= size.Y || (uint)(x + dx) >= size.X) continue;
                    var next = voxel + (dz * size.Y + dy) * size.X + dx;
                    if (found[next] != 0 || labels.Data[next] != labels.Data[voxel]) continue;
                    found[next] = count;
                    todo.Push(next);
                }
            }
        }
        return found;
    }
}
