using Kerf.Volumes;

namespace Kerf.Networks;

/// <summary>How grey values are scaled for a network.</summary>
public enum GreyRule
{
    /// <summary>Divided by the highest level of the type (255, 65535, 1).</summary>
    Raw,

    /// <summary>Mean 0, standard deviation 1.</summary>
    Standard,

    /// <summary>The percentiles 0.5 and 99.5 to 0 and 1, cut there.</summary>
    Stretched,

    /// <summary>The share of voxels that are darker: an even histogram on 0 to 1.</summary>
    Equalised,
}

/// <summary>The preprocessing of a network, kept with its model: a stack is scaled by its own statistics.</summary>
/// <param name="Rule">How.</param>
/// <param name="EachSlice">Statistics of each slice instead of the stack.</param>
public sealed record GreyScaling(GreyRule Rule, bool EachSlice)
{
    /// <summary>What one standard deviation is about, for noise and offsets.</summary>
    public float Unit => Rule == GreyRule.Standard ? 1 : 0.25f;

    /// <summary>The stack as the network sees it. Reads it once for its statistics.</summary>
    public IVolume<float> Of(IVolume source, Traversal walk)
    {
        var depth = source.Info.Size.Z;
        var maps = new Map[EachSlice ? depth : 1];
        if (Rule == GreyRule.Raw) maps = [new(1 / source.Info.Type.TopLevel(), 0, null, null)];
        else if (EachSlice) walk.ForEach(depth, z => maps[z] = Fit(Histogram.OfSlice(source, z)));
        else maps[0] = Fit(Histogram.OfStack(source, walk));
        return new Scaled(source.AsFloat(), maps);
    }

    private Map Fit(Histogram histogram)
    {
        switch (Rule)
        {
            case GreyRule.Standard:
                var (mean, spread) = (histogram.Mean, 0.0);
                for (var bin = 0; bin < histogram.Bins; bin++) spread += histogram.Counts[bin] * Math.Pow(histogram.LevelOf(bin) - mean, 2);
                spread = Math.Sqrt(spread / Math.Max(1, histogram.Total));
                return new((float)(1 / (spread > 0 ? spread : 1)), (float)-(double.IsNaN(mean) ? 0 : mean / (spread > 0 ? spread : 1)), null, null);
            case GreyRule.Stretched:
                var (low, high) = (histogram.Percentile(0.5), histogram.Percentile(99.5));
                var range = high > low ? high - low : 1;
                return new((float)(1 / range), (float)(-low / range), null, null);
            default:
                var darker = new float[histogram.Bins];
                var below = 0.0;
                for (var bin = 0; bin < darker.Length; bin++)
                {
                    darker[bin] = (float)((below + 0.5 * histogram.Counts[bin]) / Math.Max(1, histogram.Total));
                    below += histogram.Counts[bin];
                }
                return new(1, 0, darker, histogram);
        }
    }

    private sealed record Map(float Gain, float Offset, float[]? Table, Histogram? Bins);

    private sealed class Scaled(IVolume<float> source, Map[] maps) : IVolume<float>
    {
        public VolumeInfo Info { get; } = source.Info with { Type = PixelType.Float32 };

        public void Read(Box box, Span<float> target)
        {
            source.Read(box, target);
            var slice = (int)box.Size.SliceCount;
            for (var z = 0; z < box.Size.Z; z++)
            {
                var map = maps[maps.Length == 1 ? 0 : box.Start.Z + z];
                var values = target.Slice(z * slice, slice);
                if (map.Table is { } table) foreach (ref var v in values) v = table[map.Bins!.BinOf(v)];
                else foreach (ref var v in values) v = v * map.Gain + map.Offset;
            }
        }
    }
}
