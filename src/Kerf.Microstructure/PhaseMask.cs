using System.Globalization;
using System.Numerics;
using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>One phase of a segmentation as a volume: 1 in the phase, 0 elsewhere. Nothing is copied; a read compares on the way.</summary>
public sealed class PhaseMask : IVolume<byte>
{
    private PhaseMask(IVolume<byte> labels, Phase phase) => (Labels, Phase) = (labels, phase);

    /// <summary>The segmentation.</summary>
    public IVolume<byte> Labels { get; }

    /// <summary>The phase; its label may be 0 in a volume that names no phases.</summary>
    public Phase Phase { get; }

    /// <inheritdoc/>
    public VolumeInfo Info => Labels.Info with { Phases = null };

    /// <summary>Voxel edges in <see cref="Lengths.Unit"/>: nanometres, or 1 where the voxel size is unknown.</summary>
    public VoxelSize Voxel => Lengths.Voxel(Labels.Info);

    /// <summary>True when 0 stands for "outside the specimen": the volume names its phases, and 0 is not what was asked for.</summary>
    public bool ZeroIsOutside => Labels.Info.Phases is { Count: > 0 } && Phase.Label != 0;

    /// <inheritdoc/>
    public void Read(Box box, Span<byte> target)
    {
        Labels.Read(box, target);
        Mark(target[..checked((int)box.Count)], (byte)Phase.Label);
    }

    /// <summary>1 inside the specimen, 0 outside; null when all of the volume is specimen, so that nothing need be counted.</summary>
    public IVolume<byte>? Specimen(Traversal walk) => ZeroIsOutside && HoldsAny(Labels, 0, walk) ? new SpecimenMask(Labels) : null;

    /// <summary>Finds the phase in a segmentation. Reads no further than the first slice that holds it.</summary>
    /// <param name="labels">The segmentation.</param>
    /// <param name="phase">Label number or name; null takes the only phase that there is.</param>
    /// <param name="measure">Starts the error lines.</param>
    /// <param name="walk">Threads and cancellation.</param>
    /// <exception cref="InputError">No such phase, no voxel of it, or none named although there are several.</exception>
    public static PhaseMask Of(IVolume<byte> labels, string? phase, string measure, Traversal walk)
    {
        var named = labels.Info.Phases ?? [];
        if (phase is not null)
        {
            var found = named.FirstOrDefault(p => p.Name == phase);
            if (found is null && int.TryParse(phase, NumberStyles.None, CultureInfo.InvariantCulture, out var label) && label <= 255)
                found = Named(named, label);
            if (found is null) throw new InputError($"{measure}: --phase is \"{phase}\"; the volume holds {List(labels, walk)}. Give one of these numbers or names.");
            return HoldsAny(labels, (byte)found.Label, walk) ? new(labels, found) : throw new InputError(
                $"{measure}: no voxel is of phase {Worded(found)}; the volume holds {List(labels, walk)}. Choose one of these with --phase.");
        }
        var present = Present(labels, walk).Where(label => label != 0).ToArray();
        return present.Length == 1 ? new(labels, Named(named, present[0])) : throw new InputError(present.Length == 0
            ? $"{measure}: every voxel is 0 (unlabelled); there is no phase to measure. Segment the volume first, or say --phase 0."
            : $"{measure}: which phase? The volume holds {List(labels, walk)}. Choose one with --phase.");
    }

    /// <summary>Refuses a volume that is too thin.</summary>
    /// <exception cref="InputError">Fewer than <paramref name="least"/> voxels along an axis.</exception>
    public PhaseMask AtLeast(Size3 least, string measure)
    {
        for (var axis = 0; axis < 3; axis++)
        {
            if (Info.Size[axis] < least[axis]) throw new InputError(
                $"{measure}: the volume is {Info.Size[axis]} voxel{(Info.Size[axis] == 1 ? "" : "s")} thick along {((Axis)axis).Letter()}; it must be {least[axis]} or more. Measure a thicker one.");
        }
        return this;
    }

    /// <summary>The phase of a label, by its name where it has one.</summary>
    internal static Phase Named(IReadOnlyList<Phase> named, int label) => named.FirstOrDefault(p => p.Label == label) ?? Phase.Unnamed(label);

    private static string List(IVolume<byte> labels, Traversal walk) =>
        string.Join(", ", Present(labels, walk).Select(label => Worded(Named(labels.Info.Phases ?? [], label))));

    // a number alone where nobody gave a name
    private static string Worded(Phase phase) => phase.Name == Phase.Unnamed(phase.Label).Name ? $"{phase.Label}" : $"{phase.Label} ({phase.Name})";

    /// <summary>The values that a segmentation holds, in ascending order.</summary>
    internal static int[] Present(IVolume<byte> labels, Traversal walk)
    {
        var seen = new bool[256];
        Blocks.ForEachSlice(labels, walk with { Progress = null }, (_, slice) =>
        {
            var own = new bool[256];
            foreach (var label in slice.AsSpan(0, (int)labels.Info.Size.SliceCount)) own[label] = true;
            lock (seen)
            {
                for (var label = 0; label < 256; label++) seen[label] |= own[label];
            }
        });
        return [.. Enumerable.Range(0, 256).Where(label => seen[label])];
    }

    private static bool HoldsAny(IVolume<byte> labels, byte label, Traversal walk)
    {
        var size = labels.Info.Size;
        var slice = new byte[size.SliceCount];
        for (var z = 0; z < size.Z; z++)
        {
            walk.Cancellation.ThrowIfCancellationRequested();
            labels.Read(Box.Slice(size, z), slice);
            if (slice.AsSpan().Contains(label)) return true;
        }
        return false;
    }

    private sealed class SpecimenMask(IVolume<byte> labels) : IVolume<byte>
    {
        public VolumeInfo Info => labels.Info;

        public void Read(Box box, Span<byte> target)
        {
            labels.Read(box, target);
            foreach (ref var voxel in target[..checked((int)box.Count)]) voxel = voxel == 0 ? (byte)0 : (byte)1;
        }
    }

    /// <summary>1 where a voxel holds the label, else 0; in place.</summary>
    internal static void Mark(Span<byte> voxels, byte label)
    {
        var i = 0;
        var (wanted, one) = (new Vector<byte>(label), Vector<byte>.One);
        for (; i <= voxels.Length - Vector<byte>.Count; i += Vector<byte>.Count)
            (Vector.Equals(new Vector<byte>(voxels[i..]), wanted) & one).CopyTo(voxels[i..]);
        for (; i < voxels.Length; i++) voxels[i] = voxels[i] == label ? (byte)1 : (byte)0;
    }
}

/// <summary>Lengths of a volume whose voxel size may be unknown: then they count in voxels, and the unit says so.</summary>
public static class Lengths
{
    /// <summary>Voxel edges in nanometres, or cubes of edge 1.</summary>
    public static VoxelSize Voxel(VolumeInfo info) => info.Voxel ?? VoxelSize.Cube(1);

    /// <summary>"nm" or "voxels", to a power: "nm²", "1/nm", "1/voxels³" …</summary>
    public static string Unit(VolumeInfo info, int power = 1)
    {
        var name = info.Voxel is null ? "voxels" : "nm";
        var high = Math.Abs(power) switch { 1 => "", 2 => "²", _ => "³" };
        return power < 0 ? $"1/{name}{high}" : name + high;
    }
}
