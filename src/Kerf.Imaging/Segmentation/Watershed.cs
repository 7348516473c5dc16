using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>
/// Seeded watershed (Meyer 1994, doi:10.1016/0165-1684(94)90060-4): sure voxels are labelled by their grey value, and the doubtful ones left to flooding of
/// the gradient's magnitude from there. A small window of doubtful greys is the generous watershed, a large one the conservative. See
/// <c>docs/methods/watershed.md</c>.
/// </summary>
[Operation("watershed", "Labels sure voxels by thresholds and floods the doubtful ones along the gradient, in slices or in the volume.")]
public sealed record Watershed : Step
{
    // of the gradient's magnitude
    private const int Levels = 4096;

    /// <summary>Grey ranges.</summary>
    [Parameter("Sure grey ranges LABEL=low..high, high not included: 1=0..80, 2=120..256. Left out: Otsu's thresholds with a window around each.")]
    public string[] Ranges { get; init; } = [];

    /// <summary>Phases of the automatic thresholds.</summary>
    [Parameter("Number of phases that Otsu's criterion looks for when no ranges are given.", Min = 2, Max = 5)]
    public int Classes { get; init; } = 2;

    /// <summary>Doubtful greys.</summary>
    [Parameter("Width of the window of grey levels around each automatic threshold that is flooded: small is generous, large is conservative.", Unit = "grey levels", Min = 0)]
    public double Window { get; init; } = 40;

    /// <summary>Scale of the gradient.</summary>
    [Parameter("Scale at which the gradient is taken.", Unit = "voxels", Min = 0.5, Max = 10)]
    public double Sigma { get; init; } = 1;

    /// <summary>2 or 3.</summary>
    [Parameter("2 floods each slice for itself, whatever the volume; 3 floods the volume, which must fit the memory budget.", Min = 2, Max = 3)]
    public int Dimensions { get; init; } = 2;

    /// <summary>Names of the phases.</summary>
    [Parameter("Names of the phases in label order, with a colour if wanted: pore, carbon=#444444.")]
    public string[] Phases { get; init; } = [];

    /// <inheritdoc/>
    public override void Run(StepRun run)
    {
        var parsed = Array.ConvertAll(Ranges, GreyRange.Parse);
        double[] thresholds = parsed.Length > 0 ? [] : Threshold.Otsu(run.Source, run.Walk.Part(0, 0.3), Classes);
        var count = parsed.Length > 0 ? parsed.Max(range => range.Label) : Classes;
        run.Fact("thresholds", thresholds);
        var seeds = parsed.Length > 0 ? new GreyRanges(parsed) : GreySeeds.Around(thresholds, Window);
        Apply(run.Source, seeds.View(run.Source), run.CreateLabels(PhaseNames.Of(count, Phases, count == 2 ? PhaseNames.PoreSolid : [])), Sigma, Dimensions, run.Walk.Part(0.3, 1));
    }

    /// <summary>
    /// Floods the gradient's magnitude from the seeds, over faces. Voxels that no seed reaches stay 0. Of equal heights the voxel
    /// that was reached first goes on first. Border: mirror for the gradient.
    /// </summary>
    /// <param name="source">Grey values.</param>
    /// <param name="seeds">0 where a voxel is left to flooding.</param>
    /// <param name="target">Takes the labels.</param>
    /// <param name="sigma">Scale of the gradient in voxels.</param>
    /// <param name="dimensions">2 floods slice by slice, 3 the volume.</param>
    /// <param name="walk">Threads, budget, progress.</param>
    /// <exception cref="InputError">Sizes differ, or a 3-D flood does not fit the memory budget.</exception>
    public static void Apply(IVolume source, IVolume<byte> seeds, IWritableVolume<byte> target, double sigma, int dimensions, Traversal walk)
    {
        var size = source.Info.Size;
        if (seeds.Info.Size != size) throw new InputError($"seeds: are {seeds.Info.Size} voxels, the image is {size}; seeds need the image's grid.");
        var need = (dimensions == 3 ? size.Count : size.SliceCount * walk.Threads) * 12;
        if (need > walk.MemoryBytes / 2 || need / 12 > Array.MaxLength)
        {
            throw new InputError($"memory budget of {walk.MemoryBytes >> 20} MiB is too small: flooding {(dimensions == 3 ? "the volume" : "a slice on each thread")} needs {(2 * need >> 20) + 1} MiB. "
                + $"Raise --memory{(dimensions == 3 ? ", or flood slice by slice with dimensions 2" : " or lower --threads")}.");
        }
        var grey = source.AsFloat();
        if (dimensions == 3) Flood(grey, seeds, target, Box.Whole(size), sigma, dimensions);
        else walk.ForEach(size.Z, z =>
        {
            var slice = Box.Slice(size, z);
            if (!target.IsWritten(slice)) Flood(grey, seeds, target, slice, sigma, dimensions);
        });
    }

    private static void Flood(IVolume<float> grey, IVolume<byte> seeds, IWritableVolume<byte> target, Box box, double sigma, int dimensions)
    {
        var labels = new byte[box.Count];
        seeds.Read(box, labels);
        var heights = Gradient(grey, box, sigma, dimensions);
        Flood(labels, heights, box.Size);
        target.Write(box, labels);
    }

    /// <summary>Grows labels over 0 voxels in order of their height, of equal heights first come first served.</summary>
    internal static void Flood(byte[] labels, ushort[] heights, Size3 size)
    {
        var queues = new Queue<int>?[Levels];
        int[] steps = [-(int)size.SliceCount, -size.X, -1, 1, size.X, (int)size.SliceCount];
        var taken = new bool[labels.Length];
        for (var i = 0; i < labels.Length; i++)
        {
            if (labels[i] == 0) continue;
            taken[i] = true;
            (queues[heights[i]] ??= new()).Enqueue(i);
        }
        for (var level = 0; level < Levels;)
        {
            // what was taken may lie below the level that is being emptied: go back there
            if (queues[level] is { Count: > 0 } queue) level = Math.Min(level, Offer(queue.Dequeue()));
            else level++;
        }

        int Offer(int i)
        {
            var lowest = Levels;
            int x = i % size.X, y = i / size.X % size.Y, z = (int)(i / size.SliceCount);
            for (var n = 0; n < steps.Length; n++)
            {
                var inside = n switch { 0 => z > 0, 1 => y > 0, 2 => x > 0, 3 => x + 1 < size.X, 4 => y + 1 < size.Y, _ => z + 1 < size.Z };
                if (!inside || taken[i + steps[n]]) continue;
                var next = i + steps[n];
                (taken[next], labels[next]) = (true, labels[i]);
                (queues[heights[next]] ??= new()).Enqueue(next);
                lowest = Math.Min(lowest, heights[next]);
            }
            return lowest;
        }
    }

    // magnitude of the Gaussian gradient, scaled to the levels by its greatest value
    private static ushort[] Gradient(IVolume<float> grey, Box box, double sigma, int dimensions)
    {
        var set = new FeatureSet { Dimensions = dimensions, Scales = [Math.Max(0.7, sigma)], Families = [FeatureFamily.GaussianGradientMagnitude] };
        var magnitude = new float[box.Count];
        var edge = new Size3(dimensions == 3 ? 32 : 1, 128, 128);
        var grid = new BlockGrid(box.Size, edge);
        var features = new SignalFeatures(set, 1);
        for (var b = 0; b < grid.Count; b++)
        {
            var inner = grid[b].Shift(box.Start);
            features.Load([grey], inner);
            for (var z = 0; z < inner.Size.Z; z++)
            {
                features.Emit(z);
                for (var y = 0; y < inner.Size.Y; y++)
                    features.Values(0).Slice(y * features.Stride, inner.Size.X).CopyTo(magnitude.AsSpan((int)(((long)(inner.Start.Z - box.Start.Z + z) * box.Size.Y + inner.Start.Y + y) * box.Size.X + inner.Start.X)));
            }
        }
        var most = 0f;
        foreach (var m in magnitude) most = Math.Max(most, m);
        return Array.ConvertAll(magnitude, m => (ushort)(most > 0 ? Math.Min(Levels - 1, (int)(m / most * Levels)) : 0));
    }
}
