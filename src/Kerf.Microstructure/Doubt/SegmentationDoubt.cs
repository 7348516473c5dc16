using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>
/// What the doubt of a segmentation leaves of a measurement: segmentations are drawn from the class probabilities, each is measured, and the middle
/// 95 % of what they give become <see cref="Measurement.DoubtLow"/> and <see cref="Measurement.DoubtHigh"/>. See
/// <c>docs/methods/segmentation-doubt.md</c>.
/// </summary>
internal static class SegmentationDoubt
{
    /// <summary>Measures the source and the drawn segmentations.</summary>
    /// <exception cref="InputError">The probabilities do not belong to the source, or the length is shorter than a voxel.</exception>
    public static Measured Of(PhaseMeasure measure, IVolume source, Traversal walk, ulong seed)
    {
        var labels = source.AsLabels("--probabilities: the source");
        if (measure.DoubtLength is { } length && length < Lengths.Voxel(labels.Info).Finest) throw new InputError(
            $"--doubt-length is {length:0.###}; it must be {Lengths.Voxel(labels.Info).Finest:0.###} {Lengths.Unit(labels.Info)} or more, an edge of a voxel.");
        using var classes = ClassProbabilities.Open(labels, measure.Probabilities, walk);
        var draws = measure.DoubtLength is { } correlated
            ? Enumerable.Range(0, measure.Draws).Select(draw => DrawnSegmentation.Varying(classes, correlated, seed, draw))
            : DrawnSegmentation.Alike(classes, measure.Draws, seed);
        var found = new Dictionary<(string, string?, string?), List<double>>();
        var done = 0;
        foreach (var drawn in draws)
        {
            foreach (var m in Measured(drawn, walk.Part((double)done / (measure.Draws + 1), (done + 1.0) / (measure.Draws + 1))))
            {
                if (!found.TryGetValue((m.Name, m.Phase, m.Axis), out var values)) found[(m.Name, m.Phase, m.Axis)] = values = [];
                values.Add(m.Value);
            }
            done++;
        }
        // the source comes last, so that files which a measure writes beside its numbers are of the source
        var measured = measure.Once(source, walk.Part((double)done / (done + 1), 1), seed);
        return measured with { Measurements = [.. measured.Measurements.Select(m => WithRange(m, found.GetValueOrDefault((m.Name, m.Phase, m.Axis)), measure.Draws))] };

        // a segmentation in which the phase is missing gives no number
        IEnumerable<Measurement> Measured(DrawnSegmentation drawn, Traversal part)
        {
            try
            {
                return measure.Once(labels.Info.Size.Count <= walk.MemoryBytes / 8 ? Loaded(drawn, part) : drawn, part, seed).Measurements;
            }
            catch (InputError)
            {
                return [];
            }
        }
    }

    private static Volume<byte> Loaded(DrawnSegmentation drawn, Traversal walk)
    {
        var volume = new Volume<byte>(drawn.Info);
        (walk with { Progress = null }).ForEach(drawn.Info.Size.Z, z => drawn.Read(Box.Slice(drawn.Info.Size, z), volume.Slice(z)));
        return volume;
    }

    private static Measurement WithRange(Measurement m, List<double>? values, int draws)
    {
        if (values is null || values.Count < draws || values.Any(double.IsNaN)) return m;
        values.Sort();
        var outside = (int)(0.025 * draws);
        return m with { DoubtLow = values[outside], DoubtHigh = values[^(1 + outside)] };
    }
}
