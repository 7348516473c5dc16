using Kerf.Networks;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

/// <summary>Sizes of the networks, and what is refused.</summary>
public class ArchitectureParameterTests
{
    [Fact]
    public void SegNetHasThePapersParameters() => Assert.Equal(331_137, new Architecture { Kind = ArchitectureKind.Segnet }.Build().Parameters);

    [Theory]
    [InlineData(ArchitectureKind.Unet, 4, 8)]
    [InlineData(ArchitectureKind.Unet3d, 3, 4)]
    [InlineData(ArchitectureKind.Vnet, 4, 8)]
    [InlineData(ArchitectureKind.Segnet, 4, 4)]
    public void ExtentsAreMultiplesOfTheHalvings(ArchitectureKind kind, int depth, int multiple) =>
        Assert.Equal(multiple, new Architecture { Kind = kind, Depth = depth, Width = 4 }.Build().Multiple);

    [Fact]
    public void DepthWidthAndResidualChangeTheParameters()
    {
        var plain = new Architecture().Build().Parameters;
        Assert.True(new Architecture { Depth = 3 }.Build().Parameters < plain);
        Assert.True(new Architecture { Width = 16 }.Build().Parameters < plain / 3);
        Assert.True(new Architecture { Residual = true }.Build().Parameters > plain);
    }

    [Fact]
    public void TheSameSeedGivesTheSameNumbers()
    {
        var network = new Architecture { Width = 4 }.Build();
        Assert.Equal(network.Initial(1), network.Initial(1));
        Assert.NotEqual(network.Initial(1)[0], network.Initial(2)[0]);
        // He: the variance of the weights keeps that of the signal
        var deep = network.Slots.Select((slot, i) => (slot, i)).Last(s => s.slot.Name.StartsWith("down3", StringComparison.Ordinal) && s.slot.Shape.Length == 4);
        var values = network.Initial(3)[deep.i];
        Assert.Equal(2.0 / (deep.slot.Count / deep.slot.Shape[0]), values.Average(v => (double)v * v), 1e-3);
    }

    [Theory]
    [InlineData(2, ArchitectureKind.Unet, "slices is 2; allowed: 1, 3, 5, 7 or 9.")]
    [InlineData(3, ArchitectureKind.Vnet, "slices is 3, which only unet takes: 3-D networks see their neighbours anyway.")]
    [InlineData(3, ArchitectureKind.Segnet, "slices is 3, which only unet takes: segnet sees single slices.")]
    public void WrongSlicesAreRefused(int slices, ArchitectureKind kind, string message) =>
        Assert.Equal(message, Assert.Throws<InputError>(() => new Architecture { Kind = kind, Slices = slices }.Build()).Message);

    [Fact]
    public void OtherParametersAreRefused()
    {
        Assert.Contains("depth is 9; allowed: 2 to 6", Assert.Throws<InputError>(() => new Architecture { Depth = 9 }.Build()).Message, StringComparison.Ordinal);
        Assert.Contains("width is 0; allowed: 1 to 256", Assert.Throws<InputError>(() => new Architecture { Width = 0 }.Build()).Message, StringComparison.Ordinal);
        Assert.Contains("1 phases cannot be told apart", Assert.Throws<InputError>(() => new Architecture { Classes = 1 }.Build()).Message, StringComparison.Ordinal);
        Assert.Contains("fusion intermediate is for unet",
            Assert.Throws<InputError>(() => new Architecture { Kind = ArchitectureKind.Vnet, Channels = 2, Fusion = Fusion.Intermediate }.Build()).Message, StringComparison.Ordinal);
    }
}
