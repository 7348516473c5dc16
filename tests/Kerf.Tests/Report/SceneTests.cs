using Kerf.App;
using Kerf.Microstructure;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public sealed class SceneTests
{
    private static readonly VoxelSize Extent = new(100, 100, 100);

    [Fact]
    public void ABallIsSeenInItsColourBeforeTheGround()
    {
        var scene = new Scene("ball", "A ball <1>", "diameter", "nm", Extent, "nm") { Bodies = Ball(40, 14, 7) };
        var colours = new ColourScale(6, 7, false);
        var pixels = new SceneView(scene, 120, 100).Draw(colours, new());
        Assert.Equal(pixels, new SceneView(scene, 120, 100).Draw(colours, new() { Threads = 3 }));
        var (r, g, b) = Pixel(pixels, 60, 50);
        // yellow, the top of the scale, under light from above the viewer's left
        Assert.True(r > 90 && g > 80 && b < 120, $"{r} {g} {b}");
        Assert.Equal((246, 245, 242), Pixel(pixels, 2, 2));
        // lit from above: the top is brighter than the bottom; edges of the frame pass neither
        var (top, bottom) = (Pixel(pixels, 60, 34), Pixel(pixels, 68, 62));
        Assert.True(top.G > bottom.G + 20, $"{top} {bottom}");
        var figure = SceneFigure.Draw(scene, new());
        Assert.StartsWith("<svg xmlns=", figure.TrimStart(), StringComparison.Ordinal);
        Assert.Contains("A ball &lt;1&gt;", figure, StringComparison.Ordinal);
    }

    [Fact]
    public void LinesShowThroughTheirSettingAndKeepTheirDepth()
    {
        // one line straight at the middle; the setting around it is a veil only
        var line = new SceneLine([(50, 50, 5), (50, 50, 95)], [1, 1]);
        var near = new SceneLine([(20, 50, 5), (20, 50, 95)], [2, 2]);
        var scene = new Scene("lines", "Lines", "length", "nm", Extent, "nm") { Bodies = Ball(40, 14, 1), Lines = [line, near] };
        var pixels = new SceneView(scene, 240, 200).Draw(new(1, 2, false), new() { Threads = 2 });
        var (r, g, b) = Pixel(pixels, 120, 100);
        Assert.True(r < 140 && b > g, $"{r} {g} {b}");
        Assert.Contains(Enumerable.Range(0, 240 * 200), i => pixels[3 * i] > 150 && pixels[3 * i + 2] < 100);
    }

    [Fact]
    public void ScalesSpreadAllValues()
    {
        var scale = new ColourScale(1, 100, true);
        Assert.Equal(10, scale.Value(0.5), 1e-9);
        Assert.Equal(ColourScale.At(0.5), scale.Of(10));
        Assert.Equal("#440154", ColourScale.Css(0));
        Assert.Equal("#fde725", ColourScale.Css(1));
    }

    [Fact]
    public void MeasuresLeaveScenes()
    {
        var volume = KnownStructures.Where(new(24, 24, 24), VoxelSize.Cube(5), (z, y, x) => Math.Abs(z - 40) < 15 && Math.Abs(y - 60) < 15 && Math.Abs(x - 60) < 15);
        var particles = Assert.Single(new Particles { Phase = "1" }.Run(volume, new(), 1).Scenes);
        Assert.Equal(216, particles.Bodies.Data.Count(value => !float.IsNaN(value)));
        Assert.Equal(Math.Cbrt(6 * 216 * 125 / Math.PI), particles.Bodies[8, 12, 12], 0.001);
        var ways = new Paths { Phase = "2", Count = 9 }.Run(volume, new(), 1).Scenes;
        Assert.Equal(["paths-density", "paths-length"], ways.Select(scene => scene.Name));
        Assert.All(ways, scene => Assert.Equal(9, scene.Lines.Count));
        Assert.Equal(115, ways[1].Lines[0].Values[0], 60.0);
    }

    private static (int R, int G, int B) Pixel(byte[] pixels, int x, int y)
    {
        var at = 3 * (y * (pixels.Length == 3 * 120 * 100 ? 120 : 240) + x);
        return (pixels[at], pixels[at + 1], pixels[at + 2]);
    }

    private static Volume<float> Ball(int edge, double radius, float value) => Scene.Sample(new(Size3.Cube(edge), PixelType.UInt8, VoxelSize.Cube(1)), (z, slice) =>
    {
        for (var i = 0; i < slice.Length; i++)
        {
            var (dz, dy, dx) = (z + 0.5 - edge / 2.0, i / edge + 0.5 - edge / 2.0, i % edge + 0.5 - edge / 2.0);
            slice[i] = dz * dz + dy * dy + dx * dx <= radius * radius ? value : float.NaN;
        }
    });
}
