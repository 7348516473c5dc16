using Kerf.Imaging;
using Kerf.Simulation;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>One method's score on one specimen: average weighted error in percent, on the scored slices and on a crop inside a particle.</summary>
public sealed record Rung(string Method, double Awe, double CropAwe, double Accuracy, double[] Iou);

/// <summary>
/// The ladder of the two-detector study on simulated specimens: each method learns from the same brush strokes on a few slices and is scored once on the
/// truth of slices far from them. See docs/methods/ladder.md.
/// </summary>
public static class LadderStudy
{
    /// <summary>Names of the methods, worst first as the paper found them.</summary>
    public static readonly IReadOnlyList<string> Methods =
        ["double threshold", "triple threshold", "z-gradient", "forest, one signal", "forest, two signals", "forest, z-evolution"];

    /// <summary>Share of a slice that is labelled: 10 to 25 % did best in the user study on X-ray tomograms.</summary>
    public const double Coverage = 0.1;

    /// <summary>Seeds on which choices were made; the others are for scoring.</summary>
    public static readonly IReadOnlyList<ulong> TuningSeeds = [11, 12, 13];

    /// <summary>Simulates a specimen, draws strokes, trains and scores every method.</summary>
    /// <param name="size">Field of view; 64 slices or more.</param>
    /// <param name="seed">Of specimen, strokes and forests.</param>
    /// <param name="walk">Threads; they do not change a number.</param>
    public static IReadOnlyList<Rung> Run(Size3 size, ulong seed, Traversal walk)
    {
        var voxel = VoxelSize.Cube(20);
        var (se2, inLens, truth) = TwoDetectorCommand.Stack(size, voxel, seed, walk.Part(0, 0.1));
        // strokes near both ends; what lies at least 15 slices (300 nm) from any is scored
        int[] drawn = [.. from share in (int[])[1, 2, 3, 13, 14, 15] select size.Z * share / 16];
        var strokes = Strokes.Draw(truth, drawn, Coverage, seed);
        var scored = new Box(new(drawn[2] + 15, 0, 0), new(drawn[3] - drawn[2] - 29, size.Y, size.X));
        var crop = Inside(truth, scored);
        Rung Score(int method, IVolume<byte> found)
        {
            var quiet = walk with { Progress = null };
            var (whole, inside) = (Confusion.Of(found, truth, quiet, scored).Score(), Confusion.Of(found, truth, quiet, crop).Score());
            return new(Methods[method], whole.Awe, inside.Awe, whole.Accuracy, [.. whole.Classes.Select(c => c.Iou)]);
        }
        Volume<byte> Labels(Action<Volume<byte>> fill)
        {
            var labels = new Volume<byte>(truth.Info);
            fill(labels);
            return labels;
        }
        Volume<byte> Forest(FeatureKind kind, double from, params (string, IVolume)[] channels) => Labels(labels =>
        {
            var options = new ForestTrainingOptions { Features = new() { Kind = kind }, Forest = new() { Seed = seed } };
            var model = ForestTraining.Run(channels, strokes, options, walk.Part(from, from + 0.1)).Model;
            ForestPrediction.Run(model, [.. channels.Select(c => c.Item2)], labels, new(), walk.Part(from + 0.1, from + 0.25));
        });
        var still = walk with { Progress = null };
        var split = GreyTree.Learn(inLens, strokes, 1, still, [PorousCathode.Carbon, PorousCathode.Nmc])[0].High;
        return
        [
            Score(0, Labels(labels => Threshold.Apply(se2, labels, Double(se2, strokes, still), still))),
            Score(1, Labels(labels => Threshold.Apply(se2, labels, new(GreyTree.Learn(se2, strokes, 2, still)), still))),
            Score(2, Labels(labels => ZGradient.Apply(se2, inLens, split, labels, SureVoid(se2, strokes, still), still))),
            Score(3, Forest(FeatureKind.Plain, 0.1, ("SE2", se2))),
            Score(4, Forest(FeatureKind.Plain, 0.4, ("SE2", se2), ("InLens", inLens))),
            Score(5, Forest(FeatureKind.Milling, 0.7, ("SE2", se2), ("InLens", inLens))),
        ];
    }

    // two thresholds as one sets them by eye around the carbon's peak: half-way between the means of neighbouring phases' strokes
    private static GreyRanges Double(Volume<byte> grey, Volume<byte> strokes, Traversal walk)
    {
        var carbon = GreyTree.Learn(grey, strokes, 1, walk, [PorousCathode.Carbon, PorousCathode.Nmc])[0].High;
        double[] darker = [.. grey.Data.Zip(strokes.Data).Where(p => p.Second == PorousCathode.Carbon).Select(p => (double)p.First).Order()];
        // as far below the carbon's peak as the upper threshold lies above it
        var peak = darker[darker.Length / 2];
        return GreyRanges.Between([Math.Max(1, 2 * peak - carbon), carbon]);
    }

    // void is sure where it is darker than carbon or brighter than NMC
    private static ZGradientOptions SureVoid(Volume<byte> grey, Volume<byte> strokes, Traversal walk)
    {
        var (dark, bright) = (GreyTree.Learn(grey, strokes, 2, walk, [PorousCathode.Void, PorousCathode.Carbon], balance: true)[0],
            GreyTree.Learn(grey, strokes, 2, walk, [PorousCathode.Void, PorousCathode.Nmc], balance: true)[^1]);
        return new()
        {
            Dark = dark.Label == PorousCathode.Void && double.IsFinite(dark.High) ? dark.High : 0,
            Bright = bright.Label == PorousCathode.Void && double.IsFinite(bright.Low) ? bright.Low : double.PositiveInfinity,
        };
    }

    // the square of the scored slices, a third of the field wide, that holds least carbon
    private static Box Inside(Volume<byte> truth, Box scored)
    {
        var edge = truth.Info.Size.X / 3;
        var (least, best) = (long.MaxValue, scored);
        for (var y = 0; y + edge <= scored.Size.Y; y += 8)
        {
            for (var x = 0; x + edge <= scored.Size.X; x += 8)
            {
                var box = new Box(new(scored.Start.Z, y, x), new(scored.Size.Z, edge, edge));
                var voxels = new byte[box.Count];
                truth.Read(box, voxels);
                var others = voxels.LongCount(v => v == PorousCathode.Carbon) + Math.Max(0, voxels.LongCount(v => v == PorousCathode.Void) - box.Count / 2);
                if (others < least) (least, best) = (others, box);
            }
        }
        return best;
    }
}
