using Kerf.Imaging;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class FillTests
{
    // knots at planes 0, 3, 4, 9, 10 with values 1, 2, 0, 5, 3
    private static readonly (int Plane, float Value)[] Knots = [(0, 1), (3, 2), (4, 0), (9, 5), (10, 3)];

    [Theory]
    // scipy.interpolate.CubicSpline(..., bc_type="natural") at 1, 2, 5, 6, 7, 8; scipy 1.10
    [InlineData(FillMethod.Cubic, new[] { 1, 2.26572104, 2.8321513, 2, 0, -0.21191489, 1.2706383, 3.35914894, 4.96510638, 5, 3 })]
    [InlineData(FillMethod.Linear, new[] { 1, 4 / 3.0, 5 / 3.0, 2, 0, 1, 2, 3, 4, 5, 3 })]
    [InlineData(FillMethod.Nearest, new[] { 1.0, 1, 2, 2, 0, 0, 0, 5, 5, 5, 3 })]
    public void GreyPlanesFollowTheirLaw(FillMethod method, double[] expected)
    {
        var stack = Stack(Knots);
        var filled = (Volume<float>)Run(stack, new Fill { Method = method }).Target!;
        for (var z = 0; z < expected.Length; z++)
            Assert.All(filled.Slice(z).ToArray(), value => Assert.Equal(expected[z], value, 1e-6));
    }

    [Fact]
    public void AnotherPlaneDistanceSamplesTheSameCurve()
    {
        var coarse = (Volume<float>)Run(Stack(Knots), new Fill()).Target!;
        var fine = (Volume<float>)Run(Stack(Knots), new Fill { To = 2.5 }).Target!;
        Assert.Equal(41, fine.Info.Size.Z);
        for (var z = 0; z < 11; z++) Assert.Equal(coarse[z, 1, 1], fine[4 * z, 1, 1], 1e-5f);
    }

    [Theory]
    [InlineData(FillMethod.Linear)]
    [InlineData(FillMethod.Cubic)]
    [InlineData(FillMethod.Shape)]
    public void ASlantedRodMovesInsteadOfFading(FillMethod method)
    {
        // a rod of radius 6 voxels whose centre moves one voxel a plane; slices at uneven planes
        Volume<byte> truth = Rod(49), gaps = Rod(49);
        int[] planes = [0, 3, 8, 12, 17, 20, 25, 29, 32, 37, 41, 44, 48];
        for (var z = 0; z < 49; z++)
            if (!planes.Contains(z)) gaps.Slice(z).Clear();
        var filled = (Volume<byte>)Run(gaps, new Fill { Method = method }).Target!;
        var nearest = (Volume<byte>)Run(gaps, new Fill { Method = FillMethod.Nearest }).Target!;
        Assert.True(Wrong(filled, truth) < Wrong(nearest, truth));
        if (method == FillMethod.Shape) Assert.InRange(Wrong(filled, truth), 0, 0.2 * Wrong(nearest, truth));
        foreach (var z in planes) Assert.True(filled.Slice(z).SequenceEqual(truth.Slice(z)));
    }

    [Fact]
    public void ThreePhasesKeepTheirLabels()
    {
        var stack = Layers(new(9, 24, 24));
        for (var z = 0; z < 9; z++)
            if (z % 4 != 0) stack.Slice(z).Clear();
        var filled = (Volume<byte>)Run(stack, new Fill { Method = FillMethod.Shape }).Target!;
        Assert.Equal(Layers(new(9, 24, 24)).Data, filled.Data);
    }

    [Fact]
    public void SmallHolesAreClosedAfterASpline()
    {
        var plane = new byte[100];
        Array.Fill(plane, (byte)2);
        plane[44] = plane[45] = 1;
        for (var x = 0; x < 10; x++) plane[x] = 1;
        PlaneHoles.Close(plane, 10, 10, 20);
        Assert.Equal(2, plane[44]);
        Assert.Equal(1, plane[3]);
        plane[44] = 1;
        PlaneHoles.Close(plane, 10, 10, 1);
        Assert.Equal(1, plane[44]);
    }

    [Fact]
    public void DistancesInAPlaneAreExact()
    {
        const int height = 23, width = 31;
        var random = new CounterRandom(3, 0);
        var plane = new byte[height * width];
        for (var i = 0; i < plane.Length; i++) plane[i] = (byte)(random.NextFloat() < 0.06 ? 2 : 1);
        var field = PlaneDistance.Saturated(plane, 2, height, width, 3, 2, 10);
        for (var i = 0; i < plane.Length; i++)
        {
            var nearest = Enumerable.Range(0, plane.Length).Where(j => plane[j] != plane[i])
                .Min(j => Math.Sqrt(9.0 * (i / width - j / width) * (i / width - j / width) + 4.0 * (i % width - j % width) * (i % width - j % width))) - 1;
            Assert.Equal((plane[i] == 2 ? 1 : -1) * nearest / Math.Sqrt(nearest * nearest + 100), field[i], 1e-6);
        }
    }

    [Theory]
    [InlineData(FillMethod.Cubic)]
    [InlineData(FillMethod.Shape)]
    public void ThreadsAndMemoryDoNotShow(FillMethod method)
    {
        var gaps = Rod(49);
        for (var z = 0; z < 49; z++)
            if (z % 5 != 0) gaps.Slice(z).Clear();
        var one = (Volume<byte>)Run(gaps, new Fill { Method = method }, new() { Threads = 1 }).Target!;
        var four = (Volume<byte>)Run(gaps, new Fill { Method = method }, new() { Threads = 4 }).Target!;
        var tight = (Volume<byte>)Run(gaps, new Fill { Method = method }, new() { Threads = 4, MemoryBytes = 600_000 }).Target!;
        Assert.Equal(one.Data, four.Data);
        Assert.Equal(one.Data, tight.Data);
    }

    [Fact]
    public void WhatCannotBeFilledIsRefused()
    {
        var empty = new Volume<byte>(new Size3(3, 4, 4), VoxelSize.Cube(1));
        Assert.Contains("every plane is empty", Assert.Throws<InputError>(() => Run(empty, new Fill())).Message, StringComparison.Ordinal);
        Assert.Contains("this volume holds grey values", Assert.Throws<InputError>(() => Run(Stack(Knots), new Fill { Method = FillMethod.Shape })).Message, StringComparison.Ordinal);
        Assert.Contains("memory budget of 0 MiB is too small", Assert.Throws<InputError>(() => Run(Stack(Knots), new Fill(), new() { MemoryBytes = 100 })).Message, StringComparison.Ordinal);
    }

    private static Volume<float> Stack((int Plane, float Value)[] knots)
    {
        var metadata = new Dictionary<string, string> { [SliceDepths.PlanesKey] = SliceDepths.Join(knots.Select(k => k.Plane)) };
        var stack = new Volume<float>(new VolumeInfo(new(11, 3, 4), PixelType.Float32, new VoxelSize(10, 5, 5)) { Metadata = metadata });
        foreach (var (plane, value) in knots) stack.Slice(plane).Fill(value);
        return stack;
    }

    private static Volume<byte> Rod(int planes)
    {
        var rod = new Volume<byte>(new VolumeInfo(new(planes, 40, 80), PixelType.UInt8, VoxelSize.Cube(2.5)) { Phases = [Phase.Unnamed(1), Phase.Unnamed(2)] });
        for (var z = 0; z < planes; z++)
            for (var y = 0; y < 40; y++)
                for (var x = 0; x < 80; x++) rod[z, y, x] = (byte)((y - 20) * (y - 20) + (x - 16 - z) * (x - 16 - z) <= 36 ? 2 : 1);
        return rod;
    }

    private static Volume<byte> Layers(Size3 size)
    {
        var layers = new Volume<byte>(new VolumeInfo(size, PixelType.UInt8, VoxelSize.Cube(5)) { Phases = [Phase.Unnamed(1), Phase.Unnamed(2), Phase.Unnamed(3)] });
        for (var i = 0; i < layers.Data.Length; i++) layers.Data[i] = (byte)(1 + i % size.X / 8);
        return layers;
    }

    private static int Wrong(Volume<byte> a, Volume<byte> b) => a.Data.Zip(b.Data, (p, q) => p == q ? 0 : 1).Sum();

    private static StepRun Run(IVolume source, Step step, Traversal? walk = null)
    {
        var run = new StepRun(source, info => info.Type == PixelType.Float32 ? new Volume<float>(info) : new Volume<byte>(info)) { Walk = walk ?? Traversal.Default };
        step.Run(run);
        return run;
    }
}
