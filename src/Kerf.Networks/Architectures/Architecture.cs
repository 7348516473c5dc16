using System.ComponentModel;
using Kerf.Volumes;

namespace Kerf.Networks;

/// <summary>The networks that can be trained.</summary>
public enum ArchitectureKind
{
    /// <summary>U-Net on single slices, or on several adjacent ones as channels. Ronneberger et al. 2015, doi:10.1007/978-3-319-24574-4_28.</summary>
    Unet,

    /// <summary>3-D U-Net. Çiçek et al. 2016, doi:10.1007/978-3-319-46723-8_49.</summary>
    Unet3d,

    /// <summary>V-Net: residual stages of 5×5×5 convolutions, strided instead of pooled. Milletari et al. 2016, doi:10.1109/3DV.2016.79.</summary>
    Vnet,

    /// <summary>3-D U-Net with residual blocks.</summary>
    Resunet3d,

    /// <summary>The small encoder and decoder for cathode particles, 331,137 parameters.</summary>
    Segnet,

    /// <summary>Fills planes between slices: a chain of convolutions, all of it read by a small network, joined with an interpolation. Sardhara et al. 2024, doi:10.1016/j.ultramic.2023.113878.</summary>
    [Browsable(false)]
    Inpaint,
}

/// <summary>How several channels (voltages, detectors) are brought together.</summary>
public enum Fusion
{
    /// <summary>As channels of the input.</summary>
    Early,

    /// <summary>A branch of the encoder each, features concatenated.</summary>
    Intermediate,

    /// <summary>A trained network each, probabilities concatenated into a 1×1 convolution.</summary>
    Late,

    /// <summary>A trained network each, probabilities added with fitted weights.</summary>
    Vote,
}

/// <summary>A network by its parameters. <see cref="Build"/> makes the layers.</summary>
public sealed record Architecture
{
    /// <summary>Which one.</summary>
    public ArchitectureKind Kind { get; init; }

    /// <summary>Adjacent slices that a 2-D network sees, the middle one being segmented.</summary>
    public int Slices { get; init; } = 1;

    /// <summary>Blocks of the encoder, the lowest one included.</summary>
    public int Depth { get; init; } = 4;

    /// <summary>Features of the first block; they double from block to block.</summary>
    public int Width { get; init; } = 32;

    /// <summary>Residual blocks.</summary>
    public bool Residual { get; init; }

    /// <summary>Channels of the specimen: detectors or voltages.</summary>
    public int Channels { get; init; } = 1;

    /// <summary>Phases.</summary>
    public int Classes { get; init; } = 2;

    /// <summary>How channels come together.</summary>
    public Fusion Fusion { get; init; }

    /// <summary>True where a late fusion weighs the logarithms of its members' probabilities, as those do that are trained now; false where the probabilities themselves.</summary>
    public bool LogVotes { get; init; }

    /// <summary>True for networks that see the volume, false for those that see slices.</summary>
    public bool Is3D => Kind is ArchitectureKind.Unet3d or ArchitectureKind.Vnet or ArchitectureKind.Resunet3d;

    /// <summary>True for a fusion of networks that are trained each for itself first.</summary>
    public bool IsEnsemble => Channels > 1 && Fusion is (Fusion.Late or Fusion.Vote);

    /// <summary>The architecture of one member of an ensemble.</summary>
    public Architecture OfMember() => this with { Channels = 1, Fusion = Fusion.Early, LogVotes = false };

    /// <summary>Refuses what cannot be built.</summary>
    /// <exception cref="InputError">Which parameter, and what is allowed.</exception>
    public void Check()
    {
        if (Slices is not (1 or 3 or 5 or 7 or 9)) throw new InputError($"slices is {Slices}; allowed: 1, 3, 5, 7 or 9.");
        if (Slices > 1 && Kind != ArchitectureKind.Unet) throw new InputError($"slices is {Slices}, which only unet takes: {(Is3D ? "3-D networks see their neighbours anyway" : "segnet sees single slices")}.");
        if (Depth is < 2 or > 6) throw new InputError($"depth is {Depth}; allowed: 2 to 6 encoder blocks.");
        if (Width is < 1 or > 256) throw new InputError($"width is {Width}; allowed: 1 to 256 features.");
        if (Classes is < 2 or > 32) throw new InputError($"{Classes} phases cannot be told apart by a network; allowed: 2 to 32.");
        if (Channels is < 1 or > 16) throw new InputError($"{Channels} channels are too many; allowed: 1 to 16.");
        if (Channels > 1 && Fusion == Fusion.Intermediate && Kind is (ArchitectureKind.Vnet or ArchitectureKind.Segnet or ArchitectureKind.Inpaint))
            throw new InputError("fusion intermediate is for unet, unet3d and resunet3d; choose early, late or vote.");
    }

    /// <summary>The layers.</summary>
    /// <exception cref="InputError">As <see cref="Check"/>.</exception>
    public Network Build()
    {
        Check();
        var builder = new NetworkBuilder(Is3D ? 3 : 2, Channels * Slices);
        if (IsEnsemble) Ensemble(builder);
        else Single(builder, 0);
        return builder.Build();
    }

    private int Single(NetworkBuilder builder, int image) => Kind switch
    {
        ArchitectureKind.Vnet => Architectures.VNet(builder, this, image),
        ArchitectureKind.Segnet => Architectures.SegNet(builder, this, image),
        ArchitectureKind.Inpaint => Architectures.Inpaint(builder, this, image),
        _ => Architectures.UNet(builder, this, image),
    };

    private void Ensemble(NetworkBuilder builder)
    {
        builder.Frozen = true;
        var votes = new int[Channels];
        for (var c = 0; c < Channels; c++)
        {
            builder.Prefix = $"channel{c}.";
            var image = builder.Narrow(0, c * Slices, Slices, "image");
            votes[c] = builder.Softmax(OfMember().Single(builder, image), "softmax");
        }
        (builder.Prefix, builder.Frozen) = ("", false);
        if (Fusion == Fusion.Vote)
        {
            builder.Log(builder.Blend("vote", votes), "logits");
            return;
        }
        var all = builder.Concat("votes", votes);
        builder.Conv(LogVotes ? builder.Log(all, "log votes") : all, Classes, "ensemble", kernel: 1, bias: true, gain: 1);
    }
}
