namespace Kerf.Networks;

/// <summary>The published networks, layer by layer.</summary>
internal static class Architectures
{
    /// <summary>Encoder of blocks and pools, decoder of doublings, skips between; intermediate fusion gives each channel an encoder of its own.</summary>
    public static int UNet(NetworkBuilder b, Architecture a, int image)
    {
        var residual = a.Residual || a.Kind == ArchitectureKind.Resunet3d;
        var branches = a is { Fusion: Fusion.Intermediate, Channels: > 1 } ? a.Channels : 1;
        var skips = new int[a.Depth];
        var levels = new int[branches][];
        for (var k = 0; k < branches; k++)
        {
            var outer = b.Prefix;
            if (branches > 1) b.Prefix = $"{outer}branch{k}.";
            levels[k] = Encoder(b, a, branches > 1 ? b.Narrow(image, k * a.Slices, a.Slices, "image") : image, residual);
            b.Prefix = outer;
        }
        for (var level = 0; level < a.Depth; level++) skips[level] = branches == 1 ? levels[0][level] : b.Concat($"fused{level}", [.. levels.Select(l => l[level])]);
        var x = skips[^1];
        for (var level = a.Depth - 2; level >= 0; level--)
        {
            var channels = a.Width << level;
            var up = b.UpUnit(x, channels, $"up{level}.grow");
            x = b.Block(b.Concat($"up{level}.skip", skips[level], up), channels, $"up{level}", residual);
        }
        return b.Conv(x, a.Classes, "logits", kernel: 1, bias: true, gain: 1);
    }

    private static int[] Encoder(NetworkBuilder b, Architecture a, int image, bool residual)
    {
        var levels = new int[a.Depth];
        var x = image;
        for (var level = 0; level < a.Depth; level++)
        {
            if (level > 0) x = b.MaxPool(x, $"down{level}.pool");
            x = levels[level] = b.Block(x, a.Width << level, $"down{level}", residual);
        }
        return levels;
    }

    /// <summary>Residual stages of 1, 2, 3, 3 … convolutions 5×5×5 with PReLU, halved by strided convolutions, joined on the way up.</summary>
    public static int VNet(NetworkBuilder b, Architecture a, int image)
    {
        var skips = new int[a.Depth];
        var x = image;
        for (var level = 0; level < a.Depth; level++)
        {
            var channels = a.Width << level;
            if (level > 0) x = Unit(x, channels, $"down{level}.halve", kernel: 2, stride: 2);
            x = skips[level] = Stage(x, x, channels, Math.Min(level + 1, 3), $"down{level}");
        }
        for (var level = a.Depth - 2; level >= 0; level--)
        {
            var channels = a.Width << level;
            var up = Unit(b.Upsample(x, $"up{level}.double"), channels, $"up{level}.grow", kernel: 3);
            x = Stage(b.Concat($"up{level}.skip", skips[level], up), up, channels, Math.Min(level + 1, 3), $"up{level}");
        }
        return b.Conv(x, a.Classes, "logits", kernel: 1, bias: true, gain: 1);

        int Unit(int from, int channels, string name, int kernel = 5, int stride = 1) =>
            b.Prelu(b.BatchNorm(b.Conv(from, channels, name + ".conv", kernel, stride), name + ".norm"), name + ".prelu");

        // a stage is summed with what enters it; a single grey channel is matched first
        int Stage(int from, int entering, int channels, int convolutions, string name)
        {
            var y = from;
            for (var i = 0; i < convolutions - 1; i++) y = Unit(y, channels, $"{name}.unit{i}");
            y = b.BatchNorm(b.Conv(y, channels, $"{name}.last.conv", 5), $"{name}.last.norm");
            var matched = b.Channels(entering) == channels ? entering : b.Conv(entering, channels, $"{name}.match", kernel: 1, gain: 1);
            return b.Prelu(b.Add(y, matched, $"{name}.sum"), $"{name}.prelu");
        }
    }

    /// <summary>
    /// Two stages of two 3×3 convolutions and a pool, two dense layers over the channels (1×1 convolutions), two stages of a doubling and two
    /// convolutions, no skips. 16, 32, 64, 128 – 64, 64 – 128, 64, 64, 64 features and one output give the 331,137 parameters that the paper tells; it does not
    /// tell the features. More than two phases get as many outputs.
    /// </summary>
    public static int SegNet(NetworkBuilder b, Architecture a, int image)
    {
        var x = image;
        foreach (var (name, first, second) in new[] { ("down0", 16, 32), ("down1", 64, 128) }) x = b.MaxPool(Pair(x, first, second, name), name + ".pool");
        foreach (var name in new[] { "dense0", "dense1" }) x = b.Relu(b.Conv(x, 64, name, kernel: 1, bias: true), name + ".relu");
        foreach (var (name, first, second) in new[] { ("up1", 128, 64), ("up0", 64, 64) }) x = Pair(b.Upsample(x, name + ".double"), first, second, name);
        return a.Classes == 2 ? b.TwoClass(b.Conv(x, 1, "logits", kernel: 1, bias: true, gain: 1), "classes") : b.Conv(x, a.Classes, "logits", kernel: 1, bias: true, gain: 1);

        int Pair(int from, int first, int second, string name)
        {
            var y = b.Relu(b.Conv(from, first, name + ".conv0", bias: true), name + ".relu0");
            return b.Relu(b.Conv(y, second, name + ".conv1", bias: true), name + ".relu1");
        }
    }

    /// <summary>
    /// Eight 3×3 convolutions of 96 … 16 filters, all concatenated and read by two branches (A1; B1, B2, B3), brought to one value, and that joined with the last channel of the input, an
    /// interpolation: it starts as that interpolation. <see cref="Architecture.Width"/> 96 gives the paper's filters, another width as many in proportion, by eights.
    /// </summary>
    public static int Inpaint(NetworkBuilder b, Architecture a, int image)
    {
        int Filters(int paper) => a.Width == 96 ? paper : Math.Max(8, (int)Math.Round(paper * a.Width / 96.0 / 8) * 8);
        int Unit(int x, int paper, string name, int kernel = 3) => b.Relu(b.Conv(x, Filters(paper), name, kernel, bias: true), name + ".relu");
        var (features, x) = (new List<int>(), image);
        foreach (var paper in new[] { 96, 81, 70, 60, 50, 41, 32, 16 }) features.Add(x = Unit(x, paper, $"feature{features.Count}"));
        var all = b.Concat("features", [.. features]);
        var near = Unit(all, 96, "a1", kernel: 1);
        var wide = Unit(Unit(Unit(all, 64, "b1", kernel: 1), 48, "b2"), 32, "b3");
        var made = b.Conv(b.Concat("reconstruction", near, wide), 1, "l1", kernel: 1, bias: true, gain: 0.01);
        var interpolation = b.Narrow(image, b.Channels(image) - 1, 1, "interpolation");
        var joined = b.Conv(b.Concat("joined", made, interpolation), 1, "l2", kernel: 1, bias: true, gain: 0, start: 1);
        return a.Classes == 2 ? b.TwoClass(joined, "classes") : b.Conv(joined, a.Classes, "logits", kernel: 1, bias: true, gain: 1);
    }
}
