using System.Numerics.Tensors;

namespace Kerf.Imaging;

/// <summary>
/// Sets the structure of an image aside so that faint additive artefacts are left: each pixel loses the mean of its grey class (four classes by
/// k-means on the smoothed image), and what then still sticks out of the noise (edges) becomes 0. A class has mean 0 afterwards, so whatever is
/// estimated from the rest and subtracted hardly moves the mean grey of a phase.
/// </summary>
internal static class StructureClasses
{
    private const int Classes = 4;
    private const int Bins = 256;
    private const int SampledRows = 4;
    private const float NoiseSigmas = 3;

    // binomial, standard deviation √2 pixels
    private static readonly float[] Taps = [70 / 256f, 56 / 256f, 28 / 256f, 8 / 256f, 1 / 256f];

    /// <summary>Works in place on an image that repeats beyond its borders; columns are filled up to the count of their pixels.</summary>
    public static void SetAside(Span<float> image, int width, Span<float> spare)
    {
        Smooth(image, width, spare);
        var (low, high) = (TensorPrimitives.Min<float>(spare), TensorPrimitives.Max<float>(spare));
        if (!(high > low))
        {
            TensorPrimitives.Subtract(image, low, image);
            return;
        }
        var scale = (Bins - 1) / (high - low);
        var means = Means(image, width, spare, low, scale);
        for (var i = 0; i < image.Length; i++) image[i] -= means[(int)((spare[i] - low) * scale + 0.5f)];
        SetEdgesAside(image, width, spare);
    }

    /// <summary>
    /// Takes from <paramref name="field"/> its mean over each grey class of the image, so that subtracting the field moves no class's mean grey. Real
    /// stripes cross every class at many places: what their mean over a class amounts to is far below them.
    /// </summary>
    public static void TakeMeans(ReadOnlySpan<float> image, int width, Span<float> field, Span<float> spare)
    {
        Smooth(image, width, spare);
        var (low, high) = (TensorPrimitives.Min<float>(spare), TensorPrimitives.Max<float>(spare));
        if (!(high > low)) return;
        var scale = (Bins - 1) / (high - low);
        var counts = new int[Bins];
        foreach (var value in spare) counts[(int)((value - low) * scale + 0.5f)]++;
        var ends = Cluster(counts);
        Span<int> classOf = stackalloc int[Bins];
        for (int k = 0, bin = 0; k < Classes; k++)
            for (; bin < ends[k]; bin++) classOf[bin] = k;
        Span<double> sums = stackalloc double[Classes];
        Span<int> sizes = stackalloc int[Classes];
        for (var i = 0; i < field.Length; i++)
        {
            var k = classOf[(int)((spare[i] - low) * scale + 0.5f)];
            sums[k] += field[i];
            sizes[k]++;
        }
        for (var i = 0; i < field.Length; i++)
        {
            var k = classOf[(int)((spare[i] - low) * scale + 0.5f)];
            field[i] -= (float)(sums[k] / sizes[k]);
        }
    }

    private static void Smooth(ReadOnlySpan<float> image, int width, Span<float> smooth)
    {
        var height = image.Length / width;
        var (row, pair) = (new float[width + 8], new float[width + 8]);
        for (var y = 0; y < height; y++)
        {
            var middle = row.AsSpan(4, width);
            TensorPrimitives.Multiply(Row(image, y), Taps[0], middle);
            for (var tap = 1; tap < Taps.Length; tap++)
            {
                TensorPrimitives.Add(Row(image, y - tap), Row(image, y + tap), pair.AsSpan(0, width));
                TensorPrimitives.MultiplyAdd(pair.AsSpan(0, width), Taps[tap], middle, middle);
            }
            row.AsSpan(width, 4).CopyTo(row);
            row.AsSpan(4, 4).CopyTo(row.AsSpan(width + 4));
            var target = smooth.Slice(y * width, width);
            TensorPrimitives.Multiply(middle, Taps[0], target);
            for (var tap = 1; tap < Taps.Length; tap++)
            {
                TensorPrimitives.Add(row.AsSpan(4 - tap, width), row.AsSpan(4 + tap, width), pair.AsSpan(0, width));
                TensorPrimitives.MultiplyAdd(pair.AsSpan(0, width), Taps[tap], target, target);
            }
        }
        ReadOnlySpan<float> Row(ReadOnlySpan<float> from, int y) => from.Slice((y + height) % height * width, width);
    }

    // the mean grey of the class of each bin of the smoothed image
    private static float[] Means(ReadOnlySpan<float> image, int width, ReadOnlySpan<float> smooth, float low, float scale)
    {
        var (counts, sums) = (new int[Bins], new double[Bins]);
        for (var at = 0; at < image.Length; at += SampledRows * width)
        {
            for (var i = at; i < at + width; i++)
            {
                var bin = (int)((smooth[i] - low) * scale + 0.5f);
                counts[bin]++;
                sums[bin] += image[i];
            }
        }
        var ends = Cluster(counts);
        var means = new float[Bins];
        for (int k = 0, bin = 0; k < Classes; k++)
        {
            var (start, count, sum) = (bin, 0, 0.0);
            for (; bin < ends[k]; bin++) (count, sum) = (count + counts[bin], sum + sums[bin]);
            // rows that were not sampled may reach bins of an empty class: the middle of the bins stands for its mean
            means.AsSpan(start, bin - start).Fill(count > 0 ? (float)(sum / count) : low + (start + bin - 1) / 2f / scale);
        }
        return means;
    }

    // k-means on a histogram (Lloyd), from centres spread evenly: where each class ends
    private static int[] Cluster(int[] counts)
    {
        var centres = Enumerable.Range(0, Classes).Select(k => (k + 0.5) * Bins / Classes).ToArray();
        var ends = new int[Classes];
        for (var round = 0; round < 40; round++)
        {
            for (int k = 0, bin = 0; k < Classes; k++)
            {
                var (count, sum) = (0L, 0L);
                for (; bin < Bins && (k == Classes - 1 || 2 * bin < centres[k] + centres[k + 1]); bin++) (count, sum) = (count + counts[bin], sum + (long)bin * counts[bin]);
                ends[k] = bin;
                if (count > 0) centres[k] = (double)sum / count;
            }
        }
        return ends;
    }

    private static void SetEdgesAside(Span<float> image, int width, Span<float> spare)
    {
        // odd, so that the sample walks through the columns
        var (step, sampled) = (image.Length / 8192 | 1, 0);
        for (var at = 0; at < image.Length; at += step) spare[sampled++] = Math.Abs(image[at]);
        spare[..sampled].Sort();
        var limit = NoiseSigmas * 1.4826f * spare[sampled / 2];
        var kept = spare[..width];
        kept.Clear();
        for (var at = 0; at < image.Length; at += width)
        {
            var row = image.Slice(at, width);
            for (var x = 0; x < row.Length; x++)
            {
                if (Math.Abs(row[x]) <= limit) kept[x]++;
                else row[x] = 0;
            }
        }
        var height = image.Length / width;
        for (var x = 0; x < width; x++) kept[x] = height / Math.Max(kept[x], 0.25f * height);
        for (var at = 0; at < image.Length; at += width) TensorPrimitives.Multiply(image.Slice(at, width), kept, image.Slice(at, width));
    }
}
