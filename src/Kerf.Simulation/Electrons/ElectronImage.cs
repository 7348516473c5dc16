using System.Diagnostics;
using Kerf.Volumes;

namespace Kerf.Simulation;

/// <summary>What an imaging run did.</summary>
/// <param name="Electrons">Electrons shot by this run; a resumed one shoots what the one before left.</param>
/// <param name="Lost">Share of all electrons that left the window that was looked at: sideways or below its depth.</param>
/// <param name="Depth">Depth of that window below each cut in nanometres.</param>
/// <param name="Seconds">Wall time.</param>
public sealed record ImagingResult(long Electrons, double Lost, double Depth, double Seconds);

/// <summary>
/// The images that a scanning beam makes of a structure that is milled slice by slice: slice k shows the structure from depth k on. See
/// docs/methods/electron-image.md.
/// </summary>
public static class ElectronImage
{
    private const int Batch = 24, Tile = 192;

    /// <summary>What is shot and written at a time: volumes with chunks of this shape lose no more when a run is stopped.</summary>
    public static readonly Size3 Chunk = new(Batch, Tile, Tile);

    /// <summary>Shoots the beam at every pixel of every slice.</summary>
    /// <param name="structure">Labels; a pixel of the image is a voxel.</param>
    /// <param name="materials">The material of each label that occurs.</param>
    /// <param name="beam">Energy, electrons per pixel, detector, tilt, probe.</param>
    /// <param name="signal">Receives the electrons counted per electron shot.</param>
    /// <param name="error">Receives the standard error of that.</param>
    /// <param name="seed">Electron n of pixel p of slice z draws from its own stream: same bytes for any number of threads.</param>
    /// <param name="walk">Threads and memory.</param>
    /// <param name="cuts">The depth of each image in voxels of the structure, ascending, fractions allowed; null for one at the top of each slice.</param>
    /// <param name="shifts">How far each image's content is displaced, in pixels along y and x: the beam scans that much the other way. By less than a pixel; null for none.</param>
    /// <param name="lost">Remembers between runs what each tile lost; a tile that it does not know is shot again.</param>
    /// <exception cref="InputError">A phase has no material, a parameter is out of its range, or the voxel size is unknown.</exception>
    public static ImagingResult Make(
        IVolume<byte> structure, IReadOnlyDictionary<int, Material> materials, Beam beam, IWritableVolume<float> signal, IWritableVolume<float> error, ulong seed, Traversal walk,
        IReadOnlyList<double>? cuts = null, IReadOnlyList<(double Y, double X)>? shifts = null, LostElectrons? lost = null)
    {
        var voxel = structure.Info.RequireVoxel("imaging");
        cuts ??= [.. Enumerable.Range(0, structure.Info.Size.Z).Select(z => (double)z)];
        lost ??= new(null);
        var size = structure.Info.Size with { Z = cuts.Count };
        CheckBeam(beam, size);
        var (materialOf, transports) = Number(materials, beam);
        var depth = beam.Depth > 0 ? beam.Depth : Math.Clamp(transports.Max(t => t?.Range(beam.KeV) ?? 0) / 2, HasVacuum(materials) ? 800 : 200, 1500);
        var reach = new Size3((int)Math.Ceiling(depth / voxel.Z) + 2, (int)Math.Ceiling(depth / 2 / voxel.Y) + 2, (int)Math.Ceiling(depth / 2 / voxel.X) + 2);
        var transport = new VoxelTransport(transports, HasVacuum(materials), beam, voxel, seed);
        var clock = Stopwatch.StartNew();
        long shot = 0;
        var grid = new BlockGrid(size, Chunk);
        for (var i = 0; i < grid.Count; i++)
        {
            var tile = grid[i];
            if (lost.Knows(i) && signal.IsWritten(tile) && error.IsWritten(tile)) continue;
            var (top, bottom) = ((int)cuts[tile.Start.Z] - VoxelWindow.MostClear, (int)cuts[tile.End.Z - 1] + 1 + reach.Z);
            var outer = new Box(tile.Start with { Z = top } - new Size3(0, reach.Y, reach.X), new Size3(bottom - top, tile.Size.Y + 2 * reach.Y, tile.Size.X + 2 * reach.X));
            CheckMemory(outer.Size, walk);
            var window = new VoxelWindow(structure, outer, materialOf);
            var (mean, deviation) = (new float[tile.Count], new float[tile.Count]);
            long gone = 0;
            walk.Part((double)i / grid.Count, (i + 1.0) / grid.Count).ForEach(tile.Size.Z * tile.Size.Y, item =>
            {
                var tally = new RowTally(tile.Size.X);
                var slice = tile.Start.Z + item / tile.Size.Y;
                transport.Row(window, new(slice, cuts[slice], shifts?[slice] ?? default), tile.Start.Y + item % tile.Size.Y, (tile.Start.X, tile.Size.X), size.X, tally);
                Interlocked.Add(ref gone, tally.Lost);
                tally.Write(beam.ElectronsPerPixel, mean.AsSpan(item * tile.Size.X, tile.Size.X), deviation.AsSpan(item * tile.Size.X, tile.Size.X));
            });
            shot += tile.Count * beam.ElectronsPerPixel;
            lost.Add(i, gone);
            signal.Write(tile, mean);
            error.Write(tile, deviation);
        }
        return new(shot, (double)lost.Total / (size.Count * beam.ElectronsPerPixel), depth, clock.Elapsed.TotalSeconds);
    }

    // vacuum is material 0; labels without a material map to 255
    private static (byte[] MaterialOf, Transport?[] Transports) Number(IReadOnlyDictionary<int, Material> materials, Beam beam)
    {
        var materialOf = new byte[256];
        Array.Fill(materialOf, byte.MaxValue);
        var transports = new List<Transport?> { null };
        foreach (var (label, material) in materials.OrderBy(m => m.Key))
        {
            if (label is < 0 or > 255) throw new InputError($"--material {label}: labels are 0 to 255.");
            materialOf[label] = material.IsVacuum ? (byte)0 : (byte)transports.Count;
            if (!material.IsVacuum) transports.Add(new(material, beam.KeV, beam.Elastic));
        }
        return (materialOf, [.. transports]);
    }

    /// <summary>Fails before anything is computed or written: reads all labels once, and looks at the beam.</summary>
    /// <exception cref="InputError">A phase has no material, or a parameter is out of its range.</exception>
    public static void Check(IVolume<byte> structure, IReadOnlyDictionary<int, Material> materials, Beam beam, Traversal walk)
    {
        CheckBeam(beam, structure.Info.Size);
        var missing = new int[structure.Info.Size.Z];
        Blocks.ForEachSlice(structure, walk with { Progress = null }, (z, slice) =>
        {
            missing[z] = -1;
            foreach (var label in slice.AsSpan(0, (int)structure.Info.Size.SliceCount)) if (!materials.ContainsKey(label)) missing[z] = label;
        });
        var first = Array.FindIndex(missing, label => label >= 0);
        if (first >= 0) throw VoxelWindow.NoMaterial(structure, missing[first]);
    }

    private static void CheckBeam(Beam beam, Size3 size)
    {
        beam.Check();
        if (size.SliceCount * beam.ElectronsPerPixel >= 1L << 32)
            throw new InputError($"{size.Y}×{size.X} pixels with {beam.ElectronsPerPixel} electrons each are too many: a slice has up to 2^32 electrons. Shoot fewer per pixel.");
    }

    // through empty pores electrons fall far
    private static bool HasVacuum(IReadOnlyDictionary<int, Material> materials) => materials.Values.Any(m => m.IsVacuum);

    private static void CheckMemory(Size3 window, Traversal walk)
    {
        var bytes = 4 * window.Count;
        if (bytes > walk.MemoryBytes)
            throw new InputError($"a window of {bytes >> 20} MiB does not fit the memory budget of {walk.MemoryBytes >> 20} MiB. Raise --memory, or look less deep with --depth.");
    }
}
