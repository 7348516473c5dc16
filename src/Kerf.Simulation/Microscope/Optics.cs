using Kerf.Volumes;

namespace Kerf.Simulation;

/// <summary>How a scene becomes the pixels of an image, before any artefact.</summary>
internal static class Optics
{
    /// <summary>Pixels over which the point spread reaches.</summary>
    public static int Reach(double pointSpread) => (int)Math.Ceiling(4 * pointSpread) + 1;

    /// <summary>
    /// The scene under a Gaussian point spread, seen through a window whose content is displaced by <paramref name="shift"/>. The point spread is
    /// sampled at the displaced positions themselves, so a displacement by a fraction of a pixel costs no interpolation error.
    /// </summary>
    public static void Expose(
        ReadOnlySpan<float> scene, Size3 canvas, Size3 field, (int Y, int X) origin, double pointSpread, (double Y, double X) shift, Span<float> image)
    {
        var (firstY, tapsY) = Taps(pointSpread, -shift.Y);
        var (firstX, tapsX) = Taps(pointSpread, -shift.X);
        var rows = field.Y + tapsY.Length - 1;
        var across = new float[rows * field.X];
        for (var y = 0; y < rows; y++)
        {
            var row = across.AsSpan(y * field.X, field.X);
            var line = scene.Slice((origin.Y + firstY + y) * canvas.X + origin.X + firstX, field.X + tapsX.Length - 1);
            for (var k = 0; k < tapsX.Length; k++)
                for (var x = 0; x < row.Length; x++) row[x] += tapsX[k] * line[x + k];
        }
        image.Clear();
        for (var y = 0; y < field.Y; y++)
        {
            var row = image.Slice(y * field.X, field.X);
            for (var k = 0; k < tapsY.Length; k++)
            {
                var line = across.AsSpan((y + k) * field.X, field.X);
                for (var x = 0; x < row.Length; x++) row[x] += tapsY[k] * line[x];
            }
        }
    }

    // the weights of pixels first, first + 1, … for a point at offset from pixel 0; they sum to 1
    private static (int First, float[] Taps) Taps(double sigma, double offset)
    {
        var whole = (int)Math.Floor(offset);
        var reach = Reach(sigma);
        var taps = new double[2 * reach];
        for (var i = 0; i < taps.Length; i++)
        {
            var d = i - reach + 1 - (offset - whole);
            // without a point spread a shift by part of a pixel is linear between two
            taps[i] = sigma > 0 ? Math.Exp(-d * d / (2 * sigma * sigma)) : 1 - Math.Abs(d);
        }
        var sum = taps.Sum();
        return (whole - reach + 1, [.. taps.Select(t => (float)(t / sum))]);
    }
}
