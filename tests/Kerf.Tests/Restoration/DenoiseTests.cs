using Kerf.Imaging;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class DenoiseTests
{
    private static Volume<float> Run(IVolume source, Step step)
    {
        var run = new StepRun(source, info => new Volume<float>(info));
        step.Run(run);
        return (Volume<float>)run.Target!;
    }

    public static TheoryData<Denoise> All() =>
    [
        new Denoise { Method = DenoiseMethod.Gaussian },
        new Denoise { Method = DenoiseMethod.Gaussian, Dimensions = 3 },
        new Denoise { Method = DenoiseMethod.Median },
        new Denoise { Method = DenoiseMethod.Median, Radius = 2, Dimensions = 3 },
        new Denoise { Method = DenoiseMethod.Nlm, SearchRadius = 3, Noise = 8 },
        new Denoise { Method = DenoiseMethod.Nlm, SearchRadius = 2, PatchRadius = 1, Dimensions = 3, Noise = 8 },
        new Denoise { Method = DenoiseMethod.Tv, Lambda = 10, Iterations = 6 },
        new Denoise { Method = DenoiseMethod.Tv, Lambda = 10, Iterations = 6, Dimensions = 3 },
    ];

    [Theory]
    [MemberData(nameof(All))]
    public void ConstantStaysConstant(Denoise step)
    {
        var source = new Volume<float>(new Size3(4, 9, 13));
        source.Data.AsSpan().Fill(77);
        Assert.All(Run(source, step).Data, level => Assert.Equal(77f, level, 1e-3f));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void BlocksAndThreadsDoNotMatter(Denoise step)
    {
        var source = Restored.Texture(new(7, 40, 75), 10);
        Restored.SameForAnyWalk(source, (target, walk) => step.Run(new StepRun(source, _ => target) { Walk = walk }));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void FlipsCommute(Denoise step)
    {
        var source = Restored.Texture(new(5, 14, 21), 10);
        var flipped = new Volume<float>(source.Info.Size, null, [.. source.Data.Reverse()]);
        // sums run the other way, and total variation looks forwards: rounding, and for it the discretisation, may differ
        var tolerance = step.Method == DenoiseMethod.Tv ? 8f : 1e-3f;
        Assert.All(Run(source, step).Data.Zip(Run(flipped, step).Data.Reverse()), pair => Assert.Equal(pair.First, pair.Second, tolerance));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void TypesAgree(Denoise step)
    {
        var source = Restored.Bytes(Restored.Texture(new(4, 12, 15), 10));
        var widened = new Volume<float>(source.Info.Size);
        Grey.Widen<byte>(source.Data, widened.Data);
        var expected = Run(widened, step).Data;
        Assert.Equal(expected, Run(source, step).Data);
        Assert.Equal(expected, Run(Restored.Words(widened), step).Data);
    }

    [Fact]
    public void GaussianAnswersAnImpulseWithASampledGaussian()
    {
        var source = new Volume<float>(new Size3(13, 13, 13), new VoxelSize(20, 10, 5));
        source[6, 6, 6] = 1000;
        var result = Run(source, new Denoise { Method = DenoiseMethod.Gaussian, Dimensions = 3, Sigma = 6 });
        double Tap(int k, double sigma) => Math.Exp(-0.5 * k * k / sigma / sigma) / Enumerable.Range(-5, 11).Sum(j => Math.Abs(j) > (int)(4 * sigma + 0.5) ? 0 : Math.Exp(-0.5 * j * j / sigma / sigma));
        for (var k = 0; k <= 4; k++) Assert.Equal(1000 * Tap(0, 0.3) * Tap(k > 2 ? 2 : k, 0.6) * Tap(k, 1.2), result[6, 6 + (k > 2 ? 2 : k), 6 + k], 1e-3);
        Assert.Equal(1000, result.Data.Sum(), 0.01);
    }

    [Fact]
    public void MedianOfKnownWindows()
    {
        var source = new Volume<byte>(new(1, 3, 3), null, [1, 9, 3, 200, 5, 7, 4, 8, 2]);
        // the corner sees 5 5 200 200 | 9 9 1 …: mirrored window 5 200 5 / 9 1 9 / 5 200 5
        Assert.Equal([5f, 5f], [Run(source, new Denoise { Method = DenoiseMethod.Median })[0, 1, 1], Run(source, new Denoise { Method = DenoiseMethod.Median })[0, 0, 0]]);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0, 3)]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    public void MedianEqualsSorting(int depth, int radius)
    {
        var source = Restored.Texture(new(5, 9, 11), 30);
        var target = new Volume<float>(source.Info.Size);
        MedianDenoising.Filter(source, target, new(depth, radius, radius), Traversal.Default);
        var window = new float[(2 * depth + 1) * (2 * radius + 1) * (2 * radius + 1)];
        for (var z = 0; z < 5; z++)
            for (var y = 0; y < 9; y++)
                for (var x = 0; x < 11; x++)
                {
                    Borders.Read(source, new Box(new(z, y, x), new(1, 1, 1)).Grow(new(depth, radius, radius)), Border.Mirror, window);
                    Assert.Equal(window.Order().ElementAt(window.Length / 2), target[z, y, x]);
                }
    }

    [Fact]
    public void TotalVariationLowersAStepByWhatTheoryPredicts()
    {
        // a step of two halves of width w moves each half by λ/w towards the other
        var source = new Volume<float>(new Size3(1, 8, 16));
        for (var i = 0; i < source.Data.Length; i++) source.Data[i] = i % 16 < 8 ? 50 : 150;
        var result = Run(source, new Denoise { Method = DenoiseMethod.Tv, Lambda = 16, Iterations = 500 });
        Assert.All(result.Data.Select((v, i) => v - (i % 16 < 8 ? 52 : 148)), error => Assert.InRange(error, -0.3, 0.3));
    }

    [Fact]
    public void TakesItsStrengthFromTheNoiseAndSaysSo()
    {
        var source = Restored.Texture(new(3, 60, 60), 9);
        var run = new StepRun(source, info => new Volume<float>(info));
        new Denoise { SearchRadius = 2 }.Run(run);
        Assert.InRange((double)run.Facts["noise"]!, 8, 10);
        Assert.Equal((double)run.Facts["noise"]!, (double)run.Facts["h"]!);
    }

    [Theory]
    [InlineData("sigma is 60 voxels; it must be 0 to 50. Resample the volume for a wider one.")]
    [InlineData("median radius is 0×6×6 voxels; each must be 0 or more, and the window hold at most 1331 voxels (radius 5 in 3-D).")]
    [InlineData("lambda is 0 grey levels; it must be above 0, near the standard deviation of the noise.")]
    [InlineData("iterations is 0; it must be 1 to 500.")]
    [InlineData("voxel size is unknown, and denoise with sigma in nanometres needs it. Give it with --voxel z,y,x (nanometres), or as input.voxel in the recipe.")]
    [InlineData("h is 0 grey levels, and the stack shows no noise to take it from. Set h above 0, or leave the step out.")]
    public void Refuses(string message)
    {
        var source = new Volume<byte>(new Size3(2, 8, 8));
        Denoise step = message.Split(' ')[0] switch
        {
            "sigma" => new() { Method = DenoiseMethod.Gaussian, SigmaVoxels = 60 },
            "median" => new() { Method = DenoiseMethod.Median, Radius = 18 },
            "lambda" => new() { Method = DenoiseMethod.Tv, Lambda = 0 },
            "iterations" => new() { Method = DenoiseMethod.Tv, Lambda = 1, Iterations = 0 },
            "voxel" => new() { Method = DenoiseMethod.Gaussian, Sigma = 5 },
            _ => new() { Method = DenoiseMethod.Nlm },
        };
        Assert.Equal(message.Replace("0×6×6", "0×18×18"), Assert.Throws<InputError>(() => Run(source, step)).Message);
    }
}
