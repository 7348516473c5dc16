using Kerf.Microstructure;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class UserVarianceTests
{
    private static readonly Size3 Size = new(2, 1, 5);

    private static Volume<byte> User(params byte[] labels) => new(Size, null, labels);

    [Fact]
    public void ThreeUsersByHand()
    {
        Volume<byte>[] users = [User(1, 1, 1, 1, 1, 2, 2, 2, 2, 2), User(1, 1, 1, 1, 2, 2, 2, 2, 2, 2), User(1, 1, 1, 1, 1, 1, 1, 2, 2, 2)];
        Volume<byte>[] images = [new(Size), new(Size), new(Size)];
        var found = UserVariance.Of(users, false, images, Traversal.Default);
        Assert.Equal([0.5, 0.4, 0.7], found.Phases[0].Fractions);
        Assert.Equal(Math.Sqrt((0.0011111111111 + 0.0177777777778 + 0.0277777777778) / 2), found.Phases[0].StandardDeviation, 9);
        Assert.Equal([10.0, 20.0, 30.0], found.Pairs.Select(p => p.Percent));
        Assert.Equal(20, found.MeanDifference, 12);
        Assert.Equal(new byte[] { 0, 0, 0, 0, 255, 0, 0, 0, 0, 0 }, images[0].Data);
        Assert.Equal(new byte[] { 0, 0, 0, 0, 255, 255, 255, 0, 0, 0 }, images[2].Data);
    }

    [Fact]
    public void VoxelsThatBothLeaveOutAreNotCounted()
    {
        var found = UserVariance.Of([User(0, 0, 1, 1, 1, 1, 2, 2, 2, 2), User(0, 0, 1, 1, 1, 1, 1, 2, 2, 0)], false, null, Traversal.Default);
        Assert.Equal(25, found.MeanDifference, 12);
        Assert.Equal([0.5, 5.0 / 7], found.Phases[0].Fractions);
        // masks need no word
        Assert.Equal([0.8, 0.7], UserVariance.Of([User(0, 0, 1, 1, 1, 1, 1, 1, 1, 1), User(0, 0, 0, 1, 1, 1, 1, 1, 1, 1)], false, null, Traversal.Default).Phases[1].Fractions);
    }

    [Fact]
    public void RefusesWhatCannotBeCompared()
    {
        var one = User(1, 1, 1, 1, 1, 2, 2, 2, 2, 2);
        Assert.Equal("compare: 1 segmentation given; user variance needs two or more.",
            Assert.Throws<InputError>(() => UserVariance.Of([one], false, null, Traversal.Default)).Message);
        Assert.Equal("compare: segmentation 2 is 1×1×1 voxels, the first 2×1×5; give volumes on one grid.",
            Assert.Throws<InputError>(() => UserVariance.Of([one, new Volume<byte>(new Size3(1, 1, 1))], false, null, Traversal.Default)).Message);
        Assert.Equal("compare: every voxel of segmentation 2 is 0 (not labelled); leave it out, or add --dense if 0 is a class.",
            Assert.Throws<InputError>(() => UserVariance.Of([one, new Volume<byte>(Size)], false, null, Traversal.Default)).Message);
    }
}
