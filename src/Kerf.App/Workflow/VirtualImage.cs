using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Kerf.Imaging;
using Kerf.Simulation;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>An imaging run on disk: 8-bit slices as a microscope stores them, and beside them everything that is known of them.</summary>
/// <param name="Structure">Labels.</param>
/// <param name="Materials">The material of each label.</param>
/// <param name="Beam">Energy, detector and so on.</param>
/// <param name="Session">Artefacts, or null for none.</param>
/// <param name="Seed">Seed of electrons and artefacts.</param>
public sealed record VirtualImage(IVolume<byte> Structure, IReadOnlyDictionary<int, Material> Materials, Beam Beam, Session? Session, ulong Seed)
{
    /// <summary>Where the truth of an output lies.</summary>
    public static string TruthFolder(string output) => output.TrimEnd('/', '\\') + ".truth";

    /// <summary>
    /// Writes OUT; and OUT.truth/ with signal.zarr (electrons counted per electron shot), error.zarr (its standard error), labels.zarr, truth.json,
    /// report.html, and with artefacts ideal.zarr, depths.csv where slices are uneven, seen.zarr where there is redeposit. An interrupted run goes on
    /// where it stopped.
    /// </summary>
    /// <exception cref="InputError">Something is there already, or a parameter is wrong.</exception>
    public ImagingResult Write(string output, bool overwrite, Traversal walk)
    {
        var truth = TruthFolder(output);
        if (!overwrite && (File.Exists(output) || Directory.Exists(output.TrimEnd('/')))) throw new InputError($"{output}: is there already; choose another name or add --force.");
        Session?.Check();
        CheckRedeposition();
        var voxel = Structure.Info.RequireVoxel("imaging");
        var depths = Depths(voxel);
        // the beam itself drifts by parts of a pixel; whole ones are a matter of what is stored
        var drift = Session?.Drift(depths.Length, Seed);
        var field = Field(Structure.Info.Size with { Z = depths.Length }, drift);
        VolumeFile.CheckPlace(new VolumeInfo(field.Size, PixelType.UInt8, voxel), output, new() { Overwrite = overwrite });
        SimulateStructureCommand.CheckSpace(output, Structure.Info.Size, bytesPerVoxel: 10);
        ElectronImage.Check(Structure, Materials, Beam, walk);
        if (overwrite && Directory.Exists(truth)) Directory.Delete(truth, recursive: true);
        var fresh = !Directory.Exists(truth);
        Directory.CreateDirectory(truth);
        try
        {
            return Shoot(output, truth, overwrite, depths, drift, field, walk);
        }
        catch (InputError) when (fresh)
        {
            Directory.Delete(truth, recursive: true);
            throw;
        }
    }

    private ImagingResult Shoot(string output, string truth, bool overwrite, double[] depths, (double Y, double X)[]? drift, Box field, Traversal walk)
    {
        var voxel = Structure.Info.RequireVoxel("imaging");
        var facts = Facts(walk);
        var info = new VolumeInfo(Structure.Info.Size with { Z = depths.Length }, PixelType.Float32, Session is { SliceThickness: > 0 } s ? new(s.SliceThickness, voxel.Y, voxel.X) : voxel) { Metadata = facts };
        var options = new ZarrOptions { Chunk = ElectronImage.Chunk, TakeUpComplete = true };
        using var signal = (ZarrVolume<float>)ZarrVolume.Create(Path.Combine(truth, "signal.zarr"), info, options);
        using var error = (ZarrVolume<float>)ZarrVolume.Create(Path.Combine(truth, "error.zarr"), info, options);
        var (seen, materials) = Seen(truth, facts, walk);
        using var held = seen as ZarrVolume;
        double[] cuts = [.. depths.Select(depth => depth / voxel.Z)];
        var result = ElectronImage.Make(seen, materials, Beam, signal, error, Seed, walk.Part(0, 0.9), cuts, drift is null ? null : Session.Fractions(drift), new(Path.Combine(truth, "tiles.txt")));
        signal.Complete(walk.Part(0.9, 0.92));
        error.Complete(walk.Part(0.92, 0.94));
        var white = White(signal, walk);
        var labels = new Cut(Structure, cuts, info with { Type = PixelType.UInt8, Phases = Structure.Info.Phases, Metadata = Structure.Info.Metadata });
        IVolume<float> greys = new Greys(signal, white, info);
        if (Session is { EdgeBlur: > 0 }) greys = new BlurredEdges(greys, labels, Session.EdgeBlur);
        if (Session?.Ruler is { } ruler) greys = new RuledSlices(greys, ruler, depths, Session.Fractions(drift!), field.Start.Y);
        var json = new JsonObject { ["whiteSignal"] = white, ["depthNanometres"] = result.Depth, ["lostShare"] = result.Lost };
        foreach (var (name, value) in facts) json[name] = value;
        json["depths"] = new JsonArray([.. depths.Select(d => JsonValue.Create(d))]);
        if (Session is { ThicknessDeviation: > 0 }) AtomicFile.WriteAllText(Path.Combine(truth, "depths.csv"), SliceDepths.ToCsv(depths));
        if (Session is null) VolumeFile.Save(new Bytes(greys), output, walk.Part(0.94, 1), new() { Overwrite = overwrite });
        else Record(Session, greys, (field, drift!), output, truth, overwrite, json, walk.Part(0.94, 1));
        VolumeFile.Save(new Part(labels, field), Path.Combine(truth, "labels.zarr"), walk with { Progress = null }, new() { Overwrite = true });
        AtomicFile.WriteAllText(Path.Combine(truth, "truth.json"), json.ToJsonString(MeasurementFiles.Json) + "\n");
        ImageReport.Write(this, output, truth, json, result.Seconds, walk with { Progress = null });
        return result;
    }

    // nanometres below the structure's first slice
    private double[] Depths(VoxelSize voxel) => Session is { } s && (s.SliceThickness > 0 || s.ThicknessDeviation > 0)
        ? s.Cuts((Structure.Info.Size.Z - 1) * voxel.Z, voxel.Z, Seed) : [.. Enumerable.Range(0, Structure.Info.Size.Z).Select(z => z * voxel.Z)];

    private Dictionary<string, string> Facts(Traversal walk) => new()
    {
        ["vendor"] = "Kerf virtual microscope",
        ["voltageKeV"] = Beam.KeV.ToString(CultureInfo.InvariantCulture),
        ["detector"] = Beam.Detector.ToString().ToLowerInvariant(),
        ["acceptanceDegrees"] = string.Create(CultureInfo.InvariantCulture, $"{Beam.Angles.Inner} to {Beam.Angles.Outer}"),
        ["energyWindow"] = string.Create(CultureInfo.InvariantCulture, $"{Beam.Window.Low} to {Beam.Window.High}"),
        ["elastic"] = Beam.Elastic.ToString().ToLowerInvariant(),
        ["tiltDegrees"] = Beam.TiltDegrees.ToString(CultureInfo.InvariantCulture),
        ["electronsPerPixel"] = Beam.ElectronsPerPixel.ToString(CultureInfo.InvariantCulture),
        ["probeSigmaNanometres"] = Beam.ProbeSigma.ToString(CultureInfo.InvariantCulture),
        ["depthAskedNanometres"] = Beam.Depth.ToString(CultureInfo.InvariantCulture),
        ["materials"] = string.Join(", ", Materials.OrderBy(m => m.Key).Select(m => string.Create(CultureInfo.InvariantCulture, $"{m.Key}={m.Value.Name}:{m.Value.Density}"))),
        ["seed"] = Seed.ToString(CultureInfo.InvariantCulture),
        // what else the electrons depend on: a run is taken up only where all of it is the same
        ["structure"] = Fingerprint.OfLabels(Structure, walk),
        ["milling"] = Session is null ? "" : string.Create(CultureInfo.InvariantCulture,
            $"{Session.SliceThickness} {Session.ThicknessDeviation} {Session.RedepositRate} {Session.RedepositMost} {Session.RedepositWidth} {Session.DriftStep}"),
    };

    private void CheckRedeposition()
    {
        if (Session is not { RedepositRate: > 0 }) return;
        if (Materials.ContainsKey(Redeposition.Label)) throw new InputError($"redeposition: label {Redeposition.Label} stands for redeposit; give the phase another label.");
        if (!Materials.Values.Any(m => m.IsVacuum))
            throw new InputError("redeposition: no phase is vacuum, and filled pores collect nothing. Leave redepositRate out, or write --material 1=vacuum.");
        if (Materials.Values.All(m => m.IsVacuum)) throw new InputError("redeposition: every phase is vacuum; there is nothing to mill.");
    }

    // the structure as the beam meets it
    private (IVolume<byte> Structure, IReadOnlyDictionary<int, Material> Materials) Seen(string truth, Dictionary<string, string> facts, Traversal walk)
    {
        if (Session is not { RedepositRate: > 0 }) return (Structure, Materials);
        var solid = Materials.Where(m => !m.Value.IsVacuum).MaxBy(m => m.Key).Value;
        var info = Structure.Info with { Metadata = facts, Phases = [.. Structure.Info.Phases ?? [], new(Redeposition.Label, "redeposit", "#b08968")] };
        var seen = (ZarrVolume<byte>)ZarrVolume.Create(Path.Combine(truth, "seen.zarr"), info, new() { TakeUpComplete = true });
        if (!seen.IsComplete)
        {
            Redeposition.Write(Structure, [.. Enumerable.Range(0, 256).Select(l => Materials.TryGetValue(l, out var m) && m.IsVacuum)], Session, seen, Seed, walk with { Progress = null });
            seen.Complete(walk with { Progress = null });
        }
        return (seen, new Dictionary<int, Material>(Materials) { [Redeposition.Label] = solid with { Name = solid.Name + " redeposit", Density = solid.Density / 2 } });
    }

    // the window drifts over the imaged canvas, which is larger by a margin
    private Box Field(Size3 size, (double Y, double X)[]? drift)
    {
        if (drift is null) return Box.Whole(size);
        var margin = Session!.Margin(drift);
        if (size.Y <= 2 * margin + 8 || size.X <= 2 * margin + 8)
            throw new InputError($"structure: {size} voxels leave no field of view, the drift and the point spread need {margin} on each side. Make it larger or the drift smaller.");
        return new(new(0, margin, margin), size - new Size3(0, 2 * margin, 2 * margin));
    }

    private void Record(Session session, IVolume<float> greys, (Box Field, (double Y, double X)[] Shifts) view, string output, string truth, bool overwrite, JsonObject json, Traversal walk)
    {
        var (field, shifts) = view;
        var stored = greys.Info with { Size = field.Size, Type = PixelType.UInt8 };
        var work = Path.Combine(truth, "images.partial.zarr");
        if (Directory.Exists(work)) Directory.Delete(work, recursive: true);
        using (var images = (ZarrVolume<byte>)ZarrVolume.Create(work, stored))
        {
            using var ideal = (ZarrVolume<byte>)ZarrVolume.Create(Path.Combine(truth, "ideal.zarr"), stored, new() { TakeUpComplete = true });
            var done = session.Image(greys, shifts, images, ideal, Seed, walk, Session.Fractions(shifts));
            images.Complete(walk with { Progress = null });
            ideal.Complete(walk with { Progress = null });
            VolumeFile.Save(images, output, walk with { Progress = null }, new() { Overwrite = overwrite });
            json["session"] = JsonSerializer.SerializeToNode(done, MeasurementFiles.Json);
            json["artefacts"] = JsonSerializer.SerializeToNode(session, MeasurementFiles.Json);
            json["fieldStart"] = new JsonArray(field.Start.Z, field.Start.Y, field.Start.X);
        }
        Directory.Delete(work, recursive: true);
    }

    // the signal that all but one in a thousand pixels stay below becomes grey 240
    private static double White(IVolume<float> signal, Traversal walk)
    {
        const int bins = 4096;
        var slices = new long[signal.Info.Size.Z][];
        Blocks.ForEachSlice(signal, walk with { Progress = null }, (z, slice) =>
        {
            slices[z] = new long[bins];
            foreach (var value in slice.AsSpan(0, (int)signal.Info.Size.SliceCount)) slices[z][Math.Clamp((int)(value * (bins / 8f)), 0, bins - 1)]++;
        });
        var left = signal.Info.Size.Count / 1000;
        var bin = bins - 1;
        for (; bin > 0; bin--)
        {
            left -= slices.Sum(s => s[bin]);
            if (left < 0) break;
        }
        return (bin + 1) * (8.0 / bins) * 255 / 240;
    }

    private sealed class Greys(IVolume<float> signal, double white, VolumeInfo info) : IVolume<float>
    {
        public VolumeInfo Info => info;

        public void Read(Box box, Span<float> target)
        {
            signal.Read(box, target);
            var scale = (float)(255 / white);
            foreach (ref var value in target[..(int)box.Count]) value *= scale;
        }
    }

    private sealed class Bytes(IVolume<float> greys) : IVolume<byte>
    {
        public VolumeInfo Info { get; } = greys.Info with { Type = PixelType.UInt8 };

        public void Read(Box box, Span<byte> target)
        {
            var values = new float[box.Count];
            greys.Read(box, values);
            Grey.Narrow(values, target[..values.Length]);
        }
    }

    // what the beam meets first in each slice
    private sealed class Cut(IVolume<byte> structure, double[] cuts, VolumeInfo info) : IVolume<byte>
    {
        public VolumeInfo Info => info;

        public void Read(Box box, Span<byte> target)
        {
            var slice = box.Size with { Z = 1 };
            for (var z = 0; z < box.Size.Z; z++)
                structure.Read(new(box.Start with { Z = (int)cuts[box.Start.Z + z] }, slice), target.Slice((int)(z * slice.Count), (int)slice.Count));
        }
    }

    private sealed class Part(IVolume<byte> whole, Box part) : IVolume<byte>
    {
        public VolumeInfo Info { get; } = whole.Info with { Size = part.Size };

        public void Read(Box box, Span<byte> target) => whole.Read(box.Shift(part.Start), target);
    }
}
