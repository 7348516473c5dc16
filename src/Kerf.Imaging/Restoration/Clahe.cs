using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>Contrast-limited adaptive histogram equalisation.</summary>
[Operation("clahe", "Evens out local contrast: equalises the histogram tile by tile, with a limit so that noise is not blown up.")]
public sealed record Clahe : Step
{
    /// <summary>Tiles along each side of a slice.</summary>
    [Parameter("Tiles along each side of a slice; more tiles follow finer changes of brightness.", Min = 1, Max = 64)]
    public int Tiles { get; init; } = 8;

    /// <summary>Highest share of a tile's pixels in one of 256 bins.</summary>
    [Parameter("Highest share of a tile's pixels that one of 256 bins may hold; lower means less contrast, 1 means no limit.", Min = 0, Max = 1)]
    public double ClipLimit { get; init; } = 0.01;

    /// <inheritdoc/>
    public override void Run(StepRun run) => Levels(run.Source, run.Create(run.Source.Info), Tiles, ClipLimit, run.Walk);

    private const int Bins = 256;

    /// <summary>
    /// CLAHE (Zuiderveld 1994, Graphics Gems IV, pp. 474–485) of each slice: the histogram of a tile is cut at the limit, what was cut is spread
    /// over all bins, and its cumulative distribution maps the grey levels; between the centres of four tiles the maps are interpolated
    /// bilinearly. Levels: all of an 8-bit type, otherwise 256 bins over the range of the stack, which the output keeps.
    /// </summary>
    /// <exception cref="InputError">A slice has fewer pixels along a side than tiles, or the limit is not in 0 … 1.</exception>
    public static void Levels(IVolume source, IVolume target, int tiles, double clipLimit, Traversal walk)
    {
        var size = source.Info.Size;
        var side = Math.Min(size.Y, size.X);
        if (tiles < 1 || tiles > side) throw new InputError($"tiles is {tiles}; it must be 1 to {side}, the pixels of a slice's shorter side.");
        if (!(clipLimit is >= 0 and <= 1)) throw new InputError($"clip-limit is {clipLimit}; it must be 0 to 1.");
        var (low, high) = (0.0, 255.0);
        if (source.Info.Type != PixelType.UInt8)
        {
            var stack = Histogram.OfStack(source, walk.Part(0, 0.3));
            (low, high) = (stack.Min, stack.Max);
        }
        Blocks.MapSlices<float, float>(source.AsFloat(), target.AsFloatTarget(), 0, Border.Nearest, walk.Part(0.3, 1), (block, output) =>
        {
            var bins = new byte[output.Length];
            var scale = high > low ? (Bins - 1) / (high - low) : 0;
            for (var i = 0; i < bins.Length; i++) bins[i] = (byte)Math.Clamp(Math.Round((block.Voxels[i] - low) * scale), 0, Bins - 1);
            var maps = Maps(bins, size, tiles, clipLimit);
            var (rows, columns) = (Between(size.Y, tiles), Between(size.X, tiles));
            for (var i = 0; i < output.Length; i++)
            {
                var ((top, bottom, down), (left, right, across)) = (rows[i / size.X], columns[i % size.X]);
                var above = maps[top * tiles + left][bins[i]] * (1 - across) + maps[top * tiles + right][bins[i]] * across;
                var below = maps[bottom * tiles + left][bins[i]] * (1 - across) + maps[bottom * tiles + right][bins[i]] * across;
                output[i] = (float)(low + (high - low) * (above * (1 - down) + below * down));
            }
        });
    }

    // for each tile and bin the new level, 0 … 1
    private static double[][] Maps(byte[] bins, Size3 size, int tiles, double clipLimit)
    {
        var maps = new double[tiles * tiles][];
        for (var tile = 0; tile < maps.Length; tile++)
        {
            var (y0, y1) = (Edge(size.Y, tiles, tile / tiles), Edge(size.Y, tiles, tile / tiles + 1));
            var (x0, x1) = (Edge(size.X, tiles, tile % tiles), Edge(size.X, tiles, tile % tiles + 1));
            var counts = new double[Bins];
            for (var y = y0; y < y1; y++)
                for (var x = x0; x < x1; x++) counts[bins[y * size.X + x]]++;
            var pixels = (y1 - y0) * (x1 - x0);
            var limit = Math.Max(1, Math.Floor(clipLimit * pixels));
            var excess = counts.Sum(count => Math.Max(0, count - limit));
            var below = 0.0;
            maps[tile] = [.. counts.Select(count => (below += Math.Min(count, limit) + excess / Bins) / pixels)];
        }
        return maps;
    }

    private static int Edge(int length, int tiles, int tile) => (int)((long)length * tile / tiles);

    // the two tiles whose centres lie around a pixel, and how far it is from the first to the second
    private static (int First, int Second, double Share)[] Between(int length, int tiles)
    {
        var centres = Enumerable.Range(0, tiles).Select(tile => (Edge(length, tiles, tile) + Edge(length, tiles, tile + 1) - 1) / 2.0).ToArray();
        var between = new (int, int, double)[length];
        for (var i = 0; i < length; i++)
        {
            var second = Array.FindIndex(centres, centre => centre > i);
            between[i] = second < 0 ? (tiles - 1, tiles - 1, 0) : second == 0 ? (0, 0, 0)
                : (second - 1, second, (i - centres[second - 1]) / (centres[second] - centres[second - 1]));
        }
        return between;
    }
}
