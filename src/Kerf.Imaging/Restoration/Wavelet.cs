using System.Numerics.Tensors;

namespace Kerf.Imaging;

/// <summary>
/// The orthogonal wavelet of Daubechies with 20 vanishing moments, on images that repeat: splits rows or columns of even length into a low and a
/// high half, and joins them again (Daubechies 1988, doi:10.1002/cpa.3160410705). Coefficient k lies at pixel 2k.
/// </summary>
internal static class Wavelet
{
    private const int Taps = 40, Half = Taps / 2;

    private static readonly float[] Low =
    [
        0.0007799536136668463f, 0.010549394624950399f, 0.06342378045908152f, 0.21994211355139703f, 0.4726961853109017f, 0.6104932389385939f,
        0.36150229873933104f, -0.13921208801148388f, -0.32678680043403496f, -0.016727088309077008f, 0.22829105081991632f, 0.0398502464577712f,
        -0.15545875070726795f, -0.024716827338613585f, 0.10229171917444256f, 0.005632246857307436f, -0.06172289962468046f, 0.005874681811811827f,
        0.03229429953076958f, -0.00878932492390156f, -0.01381052613715192f, 0.006721627302259457f, 0.004420542387045791f, -0.0035814942596096226f,
        -0.0008315621728225569f, 0.0013925596193231364f, -5.349759843997695e-05f, -0.00038510474869921763f, 0.00010153288973670291f,
        6.77428082837773e-05f, -3.710586183394713e-05f, -4.376143862183997e-06f, 7.2412482876736205e-06f, -1.0119940100188862e-06f,
        -6.847079597000557e-07f, 2.6339242262700013e-07f, 2.0143220235505126e-10f, -1.814843248299696e-08f, 4.056127055551833e-09f, -2.9988364896193194e-10f,
    ];

    private static readonly float[] High = [.. Enumerable.Range(0, Taps).Select(n => n % 2 == 0 ? Low[Taps - 1 - n] : -Low[Taps - 1 - n])];

    /// <summary>Splits each row of an image of <paramref name="width"/> columns.</summary>
    public static void SplitRows(ReadOnlySpan<float> image, int width, Span<float> low, Span<float> high)
    {
        var half = width / 2;
        var (even, odd) = (new float[half + Half], new float[half + Half]);
        low.Clear();
        high.Clear();
        for (var row = 0; row < image.Length / width; row++)
        {
            for (var j = 0; j < even.Length; j++)
            {
                var at = row * width + 2 * Mod(j - Half / 2, half);
                (even[j], odd[j]) = (image[at], image[at + 1]);
            }
            Gather(Low, low.Slice(row * half, half));
            Gather(High, high.Slice(row * half, half));
        }

        void Gather(float[] filter, Span<float> target)
        {
            for (var m = 0; m < Half; m++)
            {
                Add(odd.AsSpan(m, half), filter[2 * m], target);
                Add(even.AsSpan(m + 1, half), filter[2 * m + 1], target);
            }
        }
    }

    /// <summary>The low half of each column of an image of <paramref name="width"/> columns.</summary>
    public static void LowOfColumns(ReadOnlySpan<float> image, int width, Span<float> low)
    {
        var height = image.Length / width;
        low.Clear();
        for (var k = 0; k < height / 2; k++)
            for (var n = 0; n < Taps; n++) Add(image.Slice(Mod(2 * k + n - Half + 1, height) * width, width), Low[n], low.Slice(k * width, width));
    }

    /// <summary>Columns of twice the length, of which these are the low half and the high half is 0.</summary>
    public static void JoinColumns(ReadOnlySpan<float> low, int width, Span<float> image)
    {
        var half = low.Length / width;
        image.Clear();
        for (var row = 0; row < 2 * half; row++)
            for (var n = 1 - row % 2; n < Taps; n += 2) Add(low.Slice(Mod((row - n + Half - 1) / 2, half) * width, width), Low[n], image.Slice(row * width, width));
    }

    /// <summary>Rows of twice the length from their halves of <paramref name="half"/> columns.</summary>
    public static void JoinRows(ReadOnlySpan<float> low, ReadOnlySpan<float> high, int half, Span<float> image)
    {
        var (wrapped, even, odd) = (new float[half + Half], new float[half], new float[half]);
        for (var row = 0; row < low.Length / half; row++)
        {
            Array.Clear(even);
            Array.Clear(odd);
            Spread(low.Slice(row * half, half), Low);
            Spread(high.Slice(row * half, half), High);
            for (var i = 0; i < half; i++) (image[(row * half + i) * 2], image[(row * half + i) * 2 + 1]) = (even[i], odd[i]);
        }

        void Spread(ReadOnlySpan<float> source, float[] filter)
        {
            for (var j = 0; j < wrapped.Length; j++) wrapped[j] = source[Mod(j - Half / 2, half)];
            for (var m = 0; m < Half; m++)
            {
                Add(wrapped.AsSpan(Half - 1 - m, half), filter[2 * m + 1], even);
                Add(wrapped.AsSpan(Half - m, half), filter[2 * m], odd);
            }
        }
    }

    private static void Add(ReadOnlySpan<float> source, float factor, Span<float> target) => TensorPrimitives.MultiplyAdd(source, factor, target, target);

    private static int Mod(int i, int n) => (i % n + n) % n;
}
