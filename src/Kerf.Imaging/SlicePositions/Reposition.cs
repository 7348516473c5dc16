using System.Globalization;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>Puts slices at the depths where they were cut. See docs/methods/slice-positions.md.</summary>
[Operation("reposition", "Puts each slice at its measured depth on a fine grid; planes without a slice stay empty (0) until fill.")]
public sealed record Reposition : Step
{
    /// <summary>Where the depths are.</summary>
    [Parameter("CSV file with the depth or the thickness of each slice in nanometres. Left out: what the volume itself knows (from mimic, or positions in the metadata).", IsPath = true)]
    public string? Depths { get; init; }

    /// <summary>Distance of the new planes.</summary>
    [Parameter("Distance between the new planes. Left out: the pixel size.", Unit = "nm", Min = 0.001)]
    public double? Grid { get; init; }

    /// <inheritdoc/>
    public override void Run(StepRun run)
    {
        var info = run.Source.Info;
        var voxel = info.RequireVoxel("reposition");
        var grid = Grid ?? voxel.X;
        var slices = info.Size.Z;
        var depths = Depths is not null ? SliceDepths.Read(Depths, slices) : SliceDepths.Of(info, SliceDepths.DepthsKey) ?? throw new InputError(
            "reposition: where the slices lie is not known. Give --depths FILE.csv, from kerf thickness or from the microscope's log.");
        if (depths.Length != slices) throw new InputError($"reposition: the volume knows {depths.Length} depths for its {slices} slices; give --depths FILE.csv.");
        var planes = Place(depths, grid);
        run.Fact("planes", planes);
        run.Fact("moved", planes.Zip(depths, (plane, depth) => Math.Round(plane * grid - depth, 4)).ToArray());
        var metadata = info.Metadata.Where(m => m.Key != SliceDepths.DepthsKey).ToDictionary();
        metadata[SliceDepths.PlanesKey] = SliceDepths.Join(planes);
        var target = run.Create(info with { Size = info.Size with { Z = planes[^1] + 1 }, Voxel = new(grid, voxel.Y, voxel.X), Metadata = metadata });
        var slice = new int[planes[^1] + 1];
        Array.Fill(slice, -1);
        for (var k = 0; k < slices; k++) slice[planes[k]] = k;
        Planes.Copy(run.Source, target, z => slice[z], run.Walk);
    }

    /// <summary>
    /// The plane of each slice: depths rounded to the grid; slices that would share a plane move to free planes nearby. Of all ways to give each slice a plane of its
    /// own in their order, this is one with the least sum of squared moves: plane − slice number may not fall, so it is an isotonic regression, solved by pooling neighbours
    /// (Ayer et al. 1955, doi:10.1214/aoms/1177728423).
    /// </summary>
    /// <param name="depths">Increasing, in nanometres.</param>
    /// <param name="grid">Distance of planes in nanometres.</param>
    /// <exception cref="InputError">There are clearly fewer planes than slices.</exception>
    public static int[] Place(IReadOnlyList<double> depths, double grid)
    {
        var mean = depths.Count > 1 ? (depths[^1] - depths[0]) / (depths.Count - 1) : grid;
        if (grid > 1.25 * mean)
        {
            throw new InputError(string.Create(CultureInfo.InvariantCulture,
                $"reposition: a grid of {grid} nm is coarser than the slices ({mean:G4} nm on average), so they would not all find a place; choose {mean:G3} nm or less."));
        }
        var pools = new List<(double Sum, int Count)>();
        for (var k = 0; k < depths.Count; k++)
        {
            (double Sum, int Count) pool = ((depths[k] - depths[0]) / grid - k, 1);
            while (pools.Count > 0 && pools[^1].Sum * pool.Count >= pool.Sum * pools[^1].Count)
            {
                pool = (pool.Sum + pools[^1].Sum, pool.Count + pools[^1].Count);
                pools.RemoveAt(pools.Count - 1);
            }
            pools.Add(pool);
        }
        var planes = new int[depths.Count];
        var at = 0;
        foreach (var (sum, count) in pools)
        {
            var offset = Math.Max(0, (int)Math.Floor(sum / count + 0.5));
            for (var i = 0; i < count; i++, at++) planes[at] = offset + at;
        }
        return planes;
    }
}
