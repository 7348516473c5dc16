using Kerf.Volumes;

namespace Kerf.Simulation;

/// <summary>
/// Images whose edges between phases are blurred and nothing else is (T-III, 2.2.2): simulated edges are sharper than real ones, while a blur of all
/// would take the noise away. image·(1 − m) + blurred·m, where m is 1 at an edge of the labels and falls off as the same Gaussian.
/// </summary>
/// <param name="images">Greys.</param>
/// <param name="labels">What the images show, of the same size.</param>
/// <param name="sigma">Standard deviation in pixels; beyond the border the outermost pixel goes on.</param>
public sealed class BlurredEdges(IVolume<float> images, IVolume<byte> labels, double sigma) : IVolume<float>
{
    private readonly float[] _taps = Taps(sigma);

    /// <inheritdoc/>
    public VolumeInfo Info => images.Info;

    /// <inheritdoc/>
    public void Read(Box box, Span<float> target)
    {
        var size = Info.Size;
        var count = (int)size.SliceCount;
        var (image, mask, blurred, phases) = (new float[count], new float[count], new float[count], new byte[count]);
        // an edge is two pixels wide: one on either side
        var peak = (float)(2 / (Math.Sqrt(2 * Math.PI) * sigma));
        for (var z = box.Start.Z; z < box.End.Z; z++)
        {
            var slice = Box.Slice(size, z);
            images.Read(slice, image);
            labels.Read(slice, phases);
            Edges(phases, size, mask);
            Blur(mask, mask, size);
            Blur(image, blurred, size);
            for (var i = 0; i < count; i++)
            {
                var m = Math.Min(1, mask[i] / Math.Min(1, peak));
                image[i] += m * (blurred[i] - image[i]);
            }
            Rows.Copy(image, slice, target, box, box.Intersect(slice));
        }
    }

    private static void Edges(byte[] labels, Size3 size, float[] mask)
    {
        Array.Clear(mask);
        void Compare(int a, int b)
        {
            if (labels[a] != labels[b]) mask[a] = mask[b] = 1;
        }
        for (var y = 0; y < size.Y; y++)
        {
            for (var x = 0; x < size.X; x++)
            {
                var at = y * size.X + x;
                if (x > 0) Compare(at, at - 1);
                if (y > 0) Compare(at, at - size.X);
            }
        }
    }

    private void Blur(float[] from, float[] to, Size3 size)
    {
        var reach = _taps.Length / 2;
        var across = new float[from.Length];
        for (var y = 0; y < size.Y; y++)
        {
            for (var x = 0; x < size.X; x++)
            {
                var sum = 0f;
                for (var k = -reach; k <= reach; k++) sum += _taps[k + reach] * from[y * size.X + Math.Clamp(x + k, 0, size.X - 1)];
                across[y * size.X + x] = sum;
            }
        }
        for (var y = 0; y < size.Y; y++)
        {
            var row = to.AsSpan(y * size.X, size.X);
            row.Clear();
            for (var k = -reach; k <= reach; k++)
            {
                var line = across.AsSpan(Math.Clamp(y + k, 0, size.Y - 1) * size.X, size.X);
                for (var x = 0; x < row.Length; x++) row[x] += _taps[k + reach] * line[x];
            }
        }
    }

    private static float[] Taps(double sigma)
    {
        var reach = (int)Math.Ceiling(4 * sigma);
        var taps = Enumerable.Range(-reach, 2 * reach + 1).Select(d => Math.Exp(-d * d / (2 * sigma * sigma))).ToArray();
        var sum = taps.Sum();
        return [.. taps.Select(t => (float)(t / sum))];
    }
}
