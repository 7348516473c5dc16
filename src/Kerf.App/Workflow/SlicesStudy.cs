using System.Text.Json;
using Kerf.Imaging;
using Kerf.Microstructure;
using Kerf.Simulation;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>One rebuilt volume beside its truth: errors in percent of all and of the solid voxels, mean Dice, and (null when not measured) e_TPCF, e_LPF, e_D.</summary>
public sealed record Rebuilt(string Method, double Mp, double Mgp, double Dice, double[]? Anisotropy);

/// <summary>One structure: the truth's own e_TPCF, e_LPF, e_D; every cut of it by each method; and what measured them.</summary>
public sealed record CutStructure(ulong Seed, double[] Truth, Rebuilt[][] Cuts, string Version);

/// <summary>
/// Article II of the thesis on simulated gold: a truth of fine cubic voxels is cut into uneven slices and rebuilt, without regard to where slices lie (DNN), on a coarse grid (SRCS), and at their
/// depths on the fine grid by each way of filling (RNN, RCS, RML, shape, held).
/// </summary>
/// <param name="edge">Voxels along each axis.</param>
/// <param name="draws">Thickness draws of a structure. The anisotropy is measured on the first alone.</param>
/// <param name="wavelength">Coarse wavelength in nanometres.</param>
/// <param name="model">A network that fills; null leaves RML out.</param>
public sealed class SlicesStudy(int edge, int draws, double wavelength, string? model)
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

    /// <summary>Voxels along each axis.</summary>
    public int Edge => edge;

    /// <summary>Thickness draws of a structure.</summary>
    public int Draws => draws;

    /// <summary>Coarse wavelength in nanometres.</summary>
    public double CoarseWavelength => wavelength;

    /// <summary>Cuts each structure several times and rebuilds it by each method. A structure that is done is kept in a folder, and taken from there by whoever asks again.</summary>
    /// <param name="seeds">Of the structures; the seed of draw d is 1000·seed + d.</param>
    /// <param name="folder">Where structures are kept.</param>
    /// <param name="walk">Threads; they do not change a number.</param>
    public CutStructure[] Run(IReadOnlyList<ulong> seeds, string folder, Traversal walk)
    {
        Directory.CreateDirectory(folder);
        var network = model is null ? "none" : Fingerprint.OfFiles(model, null, walk.Cancellation)[..12];
        return [.. seeds.Select((seed, i) =>
        {
            var kept = Path.Combine(folder, FormattableString.Invariant($"{edge}-{wavelength}-{seed}-{draws}-{network}.json"));
            if (File.Exists(kept)) return JsonSerializer.Deserialize<CutStructure>(File.ReadAllText(kept), MeasurementFiles.Json)!;
            var made = Cut(seed, walk.Part((double)i / seeds.Count, (i + 1.0) / seeds.Count));
            AtomicFile.WriteAllText(kept, JsonSerializer.Serialize(made, MeasurementFiles.Json) + "\n");
            return made;
        })];
    }

    private CutStructure Cut(ulong seed, Traversal walk)
    {
        var still = walk with { Progress = null };
        var truth = Volume<byte>.Load(VirtualStructure.Make("hierarchical", Size3.Cube(edge), VoxelSize.Cube(Grid), 0.12, wavelength, seed, still));
        var cuts = new Rebuilt[draws][];
        for (var d = 0; d < draws; d++)
        {
            cuts[d] = Rebuild(truth, 1000 * seed + (ulong)d, d == 0, still);
            walk.Progress?.Report((d + 1.0) / draws);
        }
        return new(seed, AnisotropyOf(truth, still), cuts, Machine.Version);
    }

    private Rebuilt[] Rebuild(Volume<byte> truth, ulong seed, bool measured, Traversal walk)
    {
        var cut = Run(truth, new Mimic { Grid = Grid }, walk, seed);
        var (coarse, fine) = (Run(cut, new Reposition { Grid = Nominal }, walk), Run(cut, new Reposition { Grid = Grid }, walk));
        // as if each slice were as thick as it should be
        var blind = new Volume<byte>(cut.Info.Size, null, cut.Data) { Info = cut.Info with { Voxel = new(Nominal, Grid, Grid) } };
        Volume<byte> Filled(Volume<byte> from, FillMethod method) => Run(from, new Fill { Method = method, To = Grid, Model = model ?? "" }, walk);
        List<(string Name, Volume<byte> Volume)> found =
        [
            ("DNN", Filled(blind, FillMethod.Nearest)), ("SRCS", Filled(coarse, FillMethod.Cubic)), ("RNN", Filled(fine, FillMethod.Nearest)), ("RCS", Filled(fine, FillMethod.Cubic)),
            ("shape", Filled(fine, FillMethod.Shape)), ("held", Held(fine)),
        ];
        if (model is not null) found.Insert(4, ("RML", Filled(fine, FillMethod.Learned)));
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

    // each slice goes on until the next one
    private static Volume<byte> Held(Volume<byte> fine)
    {
        var held = new Volume<byte>(fine.Info);
        var planes = SliceDepths.Of(fine.Info, SliceDepths.PlanesKey)!;
        for (var (z, k) = (0, 0); z < fine.Info.Size.Z; z++)
        {
            while (k + 1 < planes.Length && planes[k + 1] <= z) k++;
            fine.Slice((int)planes[k]).CopyTo(held.Slice(z));
        }
        return held;
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
