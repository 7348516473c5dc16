using Kerf.Simulation;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class StructureTests
{
    private static readonly VoxelSize Voxel = new(10, 5, 5);
    private static readonly Traversal Walk = Traversal.Default;

    private static Volume<byte> Make(string kind, Size3 size, double solid, double wavelength, ulong seed = 1) =>
        Volume<byte>.Load(VirtualStructure.Make(kind, size, Voxel, solid, wavelength, seed, Walk));

    [Theory]
    [InlineData("levelled-wave", 0.3, 120)]
    [InlineData("levelled-wave", 0.12, 120)]
    [InlineData("hierarchical", 0.12, 400)]
    [InlineData("random-pores", 0.4, 100)]
    [InlineData("stretched-spheres", 0.3, 100)]
    [InlineData("electrode", 0.7, 150)]
    public void HasTheSolidFractionAskedFor(string kind, double solid, double wavelength)
    {
        var labels = Make(kind, new(40, 128, 128), solid, wavelength);
        var found = labels.Data.Count(l => l >= 2) / (double)labels.Data.Length;
        Assert.InRange(found / solid, 0.99, 1.01);
        Assert.DoesNotContain((byte)0, labels.Data);
        Assert.NotNull(labels.Info.Phases);
    }

    [Fact]
    public void AParticleHasItsFractionInsideItsBall()
    {
        var labels = Make("particle", new(50, 100, 100), 0.66, 40);
        double inside = 0, solid = 0;
        for (var z = 0; z < 50; z++)
            for (var y = 0; y < 100; y++)
                for (var x = 0; x < 100; x++)
                {
                    double dz = z * 10 - 250, dy = y * 5 - 250, dx = x * 5 - 250;
                    if (dz * dz + dy * dy + dx * dx > 225 * 225) Assert.Equal(1, labels[z, y, x]);
                    else (inside, solid) = (inside + 1, solid + (labels[z, y, x] == 2 ? 1 : 0));
                }
        Assert.InRange(solid / inside / 0.66, 0.99, 1.01);
    }

    [Fact]
    public void AWaveHasItsWavelengthAlongEachAxis()
    {
        // a Gaussian field of one wavelength has the autocorrelation sin(kr)/kr: cut at its median it first falls below ½ + 0 at r = λ/2
        var labels = Make("levelled-wave", new(80, 160, 160), 0.5, 120);
        foreach (var (axis, voxels) in new[] { (0, 6), (1, 12), (2, 12) })
        {
            // covariance at λ/2 is zero, below it at 0.72 λ (minimum of the sinc)
            Assert.InRange(Covariance(labels, axis, voxels), -0.03, 0.03);
            Assert.InRange(Covariance(labels, axis, voxels / 2), 0.08, 0.16);
        }
    }

    private static double Covariance(Volume<byte> v, int axis, int lag)
    {
        var size = v.Info.Size;
        double sum = 0, count = 0;
        for (var z = 0; z < size.Z - (axis == 0 ? lag : 0); z++)
            for (var y = 0; y < size.Y - (axis == 1 ? lag : 0); y++)
                for (var x = 0; x < size.X - (axis == 2 ? lag : 0); x++, count++)
                    sum += (v[z, y, x] - 1.5) * (v[z + (axis == 0 ? lag : 0), y + (axis == 1 ? lag : 0), x + (axis == 2 ? lag : 0)] - 1.5);
        return sum / count;
    }

    [Fact]
    public void StretchedSpheresGrowLongerAlongZOnly()
    {
        var labels = Make("stretched-spheres", new(200, 80, 80), 0.25, 200);
        double Runs(int axis)
        {
            long solid = 0, starts = 0;
            for (var z = 1; z < 200; z++)
                for (var y = 1; y < 80; y++)
                    for (var x = 1; x < 80; x++)
                    {
                        if (labels[z, y, x] == 1) continue;
                        solid++;
                        if (labels[z - (axis == 0 ? 1 : 0), y - (axis == 1 ? 1 : 0), x - (axis == 2 ? 1 : 0)] == 1) starts++;
                    }
            return (double)solid / starts * Voxel[axis];
        }
        Assert.InRange(Runs(1) / Runs(2), 0.97, 1.03);
        Assert.InRange(Runs(0) / Runs(2), 1.2, 3);
    }

    [Fact]
    public void SelfSimilarIsSolidOnlyWhereTheStackIs()
    {
        var stack = Make("levelled-wave", new(32, 64, 64), 0.5, 150);
        var made = Volume<byte>.Load(VirtualStructure.SelfSimilar(stack, stack.Info.Size, Voxel));
        for (var i = 0; i < made.Data.Length; i++) Assert.True(made.Data[i] <= stack.Data[i]);
        Assert.InRange(made.Data.Count(l => l == 2) / (double)made.Data.Length, 0.15, 0.35);
    }

    [Fact]
    public void SameBytesForAnyThreadsAndBoxes()
    {
        var size = new Size3(12, 40, 40);
        var one = Volume<byte>.Load(VirtualStructure.Make("hierarchical", size, Voxel, 0.2, 300, 7, Walk with { Threads = 1 }));
        var three = VirtualStructure.Make("hierarchical", size, Voxel, 0.2, 300, 7, Walk with { Threads = 3 });
        var box = new Box(new(3, 7, 9), new(4, 20, 21));
        var (a, b) = (new byte[box.Count], new byte[box.Count]);
        one.Read(box, a);
        three.Read(box, b);
        Assert.Equal(a, b);
        Assert.NotEqual(one.Data, Make("hierarchical", size, 0.2, 300, 8).Data);
    }

    [Theory]
    [InlineData("foam", 0.3, 100, "there is no structure \"foam\"; choose one of levelled-wave, hierarchical, self-similar, random-pores, stretched-spheres, electrode, particle, rock.")]
    [InlineData("levelled-wave", 1, 100, "solid fraction is 1; choose 0.001 to 0.999.")]
    [InlineData("levelled-wave", 0.3, 6, "wavelength is 6 nm; choose two voxels (10 nm) to 1000000 nm.")]
    public void Refuses(string kind, double solid, double wavelength, string message) =>
        Assert.Equal(message, Assert.Throws<InputError>(() => Make(kind, new(8, 16, 16), solid, wavelength)).Message);
}
