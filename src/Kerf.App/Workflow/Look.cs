using Kerf.Imaging;
using Kerf.Simulation;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>Some slices of gold in a medium under one beam, with what they show and what thresholds make of them.</summary>
/// <param name="Signal">Electrons counted per electron shot.</param>
/// <param name="Grey">The same in 8 bit.</param>
/// <param name="Labels">1 medium, 2 gold, in the imaged slices.</param>
/// <param name="Below">Voxels of medium above the first gold straight below each pixel; none: 255.</param>
/// <param name="Lost">Share of the electrons that fell out of what is looked at.</param>
internal sealed record Look(Volume<float> Signal, Volume<byte> Grey, Volume<byte> Labels, byte[] Below, double Lost)
{
    private const double Near = 20, Far = 80;

    private (double Otsu, double[] KMeans, double Threshold)? _score;

    /// <summary>What thresholds make of it.</summary>
    public (double Otsu, double[] KMeans, double Threshold) Score => _score ??= Scores(Grey, Labels);

    /// <summary>Images some of a structure's slices.</summary>
    public static Look At(Volume<byte> structure, string medium, Beam beam, ulong seed, double[] cuts, Traversal walk)
    {
        var materials = new Dictionary<int, Material> { [1] = Material.Parse(medium), [2] = Material.Parse("Au") };
        var size = structure.Info.Size with { Z = cuts.Length };
        var (signal, error) = (new Volume<float>(size), new Volume<float>(size));
        var lost = ElectronImage.Make(structure, materials, beam, signal, error, seed, walk, cuts).Lost;
        var grey = ThesisImage.Grey(signal);
        var (labels, below) = (new Volume<byte>(size), new byte[size.Count]);
        var slice = (int)size.SliceCount;
        for (var z = 0; z < size.Z; z++)
        {
            var top = (int)cuts[z];
            structure.Slice(top).CopyTo(labels.Slice(z));
            for (var i = 0; i < slice; i++)
            {
                var depth = 0;
                // mirrored below, as the beam sees it
                while (depth < 255 && structure.Slice(Borders.Map(Border.Mirror, top + depth, structure.Info.Size.Z))[i] != 2) depth++;
                below[z * slice + i] = (byte)depth;
            }
        }
        return new(signal, grey, labels, below, lost);
    }

    /// <summary>Mean signal of a label.</summary>
    public double Mean(byte label) => Signal.Data.Where((_, i) => Labels.Data[i] == label).Average(v => (double)v);

    /// <summary>Mean signal of pores with the first gold from <paramref name="from"/> to <paramref name="to"/> nm below; NaN where there are none.</summary>
    public double Pores(double edge, double from, double to) =>
        Signal.Data.Where((_, i) => Labels.Data[i] == 1 && Below[i] * edge > from && Below[i] * edge <= to).Select(v => (double)v).DefaultIfEmpty(double.NaN).Average();

    /// <summary>
    /// How much of gold's contrast shines through up to 20 nm of medium: (pores with gold that near − pores with none within 80 nm)/(gold − the latter).
    /// A ratio of means over pixels: counting noise cancels.
    /// </summary>
    public double ShineThrough(double edge)
    {
        var far = Pores(edge, Far, double.MaxValue);
        return (Pores(edge, 0, Near) - far) / (Mean(2) - far);
    }

    /// <summary>Otsu's misplaced percent; k-means: misplaced percent, misplaced gold percent, mean Dice, solid fraction.</summary>
    public static (double Otsu, double[] KMeans, double Threshold) Scores(Volume<byte> grey, Volume<byte> labels)
    {
        var histogram = Histogram.OfStack(grey, Traversal.Default);
        var (otsu, kmeans) = (GreyClasses.Thresholds(histogram, 2)[0], GreyClasses.Thresholds(histogram, 3)[1]);
        (double Both, double False, double Missed) Count(double threshold)
        {
            (double Both, double False, double Missed) n = default;
            for (var i = 0; i < grey.Data.Length; i++)
            {
                if (grey.Data[i] >= threshold && labels.Data[i] == 2) n.Both++;
                else if (grey.Data[i] >= threshold) n.False++;
                else if (labels.Data[i] == 2) n.Missed++;
            }
            return n;
        }
        double all = grey.Data.Length;
        var (o, k) = (Count(otsu), Count(kmeans));
        var pores = all - k.Both - k.False - k.Missed;
        var dice = k.Both / (2 * k.Both + k.False + k.Missed) + pores / (2 * pores + k.False + k.Missed);
        return (100 * (o.False + o.Missed) / all, [100 * (k.False + k.Missed) / all, 100 * k.Missed / (k.Both + k.Missed), dice, (k.Both + k.False) / all], kmeans);
    }
}
