using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Kerf.Simulation;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>What <c>kerf demo</c> knows of its specimen and the steps do not.</summary>
/// <param name="Labels">True phases in the frame of slice 0: 1 pore, 2 solid electrolyte, 3 active material.</param>
/// <param name="Ideal">The image without drift, curtains, brightness jumps and noise, in the frame of slice 0.</param>
/// <param name="Session">Shifts, brightness offsets, curtains, thickness.</param>
public sealed record DemoTruth(IVolume<byte> Labels, IVolume<byte> Ideal, SessionTruth Session);

/// <summary>The virtual solid-state electrode of <c>kerf demo</c>, left in a folder as a microscope would leave it.</summary>
public static class DemoSpecimen
{
    /// <summary>Slices, rows and columns unless the caller asks for others: 384 rows of electrode under the cap.</summary>
    public static readonly Size3 DefaultSize = new(64, 384 + CapRows, 384);

    /// <summary>
    /// Rows of platinum above the electrode in slice 0. A box over the upper two thirds of them holds nothing but tracking marks, whatever the
    /// drift: align by it. Crop them away before segmenting; their true label is 0.
    /// </summary>
    public const int CapRows = 96;

    /// <summary>Slice thickness and pixel edges of the demo, in nanometres.</summary>
    public static readonly VoxelSize Voxel = new(20, 10, 10);

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary>What <see cref="Create"/> made here at an earlier call with the same seed and size, if it is all there; else made now.</summary>
    /// <exception cref="InputError">As <see cref="Create"/>.</exception>
    public static DemoTruth OpenOrCreate(string folder, ulong seed, Size3? size, Traversal walk)
    {
        var stamp = Path.Combine(folder, StampName);
        if (!File.Exists(stamp) || File.ReadAllText(stamp) != Stamp(folder, seed, size ?? DefaultSize)) return Create(folder, seed, size, walk);
        var hidden = Path.Combine(folder, "truth");
        var session = JsonSerializer.Deserialize<SessionTruth>(File.ReadAllText(Path.Combine(hidden, "truth.json")), Json)!;
        return new((IVolume<byte>)NpyVolume.Open(Path.Combine(hidden, "labels.npy")), (IVolume<byte>)NpyVolume.Open(Path.Combine(hidden, "ideal.npy")), session);
    }

    private const string StampName = "specimen.key";

    // the files by length and time: who changed one has it made anew
    private static string Stamp(string folder, ulong seed, Size3 size) => !Directory.Exists(Path.Combine(folder, "truth")) ? "" : Fingerprint.OfText(
        $"{seed} {size} {Machine.Version} {Fingerprint.OfStamps(Path.Combine(folder, "slices"))} {Fingerprint.OfStamps(Path.Combine(folder, "truth"))}");

    /// <summary>
    /// Makes a specimen and images it: <c>slices/slice_0000.tif</c> … for the chain, and <c>truth/</c> (labels.npy, ideal.npy, truth.json) for the
    /// score. The same seed and size give the same bytes.
    /// </summary>
    /// <param name="folder">Where <c>slices/</c> and <c>truth/</c> go; it is made when it is not there.</param>
    /// <param name="seed">Another seed gives another specimen and another session.</param>
    /// <param name="size">Field of view; null for <see cref="DefaultSize"/>.</param>
    /// <param name="walk">Threads; they do not change a byte.</param>
    /// <exception cref="InputError">The size leaves no electrode under the cap, or a file cannot be written.</exception>
    public static DemoTruth Create(string folder, ulong seed, Size3? size, Traversal walk)
    {
        var field = size ?? DefaultSize;
        if (field.Y < CapRows + 32 || field.X < 32 || field.Z < 2)
            throw new InputError($"demo: a size of {field} is too small; choose at least {new Size3(2, CapRows + 32, 32)} (z×y×x), of which {CapRows} rows are the cap.");
        var session = new Session();
        var shifts = session.Drift(field.Z, seed);
        var margin = session.Margin(shifts);
        var electrode = new Electrode(field + new Size3(0, 2 * margin, 2 * margin), Voxel, new() { CapHeight = (margin + CapRows) * Voxel.Y }, seed);

        var images = new Volume<byte>(field, Voxel);
        var ideal = new Volume<byte>(field, Voxel);
        var truth = session.Image(electrode.Greys, shifts, images, ideal, seed, walk);
        var labels = new Volume<byte>(new VolumeInfo(field, PixelType.UInt8, Voxel) { Phases = Electrode.Phases });
        walk.ForEach(field.Z, z => electrode.Labels.Read(Box.Slice(field, z).Shift(new(0, margin, margin)), labels.Slice(z)));

        var slices = Directory.CreateDirectory(Path.Combine(folder, "slices")).FullName;
        walk.ForEach(field.Z, z => WriteSlice(Path.Combine(slices, $"slice_{z:0000}.tif"), images, z));
        var hidden = Directory.CreateDirectory(Path.Combine(folder, "truth")).FullName;
        WriteNpy(Path.Combine(hidden, "labels.npy"), labels);
        WriteNpy(Path.Combine(hidden, "ideal.npy"), ideal);
        AtomicFile.WriteAllText(Path.Combine(hidden, "truth.json"), JsonSerializer.Serialize(truth, Json));
        AtomicFile.WriteAllText(Path.Combine(folder, StampName), Stamp(folder, seed, field));
        return new(labels, ideal, truth);
    }

    // uncompressed, as microscopes store them
    private static void WriteSlice(string path, Volume<byte> images, int z)
    {
        var size = images.Info.Size;
        TiffWriter.Save(new Volume<byte>(size with { Z = 1 }, images.Info.Voxel, images.Slice(z).ToArray()), path, Traversal.Default, compress: false);
    }

    private static void WriteNpy(string path, Volume<byte> volume)
    {
        var size = volume.Info.Size;
        var header = $"{{'descr': '|u1', 'fortran_order': False, 'shape': ({size.Z}, {size.Y}, {size.X}), }}";
        header = header.PadRight((10 + header.Length + 64) / 64 * 64 - 11) + "\n";
        byte[] start = [0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, (byte)(header.Length >> 8), .. Encoding.ASCII.GetBytes(header)];
        AtomicFile.WriteAllBytes(path, [.. start, .. volume.Data]);
    }
}
