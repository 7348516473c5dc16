using Kerf.Imaging;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class FlowTests
{
    private static readonly int[] Kept = [0, 4, 8];

    [Theory]
    [InlineData(0, 0.25)]
    [InlineData(12, 0.6)]
    public void WhatMovesIsMovedAndNotFaded(double noise, double share)
    {
        var (truth, gaps) = (Moving(0, 1), Moving(noise, 1));
        double Error(FillMethod method)
        {
            var filled = Fill(gaps, method, Traversal.Default);
            var (sum, count) = (0.0, 0);
            foreach (var z in (int[])[1, 2, 3, 5, 6, 7])
                for (var y = 12; y < 84; y++)
                    for (var x = 12; x < 100; x++, count++) sum += Math.Pow(filled[z, y, x] - truth[z, y, x], 2);
            return Math.Sqrt(sum / count);
        }
        Assert.InRange(Error(FillMethod.Flow), 0, share * Math.Min(Error(FillMethod.Linear), Error(FillMethod.Cubic)));
    }

    [Fact]
    public void KeptSlicesStayAndThreadsChangeNothing()
    {
        var gaps = Moving(5, 2);
        var (one, three) = (Fill(gaps, FillMethod.Flow, Traversal.Default with { Threads = 1 }), Fill(gaps, FillMethod.Flow, Traversal.Default with { Threads = 3 }));
        Assert.Equal(one.Data, three.Data);
        foreach (var z in Kept) Assert.True(one.Slice(z).SequenceEqual(gaps.Slice(z)));
    }

    [Fact]
    public void LabelsAreRefused()
    {
        var labels = new Volume<byte>(new VolumeInfo(new(3, 20, 20), PixelType.UInt8, null) { Phases = [Phase.Unnamed(1), Phase.Unnamed(2)] });
        Array.Fill(labels.Data, (byte)1);
        labels.Slice(1).Clear();
        var fault = Assert.Throws<InputError>(() => new Fill { Method = FillMethod.Flow }.Run(new StepRun(labels, info => new Volume<byte>(info))));
        Assert.Equal("fill: flow moves and blends grey values, and this volume holds labels. Choose shape.", fault.Message);
    }

    // a texture that moves by 0.9 and −0.7 pixels a plane; planes 0, 4 and 8 are slices
    private static Volume<float> Moving(double noise, ulong seed)
    {
        var volume = new Volume<float>(new VolumeInfo(new(9, 96, 112), PixelType.Float32, null)
        {
            Metadata = new Dictionary<string, string> { [SliceDepths.PlanesKey] = string.Join(',', Kept) },
        });
        for (var z = 0; z < 9; z++)
        {
            var random = new CounterRandom(seed, (ulong)z);
            for (var y = 0; y < 96; y++)
                for (var x = 0; x < 112; x++)
                {
                    var (v, u) = (y - 0.9 * z, x + 0.7 * z);
                    var grey = 100 + 40 * Math.Sin(0.35 * v + 0.11 * u) * Math.Cos(0.3 * u - 0.05 * v) + 30 * Math.Sin(0.09 * v * 1.3 + 0.13 * u);
                    volume[z, y, x] = (float)(grey + noise * random.NextNormal());
                }
        }
        return volume;
    }

    private static Volume<float> Fill(Volume<float> gaps, FillMethod method, Traversal walk)
    {
        var run = new StepRun(gaps, info => new Volume<float>(info)) { Walk = walk };
        new Fill { Method = method }.Run(run);
        return (Volume<float>)run.Target!;
    }
}
