using System.Text.Json.Nodes;
using Kerf.Imaging;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

/// <summary>Learned thresholds, z-gradient, seeds and watershed.</summary>
public class LadderTests
{
    private static readonly JsonNode Reference = JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "References", "ladder", "ladder.json")))!;
    private static readonly Traversal Walk = Traversal.Default with { Threads = 2 };

    private static int[] Numbers(JsonNode node) => [.. node.AsArray().Select(v => (int)v!)];

    [Fact]
    public void TheGreyTreeIsScikitLearns()
    {
        byte[] grey = [.. Numbers(Reference["grey"]!).Select(v => (byte)v)], labels = [.. Numbers(Reference["label"]!).Select(v => (byte)v)];
        var size = new Size3(2, 10, grey.Length / 20);
        foreach (var tree in Reference["trees"]!.AsArray())
        {
            var ranges = GreyTree.Learn(new Volume<byte>(size, null, grey), new Volume<byte>(size, null, labels), (int)tree!["depth"]!, Walk);
            var rule = new GreyRanges(ranges);
            // both cut midway between two levels; a level that is a cut itself, seen in no label, goes down there and up here
            var expected = Numbers(tree["labels"]!);
            Assert.All(Enumerable.Range(0, 256).Where(level => ranges.All(range => range.Low != level)), level => Assert.Equal(expected[level], rule.Of(level)));
            // leaves of one label are joined
            Assert.All(ranges.Skip(1), range => Assert.Contains(range.Low, tree["thresholds"]!.AsArray().Select(t => (double)t!)));
        }
        var floats = new Volume<float>(size, null, [.. grey.Select(v => v * 0.01f)]);
        var coarse = GreyTree.Learn(floats, new Volume<byte>(size, null, labels), 2, Walk);
        Assert.Equal([1, 2, 3, 1], coarse.Select(range => range.Label));
    }

    [Fact]
    public void TheFloodIsScikitImages()
    {
        var n = Numbers(Reference["shape"]!);
        byte[] labels = [.. Numbers(Reference["seeds"]!).Select(v => (byte)v)];
        Watershed.Flood(labels, [.. Numbers(Reference["heights"]!).Select(v => (ushort)v)], new(n[0], n[1], n[2]));
        Assert.Equal(Numbers(Reference["flooded"]!), labels.Select(v => (int)v));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void DoubtfulGreysGoToTheSideOfTheEdgeThatTheyLieOn(int dimensions)
    {
        // a blurred step between columns 11 and 12
        var volume = new Volume<float>(new Size3(4, 16, 24));
        for (var i = 0; i < volume.Data.Length; i++) volume.Data[i] = 100 + 80 * (float)Math.Tanh((i % 24 - 11.5) / 2);
        foreach (var window in (double[])[20, 120])
        {
            var found = new Volume<byte>(volume.Info with { Type = PixelType.UInt8 });
            Watershed.Apply(volume, GreySeeds.Around([100], window).View(volume), found, 1, dimensions, Walk);
            Assert.Equal(Enumerable.Range(0, 24).Select(x => (byte)(x < 12 ? 1 : 2)), Enumerable.Range(0, 24).Select(x => found[2, 8, x]));
        }
    }

    [Fact]
    public void SeedsLieOnTheirSlicesAndLeaveTheWindowOut()
    {
        Assert.Equal([0], GreySeeds.Slices(200, 1));
        Assert.Equal([0, 39, 79, 119, 159, 199], GreySeeds.Slices(200, 6));
        Assert.Equal(200, GreySeeds.Slices(200, 0).Length);
        var volume = new Volume<byte>(new Size3(3, 1, 256));
        for (var i = 0; i < volume.Data.Length; i++) volume.Data[i] = (byte)i;
        var seeds = new Volume<byte>(volume.Info);
        GreySeeds.Apply(volume, seeds, GreySeeds.Slices(3, 2), _ => GreySeeds.Around([100], 20), Walk);
        Assert.All(seeds.Slice(1).ToArray(), label => Assert.Equal(0, label));
        Assert.Equal((1, 0, 0, 2), (seeds[2, 0, 89], seeds[2, 0, 90], seeds[2, 0, 109], seeds[2, 0, 110]));
    }

    [Fact]
    public void TheZGradientFindsWhereAStructureBegins()
    {
        // a pore over a structure that begins at slice 20 and ends at slice 30; below it a second one far away
        var profile = new float[64];
        for (var z = 0; z < profile.Length; z++) profile[z] = z < 20 ? 30 + 70 * (float)Math.Exp((z - 20) / 6.0) : z < 30 ? 100 : 30 + 70 * (float)Math.Exp((z - 60) / 6.0);
        var options = new ZGradientOptions { Dark = 40, Step = 25, Tolerance = 0.1, Window = 12 };
        bool IsVoid(int z) => ZGradient.IsVoid(profile, z, 1, options);
        Assert.All(Enumerable.Range(13, 5), z => Assert.True(IsVoid(z)));
        Assert.All(Enumerable.Range(20, 10), z => Assert.False(IsVoid(z)));
        Assert.All(Enumerable.Range(30, 15), z => Assert.True(IsVoid(z)));

        var (first, second) = (new Volume<float>(new Size3(64, 4, 5)), new Volume<float>(new Size3(64, 4, 5)));
        for (var z = 0; z < 64; z++)
        {
            first.Slice(z).Fill(profile[z]);
            second.Slice(z).Fill(z < 25 ? 60 : 120);
        }
        Volume<byte> Run(int block)
        {
            var labels = new Volume<byte>(first.Info with { Type = PixelType.UInt8 });
            ZGradient.Apply(first, second, 90, labels, options, Walk with { BlockEdge = block });
            return labels;
        }
        var found = Run(64);
        Assert.Equal((1, 2, 3, 1), (found[15, 2, 2], found[22, 2, 2], found[27, 2, 2], found[35, 2, 2]));
        Assert.Equal(found.Data, Run(16).Data);
    }

    [Fact]
    public void RefusesInOneLine()
    {
        var volume = new Volume<byte>(new Size3(2, 3, 4));
        string Message(Action act) => Assert.Throws<InputError>(act).Message;
        Assert.Equal("labels: no voxel is labelled (all are 0). Paint strokes of at least two phases.", Message(() => GreyTree.Learn(volume, volume, 2, Walk)));
        Assert.Equal("depth: 7 is out of range; give 1 to 6.", Message(() => GreyTree.Learn(volume, volume, 7, Walk)));
        Assert.Equal("labels: are 1×1×1 voxels, the image is 2×3×4; labels need the image's grid, 0 where nothing is labelled.",
            Message(() => GreyTree.Learn(volume, new Volume<byte>(new Size3(1, 1, 1)), 2, Walk)));
        var one = new Volume<byte>(volume.Info);
        one.Data[3] = 4;
        Assert.Equal("labels: only label 4 is used; thresholds need two or more. Paint strokes of a second phase.", Message(() => GreyTree.Learn(volume, one, 2, Walk)));
        Assert.Equal("slices: 3 is out of range; the volume has 2, and 0 takes all.", Message(() => GreySeeds.Slices(2, 3)));
        Assert.Equal("window: 50 grey levels leave nothing between the thresholds 100 and 120; make it smaller.", Message(() => GreySeeds.Around([100, 120], 50)));
        Assert.Equal("window: -1 is out of range; give 0 grey levels or more.", Message(() => GreySeeds.Around([100], -1)));
        Assert.Equal("memory budget of 0 MiB is too small: flooding the volume needs 1 MiB. Raise --memory, or flood slice by slice with dimensions 2.",
            Message(() => Watershed.Apply(volume, volume, one, 1, 3, Walk with { MemoryBytes = 100 })));
        Assert.Equal("seeds: are 1×1×1 voxels, the image is 2×3×4; seeds need the image's grid.",
            Message(() => Watershed.Apply(volume, new Volume<byte>(new Size3(1, 1, 1)), one, 1, 2, Walk)));
        Assert.Equal("second detector: is 1×1×1 voxels, the first is 2×3×4; align and crop them to one grid first.",
            Message(() => ZGradient.Apply(volume, new Volume<byte>(new Size3(1, 1, 1)), 0, one, new(), Walk)));
        Assert.Equal("window: 0 is out of range; give 1 to 200 slices.", Message(() => ZGradient.Apply(volume, null, 0, one, new() { Window = 0 }, Walk)));
        Assert.Equal("tolerance: 1 is out of range; give 0 up to 1.", Message(() => ZGradient.Apply(volume, null, 0, one, new() { Tolerance = 1 }, Walk)));
    }
}
