using Kerf.Imaging;
using Kerf.Microstructure;
using Kerf.Simulation;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>One rebuilt volume beside its truth: errors in percent of all and of the solid voxels, mean Dice, and (null when not measured) e_TPCF, e_LPF, e_D.</summary>
public sealed record Rebuilt(string Method, double Mp, double Mgp, double Dice, double[]? Anisotropy);

/// <summary>Dropped slices of a real stack, predicted: root mean square error in grey levels, and what of it is not noise of the dropped slices.</summary>
public sealed record Predicted(string Method, double Rms, double BeyondNoise);

/// <summary>
/// Article II of the thesis on simulated gold: a truth of fine cubic voxels is cut into uneven slices and rebuilt, without regard to where slices lie (DNN), on a coarse grid (SRCS), and at their
/// depths on the fine grid by each way of filling (RNN, RCS, shape). And the same question of a real stack: dropped slices, predicted.
/// </summary>
public static class SlicesStudy
{
    /// <summary>Edge of a voxel of the truth and of the fine grid, in nanometres.</summary>
    public const double Grid = 2.5;

    /// <summary>The thickness that the microscope was asked for, in nanometres.</summary>
    public const double Nominal = 10;

    /// <summary>
    /// Coarse wavelength in nanometres; the fine one is shorter by 15/110. A levelled wave of this solid fraction has a ligament diameter as the paper measures it, the area under its
    /// lineal path function over φ, of 0.43 wavelengths: so these are its 110 and 15 nm.
    /// </summary>
    public const double Wavelength = 256;

    /// <summary>Names of the rebuilt volumes; RML with a model only.</summary>
    public static readonly IReadOnlyList<string> Methods = ["DNN", "SRCS", "RNN", "RCS", "shape", "RML"];

    /// <summary>Cuts one structure several times and rebuilds it by each method; the truth's own anisotropy first.</summary>
    /// <param name="edge">Voxels along each axis.</param>
    /// <param name="seed">Of the structure; that of draw d is 1000·seed + d.</param>
    /// <param name="draws">Thickness draws. The anisotropy is measured on the first alone.</param>
    /// <param name="wavelength">Coarse wavelength in nanometres.</param>
    /// <param name="model">A network that fills; null leaves RML out.</param>
    /// <param name="walk">Threads; they do not change a number.</param>
    public static (double[] Truth, Rebuilt[][] Draws) Structure(int edge, ulong seed, int draws, double wavelength, string? model, Traversal walk)
    {
        var still = walk with { Progress = null };
        var truth = Volume<byte>.Load(VirtualStructure.Make("hierarchical", Size3.Cube(edge), VoxelSize.Cube(Grid), 0.12, wavelength, seed, still));
        var rebuilt = new Rebuilt[draws][];
        for (var d = 0; d < draws; d++)
        {
            rebuilt[d] = Draw(truth, 1000 * seed + (ulong)d, d == 0, model, still);
            walk.Progress?.Report((d + 1.0) / draws);
        }
        return (AnisotropyOf(truth, still), rebuilt);
    }

    private static Rebuilt[] Draw(Volume<byte> truth, ulong seed, bool measured, string? model, Traversal walk)
    {
        var cut = Run(truth, new Mimic { Grid = Grid }, walk, seed);
        var (coarse, fine) = (Run(cut, new Reposition { Grid = Nominal }, walk), Run(cut, new Reposition { Grid = Grid }, walk));
        // as if each slice were as thick as it should be
        var blind = new Volume<byte>(cut.Info.Size, null, cut.Data) { Info = cut.Info with { Voxel = new(Nominal, Grid, Grid) } };
        (string Name, Volume<byte> From, FillMethod How)[] ways =
        [
            ("DNN", blind, FillMethod.Nearest), ("SRCS", coarse, FillMethod.Cubic), ("RNN", fine, FillMethod.Nearest), ("RCS", fine, FillMethod.Cubic), ("shape", fine, FillMethod.Shape),
            ("RML", fine, FillMethod.Learned),
        ];
        var found = ways.Take(model is null ? 5 : 6).Select(way => (way.Name, Volume: Run(way.From, new Fill { Method = way.How, To = Grid, Model = model ?? "" }, walk))).ToArray();
        // the planes that all of them have
        var planes = found.Min(f => Math.Min(f.Volume.Info.Size.Z, truth.Info.Size.Z));
        var count = planes * (int)truth.Info.Size.SliceCount;
        return [.. found.Select(f =>
        {
            var confusion = new Confusion();
            confusion.Add(truth.Data.AsSpan(0, count), f.Volume.Data.AsSpan(0, count));
            var score = confusion.Score(solid: 2);
            return new Rebuilt(f.Name, score.Binary!.Mp, score.Binary.Mgp, score.MeanDice, measured ? AnisotropyOf(f.Volume, walk) : null);
        })];
    }

    /// <summary>
    /// Drops every second slice of a stack and predicts it from the others. The stack is aligned first, by whole pixels: a prediction cannot know the stage's jitter, and whole pixels leave
    /// the noise as it is.
    /// </summary>
    /// <returns>A line for each method, the noise of the dropped slices (root mean square of their standard deviations), and how many were dropped.</returns>
    public static (Predicted[] Lines, double Noise, int Dropped) Dropped(IVolume<byte> stack, IReadOnlyList<FillMethod> methods, Traversal walk)
    {
        var still = walk with { Progress = null };
        var aligned = Run(stack, new Align { Interpolation = SliceInterpolation.Nearest }, still);
        var straight = Run(aligned, new Crop { Shared = true }, still);
        var size = straight.Info.Size;
        int[] kept = [.. Enumerable.Range(0, (size.Z + 1) / 2).Select(k => 2 * k)];
        int[] dropped = [.. kept.Skip(1).Select(plane => plane - 1)];
        var noise = NoiseLevel.OfSlices(straight, still);
        var sigma = Math.Sqrt(dropped.Average(z => noise[z].Noise * noise[z].Noise));
        var gaps = new Volume<float>(new VolumeInfo(size with { Z = kept[^1] + 1 }, PixelType.Float32, null)
        {
            Metadata = new Dictionary<string, string> { [SliceDepths.PlanesKey] = SliceDepths.Join(kept) },
        });
        foreach (var z in kept) straight.AsFloat().Read(Box.Slice(size, z), gaps.Slice(z));
        var lines = new Predicted[methods.Count];
        for (var m = 0; m < lines.Length; m++)
        {
            var run = new StepRun(gaps, info => new Volume<float>(info)) { Walk = still };
            new Fill { Method = methods[m] }.Run(run);
            var square = dropped.Average(z => MeanSquare(((Volume<float>)run.Target!).Slice(z), straight.Slice(z)));
            lines[m] = new(methods[m].ToString().ToLowerInvariant(), Math.Sqrt(square), Math.Sqrt(Math.Max(0, square - sigma * sigma)));
            walk.Progress?.Report((m + 1.0) / lines.Length);
        }
        return (lines, sigma, dropped.Length);
    }

    private static double MeanSquare(ReadOnlySpan<float> found, ReadOnlySpan<byte> truth)
    {
        var sum = 0.0;
        for (var i = 0; i < found.Length; i++) sum += ((double)found[i] - truth[i]) * ((double)found[i] - truth[i]);
        return sum / found.Length;
    }

    private static double[] AnisotropyOf(Volume<byte> volume, Traversal walk) =>
        [.. new Anisotropy { Phase = "solid" }.Run(volume, walk, 1).Measurements.Take(3).Select(m => m.Value)];

    private static Volume<byte> Run(IVolume source, Step step, Traversal walk, ulong seed = 1)
    {
        var run = new StepRun(source, info => new Volume<byte>(info)) { Walk = walk, Seed = seed };
        step.Run(run);
        return (Volume<byte>)run.Target!;
    }
}
