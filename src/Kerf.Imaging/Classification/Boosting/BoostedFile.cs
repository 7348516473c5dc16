using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>
/// Boosted trees as a file, all numbers little-endian: "KERFBOOS", format version (4 bytes), lengths of the header, of what further features are made from (0 for none) and of the packed
/// trees (4 each), these three, then the SHA-256 of all before. The header is JSON; the trees are XGBoost's JSON, compressed by zlib. XGBoost never sees the file: the trees
/// are read by <see cref="BoostedTrees.Parse"/>, which trusts nothing.
/// </summary>
public static class BoostedFile
{
    /// <summary>The format that this version writes; it reads this one and all before.</summary>
    public const int Version = 1;

    private const int Prefix = 24, Checksum = 32, MostTrees = 1 << 28;

    private static ReadOnlySpan<byte> Magic => "KERFBOOS"u8;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) } };

    private sealed record Filters(FeatureKind Kind, int Dimensions, double[] Scales, FeatureFamily[] Families, double[] Spacing);

    private sealed record Header(Filters? Features, bool Physical, double[]? Voxel, string[] Channels, string[] FeatureNames, Phase[] Phases, BoostedTrainingRecord Training);

    /// <summary>True when a file begins like boosted trees.</summary>
    public static bool Recognises(ReadOnlySpan<byte> start) => start.StartsWith(Magic);

    /// <summary>Writes a model, whole or not at all. The same model gives the same bytes.</summary>
    public static void Save(BoostedModel model, string path)
    {
        var filters = model.Features is { } set ? new Filters(set.Kind, set.Dimensions, [.. set.Scales], [.. set.Families], [set.Spacing.Z, set.Spacing.Y, set.Spacing.X]) : null;
        var header = JsonSerializer.SerializeToUtf8Bytes(
            new Header(filters, model.Physical, model.Voxel is { } v ? [v.Z, v.Y, v.X] : null, [.. model.Channels], [.. model.FeatureNames], [.. model.Phases], model.Training), Json);
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true)) zlib.Write(model.Content);
        var further = model.Further?.Content ?? [];
        var bytes = new byte[Prefix + header.Length + further.Length + packed.Length + Checksum];
        Magic.CopyTo(bytes);
        foreach (var (at, number) in new[] { (8, Version), (12, header.Length), (16, further.Length), (20, (int)packed.Length) }) BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(at), number);
        header.CopyTo(bytes, Prefix);
        further.CopyTo(bytes, Prefix + header.Length);
        packed.GetBuffer().AsSpan(0, (int)packed.Length).CopyTo(bytes.AsSpan(Prefix + header.Length + further.Length));
        SHA256.HashData(bytes.AsSpan(0, bytes.Length - Checksum), bytes.AsSpan(bytes.Length - Checksum));
        AtomicFile.WriteAllBytes(path, bytes);
    }

    /// <summary>Reads a model.</summary>
    /// <param name="path">The file.</param>
    /// <param name="open">Makes further features from what the file keeps of them and the names of the channels.</param>
    /// <exception cref="InputError">No model, a damaged one, or one of a later version.</exception>
    public static BoostedModel Load(string path, Func<byte[], IReadOnlyList<string>, FurtherFeatures> open)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InputError($"{path}: cannot be read ({exception.Message}). Give the file that kerf train boosted wrote.", exception);
        }
        if (bytes.Length < Prefix || !Recognises(bytes)) throw new InputError($"{path}: is no model of boosted trees. Give the file that kerf train boosted wrote.");
        int Number(int at) => BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at));
        if (Number(8) > Version) throw new InputError($"{path}: is of format {Number(8)}, this Kerf reads up to {Version}. Update Kerf, or train the model again.");
        var (header, further, packed) = (Number(12), Number(16), Number(20));
        if (Number(8) < 1 || header < 0 || further < 0 || packed < 0 || (long)Prefix + header + further + packed + Checksum != bytes.Length
            || !SHA256.HashData(bytes.AsSpan(0, bytes.Length - Checksum)).AsSpan().SequenceEqual(bytes.AsSpan(bytes.Length - Checksum)))
        {
            throw Damaged(path);
        }
        try
        {
            var told = JsonSerializer.Deserialize<Header>(bytes.AsSpan(Prefix, header), Json)!;
            var content = Unpack(bytes.AsMemory(Prefix + header + further, packed));
            return Model(path, told, further == 0 ? null : open(bytes[(Prefix + header)..(Prefix + header + further)], told.Channels), content);
        }
        catch (Exception exception) when (exception is JsonException or IOException or InvalidDataException or ArgumentException or NullReferenceException)
        {
            throw Damaged(path, exception);
        }
    }

    private static InputError Damaged(string path, Exception? inner = null) =>
        new($"{path}: is damaged (its checksum or content is wrong). Copy it again, or train the model again.", inner!);

    // trees as text compress five to ten times; a file that claims a hundred is made to fill the memory
    private static byte[] Unpack(ReadOnlyMemory<byte> packed)
    {
        var most = Math.Min(MostTrees, 64L * packed.Length + 4096);
        using var from = new ZLibStream(new MemoryStream(packed.ToArray()), CompressionMode.Decompress);
        using var to = new MemoryStream();
        var buffer = new byte[1 << 16];
        for (int read; (read = from.Read(buffer)) > 0;)
        {
            if (to.Length + read > most) throw new InvalidDataException();
            to.Write(buffer, 0, read);
        }
        return to.ToArray();
    }

    private static BoostedModel Model(string path, Header header, FurtherFeatures? further, byte[] content)
    {
        var set = header.Features is not { } told ? null : new FeatureSet
        {
            Kind = told.Kind,
            Dimensions = told.Dimensions is 2 or 3 ? told.Dimensions : throw new InvalidDataException(),
            Scales = told.Scales.All(s => s is > 0 and <= 1000) ? told.Scales : throw new InvalidDataException(),
            Families = told.Families,
            Spacing = told.Spacing is [> 0, > 0, > 0] ? (told.Spacing[0], told.Spacing[1], told.Spacing[2]) : throw new InvalidDataException(),
        };
        if (header.Phases.Length is < 2 or > 255 || header.Channels.Length == 0 || header.FeatureNames.Length is 0 or > 100_000) throw new InvalidDataException();
        var model = new BoostedModel(BoostedTrees.Parse(content, header.FeatureNames.Length, header.Phases.Length), content, set)
        {
            Further = further,
            Channels = header.Channels,
            Voxel = header.Voxel is [var z, var y, var x] ? new(z, y, x) : null,
            Physical = header.Physical,
            Phases = header.Phases,
            Training = header.Training,
        };
        return model.FeatureNames.SequenceEqual(header.FeatureNames) ? model
            : throw new InputError($"{path}: names features that this version computes differently. Train the model again.");
    }
}
