using System.Security.Cryptography;
using System.Text;
using Kerf.App;
using Kerf.Imaging;
using Kerf.Networks;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

/// <summary>Boosted trees: the same answers as XGBoost's own prediction, for any thread count and block; nothing of a file is trusted.</summary>
public sealed class BoostedTests : IDisposable
{
    private static readonly Traversal One = new() { Threads = 1 };
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Skips where there is no XGBoost and none can be installed.</summary>
    internal static void RequireXgboost()
    {
        try
        {
            XgboostLibrary.Require();
        }
        catch (InputError error)
        {
            Assert.Skip(error.Message);
        }
    }

    private static (float[][] Columns, byte[] Classes) Samples(int count, int classes)
    {
        var columns = Enumerable.Range(0, 5).Select(_ => new float[count]).ToArray();
        var found = new byte[count];
        for (var i = 0; i < count; i++)
        {
            var random = new CounterRandom(3, (ulong)i);
            foreach (var column in columns) column[i] = (float)random.NextNormal();
            found[i] = (byte)Math.Clamp((int)(columns[0][i] * columns[1][i] + columns[2][i] + 0.3 * random.NextNormal() + classes / 2.0), 0, classes - 1);
        }
        return (columns, found);
    }

    [Theory]
    [InlineData(2, 3)]
    [InlineData(2, 1)]
    [InlineData(4, 6)]
    public unsafe void TreesAgreeWithXgboost(int classes, int depth)
    {
        RequireXgboost();
        var (columns, found) = Samples(1003, classes);
        using var matrix = BoostedTraining.Matrix(columns);
        using var booster = BoostedTraining.Boost(matrix, found, classes, new() { Trees = 20, Depth = depth, Rate = 0.3 }, One);
        var trees = BoostedTrees.Parse(BoostedTraining.Save(booster), 5, classes);
        Assert.Equal(classes == 2 ? 20 : 20 * classes, trees.Count);
        Assert.Equal(1, trees.Importance.Sum(), 1e-6);
        Assert.True(trees.Importance.Take(3).Sum() > 0.8);
        XgboostLibrary.Check(Xgboost.XGBoosterPredictFromDMatrix(booster, matrix, """{"type":0,"training":false,"iteration_begin":0,"iteration_end":0,"strict_shape":true}""", out _, out _, out var theirs));
        var (tile, ours) = (columns.SelectMany(c => c).ToArray(), new float[classes * 1003]);
        trees.Predict(tile, 1003, 1003, ours);
        for (var v = 0; v < 1003; v++)
        {
            if (classes == 2) Assert.Equal(theirs[v], ours[1003 + v], 1e-6);
            else for (var c = 0; c < classes; c++) Assert.Equal(theirs[v * classes + c], ours[c * 1003 + v], 1e-6);
        }
    }

    private static Volume<byte> Strokes(Volume<byte> truth)
    {
        var strokes = new Volume<byte>(truth.Info.Size);
        for (var i = 0; i < strokes.Data.Length; i += 29) strokes.Data[i] = (byte)(truth.Data[i] == 2 ? 9 : 7);
        return strokes;
    }

    private static Volume<byte> Predicted(BoostedModel model, IVolume image, Traversal walk, ForestMaps? maps = null)
    {
        var labels = new Volume<byte>(image.Info.Size);
        Assert.True(model.Predict([image], labels, maps ?? new(), walk) > 0);
        return labels;
    }

    [Fact]
    public void APhantomIsLearnedByFiltersAndItsBytesHangOnNothing()
    {
        RequireXgboost();
        var (image, truth) = NetworkPhantom.Make(7, new(12, 48, 56));
        var model = BoostedTraining.Run([("se", image)], Strokes(truth), new() { Scales = [0.7, 1.6, 3.5] }, false, null, new() { Trees = 40, Depth = 4 }, One);
        Assert.InRange(model.Training.Error, 0, 0.05);
        var (other, otherTruth) = NetworkPhantom.Make(8, new(12, 48, 56));
        var (probability, uncertainty) = (new Volume<float>[] { new(other.Info.Size), new(other.Info.Size) }, new Volume<float>(other.Info.Size));
        var labels = Predicted(model, other, One, new() { Probabilities = probability, Uncertainty = uncertainty });
        Assert.Equal((byte[])[7, 9], labels.Data.Distinct().Order());
        Assert.InRange((double)Enumerable.Range(0, labels.Data.Length).Count(i => labels.Data[i] == (otherTruth.Data[i] == 2 ? 9 : 7)) / labels.Data.Length, 0.93, 1);
        for (var i = 0; i < labels.Data.Length; i += 7)
        {
            Assert.Equal(1, probability[0].Data[i] + probability[1].Data[i], 1e-6);
            Assert.Equal(1 - Math.Abs(probability[0].Data[i] - probability[1].Data[i]), uncertainty.Data[i], 1e-6);
        }
        BoostedFile.Save(model, _folder["m.kerf"]);
        var again = BoostedTraining.Run([("se", image)], Strokes(truth), new() { Scales = [0.7, 1.6, 3.5] }, false, null, new() { Trees = 40, Depth = 4 }, new() { Threads = 2 });
        BoostedFile.Save(again, _folder["again.kerf"]);
        Assert.Equal(File.ReadAllBytes(_folder["m.kerf"]), File.ReadAllBytes(_folder["again.kerf"]));
        var read = BoostedFile.Load(_folder["m.kerf"], (_, _) => throw new InvalidOperationException());
        Assert.Equal(labels.Data, Predicted(read, other, new() { Threads = 2, BlockEdge = 16 }).Data);
    }

    [Theory]
    [InlineData(ArchitectureKind.Unet, 3, false)]
    [InlineData(ArchitectureKind.Unet, 1, true)]
    [InlineData(ArchitectureKind.Unet3d, 1, false)]
    [InlineData(ArchitectureKind.Vnet, 1, false)]
    [InlineData(ArchitectureKind.Segnet, 1, false)]
    public void FirstBlocksAreTheNetworksOwnActivations(ArchitectureKind kind, int slices, bool residual)
    {
        LibTorch.Require();
        var architecture = new Architecture { Kind = kind, Slices = slices, Depth = 3, Width = 4, Residual = residual };
        var model = new NetworkModel(architecture, architecture.Build().Initial(5), new(GreyRule.Standard, false)) { Channels = ["se"], Voxel = null, Phases = [Phase.Unnamed(1), Phase.Unnamed(2)], Training = new(new(), 1, [], null) };
        var image = NetworkPhantom.Make(2, new(kind is ArchitectureKind.Unet or ArchitectureKind.Segnet ? 5 : 32, 64, 64)).Image;
        var blocks = new FirstBlocks(model, 2, ["image"]);
        var layers = blocks.Names.Select(name => name.Split(' ')[1]).Distinct().ToArray();
        Assert.Equal(2, layers.Length);
        Torch.Start(1, "cpu");
        var at = 0;
        foreach (var layer in layers)
        {
            using var prediction = new NetworkPrediction(model, new() { Layer = layer, Tile = 64 });
            var theirs = Enumerable.Range(0, prediction.LayerChannels).Select(_ => new Volume<float>(image.Info.Size)).ToArray();
            prediction.Run([image], new Volume<byte>(image.Info.Size), new() { Activations = theirs }, One);
            // libtorch pads the tile with zeros, which reach this far
            var inner = Box.Whole(image.Info.Size).Grow(new Size3(theirs[0].Info.Size.Z > 5 ? -14 : 0, -20, -20));
            var whole = Ours(blocks, image, Box.Whole(image.Info.Size));
            for (var c = 0; c < theirs.Length; c++, at++)
            {
                var part = new float[inner.Count];
                theirs[c].Read(inner, part);
                var ours = new float[inner.Count];
                whole[at].Read(inner, ours);
                for (var i = 0; i < part.Length; i++) Assert.Equal(part[i], ours[i], 2e-4f * (1 + Math.Abs(part[i])));
            }
        }
        // a block of its own has the same bits
        var box = new Box(new(1, 13, 7), new(3, 21, 30));
        var (alone, all) = (Ours(blocks, image, box), Ours(blocks, image, Box.Whole(image.Info.Size)));
        for (var f = 0; f < alone.Length; f++)
        {
            var cut = new float[box.Count];
            all[f].Read(box, cut);
            Assert.Equal(cut, alone[f].Data);
        }
    }

    private static Volume<float>[] Ours(FirstBlocks blocks, IVolume image, Box box)
    {
        var block = blocks.On([image], One)();
        block.Load(box);
        var found = blocks.Names.Select(_ => new Volume<float>(box.Size)).ToArray();
        for (var z = 0; z < box.Size.Z; z++)
        {
            block.Emit(z);
            for (var f = 0; f < found.Length; f++) for (var y = 0; y < box.Size.Y; y++) block.Values(f).Slice(y * block.Stride, box.Size.X).CopyTo(found[f].Slice(z)[(y * box.Size.X)..]);
        }
        return found;
    }

    [Fact]
    public void DamagedAndHostileFilesAreRefused()
    {
        RequireXgboost();
        var (columns, found) = Samples(300, 2);
        var json = Encoding.UTF8.GetString(BoostedTraining.Boost(columns, found, 2, new() { Trees = 2, Depth = 2 }, One));
        BoostedTrees Parsed(string text) => BoostedTrees.Parse(Encoding.UTF8.GetBytes(text), 5, 2);
        Assert.Equal(2, Parsed(json).Count);
        string Changed(string name, string to) => System.Text.RegularExpressions.Regex.Replace(json, $"\"{name}\":\\[[^]]*\\]", $"\"{name}\":{to}");
        foreach (var text in (string[])[
            "{}", "[1", json[..^40], Changed("left_children", "[0,1,2]"), Changed("left_children", "[0,0,0,0,0,0,0]"), Changed("right_children", "[900000,-1,-1,-1,-1,-1,-1]"),
            Changed("split_indices", "[5,5,5,5,5,5,5]"), Changed("split_indices", "[-1,0,0,0,0,0,0]"), Changed("tree_info", "[0]"), Changed("tree_info", "[0,7]"), Changed("split_conditions", "[1e99,1,1,1,1,1,1]")])
        {
            Assert.Throws<InvalidDataException>(() => Parsed(text));
        }
        var (image, truth) = NetworkPhantom.Make(7, new(3, 32, 32));
        var model = BoostedTraining.Run([("se", image)], Strokes(truth), new() { Dimensions = 2, Scales = [1] }, false, null, new() { Trees = 3 }, One);
        BoostedFile.Save(model, _folder["m.kerf"]);
        var bytes = File.ReadAllBytes(_folder["m.kerf"]);
        foreach (var at in (int[])[13, 17, 21, 40, bytes.Length / 2, bytes.Length - 1])
        {
            var other = (byte[])bytes.Clone();
            other[at] ^= 0x41;
            Refused(other, "is damaged (its checksum or content is wrong). Copy it again, or train the model again.");
        }
        Refused(bytes[..20], "is no model of boosted trees");
        Refused([.. bytes[..8], 9, 0, 0, 0, .. bytes[12..]], "is of format 9, this Kerf reads up to 1");
        // a checksum that is right does not make the content sound
        var content = (byte[])bytes.Clone();
        content[^40] ^= 0x41;
        SHA256.HashData(content.AsSpan(0, content.Length - 32), content.AsSpan(content.Length - 32));
        Refused(content, "is damaged");

        void Refused(byte[] file, string message)
        {
            File.WriteAllBytes(_folder["bad.kerf"], file);
            Assert.Contains(message, Assert.Throws<InputError>(() => BoostedSegmentation.Load(_folder["bad.kerf"])).Message, StringComparison.Ordinal);
        }
    }
}
