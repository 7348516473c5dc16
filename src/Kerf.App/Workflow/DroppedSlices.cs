using Kerf.Imaging;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>Dropped slices of a real stack, predicted: root mean square error in grey levels, and what of it is not noise of the dropped slices.</summary>
public sealed record Predicted(string Method, double Rms, double BeyondNoise);

/// <summary>Dropped slices of a segmented real stack, predicted: voxels that differ from the slice's own segmentation, in percent of all and of the dark phase, and mean Dice.</summary>
public sealed record PredictedPhases(string Method, double Mp, double Mgp, double Dice);

/// <summary>What <see cref="DroppedSlices.Predict"/> found.</summary>
/// <param name="Count">Slices that were dropped.</param>
/// <param name="Noise">Root mean square of their standard deviations of noise, in grey levels.</param>
/// <param name="Grey">A line for each method of grey values.</param>
/// <param name="Phases">A line for each method of segmentations; first, as "noise", the dropped slices' own segmentation with their noise drawn once more.</param>
public sealed record DroppedResult(int Count, double Noise, Predicted[] Grey, PredictedPhases[] Phases);

/// <summary>
/// Drops every second slice of a real stack and predicts it from the others. The stack is aligned first, by whole pixels: a prediction cannot know the stage's jitter, and whole pixels leave
/// the noise as it is.
/// </summary>
public static class DroppedSlices
{
    /// <summary>Predicts grey values by every method, and the phases of the stack (each slice denoised, one threshold by Otsu) by every method of phases.</summary>
    /// <param name="stack">Five slices or more.</param>
    /// <param name="model">A network that fills; null leaves learned out.</param>
    /// <param name="walk">Threads; they do not change a number.</param>
    public static DroppedResult Predict(IVolume<byte> stack, string? model, Traversal walk)
    {
        var still = walk with { Progress = null };
        var straight = Run(Run(stack, new Align { Interpolation = SliceInterpolation.Nearest }, still), new Crop { Shared = true }, still);
        int[] kept = [.. Enumerable.Range(0, (straight.Info.Size.Z + 1) / 2).Select(k => 2 * k)];
        int[] dropped = [.. kept.Skip(1).Select(plane => plane - 1)];
        var noise = NoiseLevel.OfSlices(straight, still);
        var sigma = Math.Sqrt(dropped.Average(z => noise[z].Noise * noise[z].Noise));
        var grey = Filled<float>(straight.AsFloat(), kept, [FillMethod.Nearest, FillMethod.Linear, FillMethod.Cubic, FillMethod.Flow], model, walk.Part(0, 0.5)).Select(filled =>
        {
            var square = dropped.Average(z => MeanSquare(filled.Volume.Slice(z), straight.Slice(z)));
            return new Predicted(filled.Name, Math.Sqrt(square), Math.Sqrt(Math.Max(0, square - sigma * sigma)));
        });
        var clean = Run(straight, new Denoise(), still);
        Threshold rule = new() { Thresholds = Threshold.Otsu(clean, still) };
        var phases = Run(clean, rule, still);
        FillMethod[] methods = [FillMethod.Nearest, FillMethod.Cubic, FillMethod.Shape, .. model is null ? Array.Empty<FillMethod>() : [FillMethod.Learned]];
        var again = Run(Run(Noisy(clean, noise), new Denoise(), still), rule, still);
        (string, Volume<byte>)[] made = [("noise", again), .. Filled<byte>(phases, kept, methods, model, walk.Part(0.5, 1))];
        return new(dropped.Length, sigma, [.. grey], [.. made.Select(filled => Score(filled.Item1, filled.Item2, phases, dropped))]);
    }

    private static IEnumerable<(string Name, Volume<T> Volume)> Filled<T>(IVolume<T> stack, int[] kept, FillMethod[] methods, string? model, Traversal walk) where T : unmanaged
    {
        var size = stack.Info.Size;
        var gaps = new Volume<T>(new VolumeInfo(size with { Z = kept[^1] + 1 }, PixelTypes.Of<T>(), null)
        {
            Phases = stack.Info.Phases,
            Metadata = new Dictionary<string, string> { [SliceDepths.PlanesKey] = SliceDepths.Join(kept) },
        });
        foreach (var z in kept) stack.Read(Box.Slice(size, z), gaps.Slice(z));
        for (var m = 0; m < methods.Length; m++)
        {
            var run = new StepRun(gaps, info => new Volume<T>(info)) { Walk = walk with { Progress = null } };
            new Fill { Method = methods[m], Model = model ?? "" }.Run(run);
            walk.Progress?.Report((m + 1.0) / methods.Length);
            yield return (methods[m].ToString().ToLowerInvariant(), (Volume<T>)run.Target!);
        }
    }

    // as the microscope would have seen it a second time
    private static Volume<byte> Noisy(Volume<byte> clean, SliceNoise[] noise)
    {
        var noisy = new Volume<byte>(clean.Info);
        for (var z = 0; z < noise.Length; z++)
        {
            var random = new CounterRandom(1, (ulong)z);
            Span<byte> from = clean.Slice(z), to = noisy.Slice(z);
            for (var i = 0; i < to.Length; i++) to[i] = (byte)Math.Clamp(Math.Round(from[i] + noise[z].Noise * random.NextNormal()), 0, 255);
        }
        return noisy;
    }

    private static PredictedPhases Score(string name, Volume<byte> found, Volume<byte> truth, int[] planes)
    {
        var confusion = new Confusion();
        foreach (var z in planes) confusion.Add(truth.Slice(z), found.Slice(z));
        var score = confusion.Score(solid: truth.Data.Min());
        return new(name, score.Binary!.Mp, score.Binary.Mgp, score.MeanDice);
    }

    private static double MeanSquare(ReadOnlySpan<float> found, ReadOnlySpan<byte> truth)
    {
        var sum = 0.0;
        for (var i = 0; i < found.Length; i++) sum += ((double)found[i] - truth[i]) * ((double)found[i] - truth[i]);
        return sum / found.Length;
    }

    private static Volume<byte> Run(IVolume source, Step step, Traversal walk)
    {
        var run = new StepRun(source, info => new Volume<byte>(info)) { Walk = walk };
        step.Run(run);
        return (Volume<byte>)run.Target!;
    }
}
