using Kerf.Volumes;

namespace Kerf.Networks;

/// <summary>What is done to a patch before a network sees it, other than it is.</summary>
public enum Augmentation
{
    /// <summary>Mirrored along x and y. Never along z: what shines through a pore lies behind it.</summary>
    Flips,

    /// <summary>Quarter turns in the slice, and for every second patch a free angle.</summary>
    Rotations,

    /// <summary>Quarter turns alone: nothing is interpolated, so that structures of few voxels stay as sharp as they are.</summary>
    Turns,

    /// <summary>Windows moved by up to half their stride.</summary>
    Crops,

    /// <summary>Gain within 20 %, offset within 0.3 standard deviations.</summary>
    Brightness,

    /// <summary>y and x stretched by up to 15 % each, every second patch.</summary>
    Stretch,

    /// <summary>Gaussian noise of up to 0.3 standard deviations, every second patch.</summary>
    Noise,

    /// <summary>Blurred in the slice by up to 1 pixel, every second patch.</summary>
    Blur,
}

/// <summary>Which windows an epoch takes.</summary>
public enum Sampling
{
    /// <summary>Every window once, in random order.</summary>
    Window,

    /// <summary>As many, each phase in turn: a random one of the windows that hold it.</summary>
    Balanced,
}

/// <summary>How the learning rate falls.</summary>
public enum Schedule
{
    /// <summary>Multiplied by a factor where the validation loss stays.</summary>
    Plateau,

    /// <summary>
    /// Up over the first twentieth of the epochs (or minutes), then down to 0 as a half cosine (Loshchilov and Hutter 2017, arXiv:1608.03983): most of
    /// what a training of a known length can learn.
    /// </summary>
    Cosine,
}

/// <summary>How a network is made and trained: see <c>docs/methods/network.md</c>.</summary>
[Operation("network", "Trains a convolutional network on labelled images.")]
public sealed record NetworkOptions
{
    /// <summary>Architecture.</summary>
    [Parameter("The network: unet sees slices, unet3d, vnet and resunet3d the volume; segnet is small.")]
    public ArchitectureKind Architecture { get; init; }

    /// <summary>Adjacent slices.</summary>
    [Parameter("Adjacent slices that unet sees at once: 1, 3, 5, 7 or 9.", Min = 1, Max = 9)]
    public int Slices { get; init; } = 1;

    /// <summary>Encoder blocks.</summary>
    [Parameter("Blocks of the encoder.", Min = 2, Max = 6)]
    public int Depth { get; init; } = 4;

    /// <summary>Features of the first block.</summary>
    [Parameter("Features of the first block; they double from block to block. Left out: 32, or 16 in 3-D.", Min = 1, Max = 256)]
    public int? Width { get; init; }

    /// <summary>Residual blocks.</summary>
    [Parameter("Adds its input to each block.")]
    public bool Residual { get; init; }

    /// <summary>Fusion.</summary>
    [Parameter("How several channels come together: as input channels, as encoder branches, or as networks trained each for itself whose votes are convolved or weighted.")]
    public Fusion Fusion { get; init; }

    /// <summary>Loss.</summary>
    [Parameter("What is made small. Unlabelled voxels never count.")]
    public Loss Loss { get; init; } = Loss.SquaredDice;

    /// <summary>Learning rate.</summary>
    [Parameter("Learning rate of Adam.", Min = 1e-7, Max = 1)]
    public double Rate { get; init; } = 1e-3;

    /// <summary>How the rate falls.</summary>
    [Parameter("How the learning rate falls: on plateaus of the validation loss, or as a half cosine to 0 at the last epoch or minute.")]
    public Schedule Schedule { get; init; }

    /// <summary>Most epochs.</summary>
    [Parameter("Epochs at most.", Min = 1, Max = 100_000)]
    public int Epochs { get; init; } = 100;

    /// <summary>Most minutes.</summary>
    [Parameter("Minutes at most; 0 for no limit. The epoch that is running then ends early.", Unit = "min", Min = 0, Max = 1e6)]
    public double Minutes { get; init; }

    /// <summary>Patience of the learning rate.</summary>
    [Parameter("Epochs without a better validation loss until the rate is multiplied by --factor.", Min = 1, Max = 10_000)]
    public int Patience { get; init; } = 10;

    /// <summary>What the rate is multiplied by.</summary>
    [Parameter("What the learning rate is multiplied by on a plateau.", Min = 0.001, Max = 1)]
    public double Factor { get; init; } = 0.1;

    /// <summary>Patience of the training.</summary>
    [Parameter("Epochs without a better validation loss until training stops.", Min = 1, Max = 10_000)]
    public int Stop { get; init; } = 25;

    /// <summary>Patch edge.</summary>
    [Parameter("Edge of a patch; in 3-D along z too. It is rounded up to what the network halves, and cut to the image.", Unit = "voxels", Min = 8, Max = 1024)]
    public int Patch { get; init; } = 64;

    /// <summary>Batch.</summary>
    [Parameter("Patches of one step. Left out: 16, or 1 in 3-D.", Min = 1, Max = 1024)]
    public int? Batch { get; init; }

    /// <summary>Sampling.</summary>
    [Parameter("window takes every window once an epoch, balanced as many of each phase.")]
    public Sampling Sampling { get; init; }

    /// <summary>Windows of an epoch.</summary>
    [Parameter("Windows of an epoch at most; 0 for all, which overlap by half.", Min = 0, Max = 10_000_000)]
    public int Windows { get; init; }

    /// <summary>Augmentations.</summary>
    [Parameter("What is done to patches on the fly.")]
    public Augmentation[] Augment { get; init; } = [Augmentation.Flips, Augmentation.Rotations, Augmentation.Crops, Augmentation.Brightness, Augmentation.Noise, Augmentation.Blur];

    /// <summary>Grey values.</summary>
    [Parameter("How grey values are scaled, by statistics of each stack: standard has mean 0 and deviation 1; raw divides by the highest level.")]
    public GreyRule Grey { get; init; } = GreyRule.Standard;

    /// <summary>Statistics of each slice.</summary>
    [Parameter("Scales each slice by itself, for images that do not belong together or brightness that jumps.")]
    public bool EachSlice { get; init; }

    /// <summary>Shares of the regions.</summary>
    [Parameter("Shares of the labels for training, validation and test, cut along z (in 3-D along y or x) so that no voxel is in two of them.", Min = 0, Max = 1)]
    public double[] Split { get; init; } = [0.6, 0.2, 0.2];

    /// <summary>Cross-validation.</summary>
    [Parameter("Trains this many times, each time with another part held back for the test, and reports all scores; the model is the best one. 0 trains once.", Min = 0, Max = 20)]
    public int Folds { get; init; }

    /// <summary>Label 0 is a phase.</summary>
    [Parameter("Every voxel is labelled: 0 is a phase too instead of meaning none.")]
    public bool Dense { get; init; }

    /// <summary>The architecture for a specimen.</summary>
    public Architecture Of(int channels, int classes)
    {
        var made = new Architecture { Kind = Architecture, Slices = Slices, Depth = Depth, Residual = Residual, Channels = channels, Classes = classes, Fusion = Fusion, LogVotes = Fusion == Fusion.Late };
        made = made with { Width = Width ?? (made.Is3D ? 16 : 32) };
        made.Check();
        return made;
    }

    /// <summary>Patches of one step.</summary>
    public int BatchOf(Architecture architecture) => Batch ?? (architecture.Is3D ? 1 : 16);

    /// <summary>Refuses parameters that do not go together.</summary>
    /// <exception cref="InputError">The split is none.</exception>
    public void Check()
    {
        if (Split.Length != 3 || Split.Any(share => share < 0) || Split[0] <= 0 || Math.Abs(Split.Sum() - 1) > 0.01)
            throw new InputError($"split is {string.Join(", ", Split)}; give the shares of training, validation and test, like 0.6,0.2,0.2.");
        if (Folds == 1) throw new InputError("folds is 1; give 2 or more parts, or 0 for none.");
    }
}
