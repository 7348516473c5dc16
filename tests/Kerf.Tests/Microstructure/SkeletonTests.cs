using Kerf.Microstructure;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class SkeletonTests
{
    private static double Square(double a) => a * a;

    [Theory]
    [InlineData("5,5,5")]
    [InlineData("10,5,5")]
    public void AGridOfRodsHasItsLigamentsAndJunctions(string voxel)
    {
        // rods of radius 20 along z, y and x through nodes 120 apart: 3×3×3 nodes, 54 ligaments of 120, 54 free ends. Those run to the border.
        var edge = VoxelSize.Parse(voxel);
        static double Off(double a) => Math.Abs(((a % 120) + 120) % 120 - 60);
        var mask = ThicknessTests.Phantom(new((int)(360 / edge.Z), 72, 72), edge, (z, y, x) =>
            Square(Off(z)) + Square(Off(y)) < 400 || Square(Off(z)) + Square(Off(x)) < 400 || Square(Off(y)) + Square(Off(x)) < 400);
        var measured = Skeleton.Of(PhaseMask.Of(mask, "1", "skeleton", new()), new(), 1);
        double Value(string name) => measured.Measurements.Single(m => m.Name == name).Value;
        const double Volume = 360.0 * 360 * 360;
        Assert.Equal(27, Value("junctionDensity") * Volume, 1e-6);
        Assert.Equal(54, Value("ligamentDensity") * Volume, 1e-6);
        Assert.Equal(6, Value("junctionCoordination"), 1e-9);
        // measured from junction voxel to junction voxel: shorter by the extent of a junction
        Assert.InRange(Value("meanLigamentLength"), 105, 125);
        Assert.Equal(measured.Curves[0].X.Length, measured.Tables[0].Rows.Count(row => row[1] == 2));
    }

    [Fact]
    public void ARingStaysARingAndABallAPoint()
    {
        var ring = ThicknessTests.Phantom(new(20, 60, 60), VoxelSize.Cube(5), (z, y, x) => Square(Math.Sqrt(Square(y - 150) + Square(x - 150)) - 100) + Square(z - 50) < 30 * 30);
        var branch = Assert.Single(Skeleton.Of(PhaseMask.Of(ring, "1", "skeleton", new()), new(), 1).Tables[0].Rows);
        Assert.Equal(0, branch[1]);
        // voxel paths are longer than the circle, by up to 8 %, and the last step is not in it
        Assert.InRange(branch[0] / (2 * Math.PI * 100), 0.95, 1.1);
        var ball = ThicknessTests.Phantom(new(40, 40, 40), VoxelSize.Cube(5), (z, y, x) => Square(z - 100) + Square(y - 101) + Square(x - 99) < 60 * 60);
        Assert.InRange(Assert.Single(Skeleton.Of(PhaseMask.Of(ball, "1", "skeleton", new()), new(), 1).Tables[0].Rows)[0], 0, 30);
    }

    [Fact]
    public void RefusalsSayWhatAndHow()
    {
        var mask = new Volume<byte>(new Size3(64, 64, 64));
        mask.Data[0] = 1;
        Assert.Equal("skeleton: 64×64×64 voxels need 3 MiB, the memory budget is 1 MiB. Raise --memory (2³¹ voxels at most), or resample the volume.",
            Assert.Throws<InputError>(() => new Skeleton().Run(mask, new() { MemoryBytes = 1 << 20 }, 1)).Message);
    }
}
