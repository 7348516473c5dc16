using Kerf.App;
using Kerf.Simulation;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class ImageStatisticsTests
{
    [Fact]
    public void FindsTheNoiseThatASessionPutIn()
    {
        // two halves of grey 60 and 120, counting noise and detector noise, a lag of 0.15
        var field = new Size3(2, 160, 200);
        var session = Session.Perfect with { ElectronsAtWhite = 300, NoiseSigma = 5, ScanLag = 0.15 };
        var margin = session.Margin([(0, 0)]);
        var scene = new Volume<float>(field + new Size3(0, 2 * margin, 2 * margin));
        for (var i = 0; i < scene.Data.Length; i++) scene.Data[i] = i % scene.Info.Size.X < 80 ? 60 : 120;
        var images = new Volume<byte>(field);
        session.Image(scene, new (double, double)[2], images, null, 4, Traversal.Default);
        var found = ImageStatistics.Of(images, Traversal.Default);
        const double kept = 0.85 * 0.85 + 0.15 * 0.15;
        Assert.InRange(found.Matrix, 117, 123);
        Assert.InRange(found.NoiseVariance[120] / ((255.0 / 300 * 120 + 25) * kept), 0.93, 1.07);
        Assert.InRange(found.NoiseVariance[60] / ((255.0 / 300 * 60 + 25) * kept), 0.93, 1.07);
        Assert.InRange(found.NoiseAlongRow - 0.15 * 0.85 / kept, -0.02, 0.02);
        // the two halves are alike along y at any distance, the noise is not: the same share of the variance at all lags
        Assert.InRange(found.Likeness[1][0] - found.Likeness[1][4], -0.02, 0.02);
        Assert.InRange(found.NextSlice - found.Likeness[1][0], -0.02, 0.02);
        Assert.Equal(1, found.Histogram.Sum(), 9);
    }

    [Fact]
    public void RockHasItsSharesAndOpensAlongGrains()
    {
        var size = new Size3(8, 200, 240);
        var rock = Volume<byte>.Load(VirtualStructure.Make("rock", size, VoxelSize.Cube(10), 0.93, 800, 2, Traversal.Default));
        double Share(byte label) => rock.Data.Count(l => l == label) / (double)rock.Data.Length;
        Assert.InRange(Share(1) + Share(3), 0.0693, 0.0707);
        Assert.InRange(Share(1) / (Share(1) + Share(3)), 0.09, 0.11);
        Assert.InRange(Share(4), 0, 0.002);
        var again = VirtualStructure.Make("rock", size, VoxelSize.Cube(10), 0.93, 800, 2, Traversal.Default with { Threads = 1 });
        var box = new Box(new(3, 20, 30), new(2, 60, 70));
        var (a, b) = (new byte[box.Count], new byte[box.Count]);
        rock.Read(box, a);
        again.Read(box, b);
        Assert.Equal(a, b);
    }
}
