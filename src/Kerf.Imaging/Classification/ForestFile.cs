using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>
/// A forest model as a file, all numbers little-endian: "KERFFRST", format version (4 bytes), length of the header (4), the header as JSON,
/// then the forest compressed by zlib, then the SHA-256 of all before. The forest: per feature the number of thresholds (2) and the thresholds
/// (float); then the trees, each in preorder: a node's bin (1) and feature (2), its no-branch, its yes-branch; a leaf is 255 and its class (1), or
/// 255, 255 and a vote (4) per class. Preorder needs no pointers, so none can point astray.
/// </summary>
public static class ForestFile
{
    /// <summary>The format that this version writes; it reads this one and all before.</summary>
    public const int Version = 1;

    private const int Prefix = 16, Checksum = 32;

    private static ReadOnlySpan<byte> Magic => "KERFFRST"u8;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    private sealed record Header(
        string Features, int Dimensions, double[] Scales, FeatureFamily[] Families, double[] Spacing, bool Physical, double[]? Voxel,
        string[] Channels, string[] FeatureNames, Phase[] Phases, ForestTrainingRecord Training);

    /// <summary>True when a file begins like a forest model; see <see cref="Load"/> for whether it is a sound one.</summary>
    public static bool Recognises(ReadOnlySpan<byte> start) => start.StartsWith(Magic);

    /// <summary>Writes a model, whole or not at all. The same model gives the same bytes.</summary>
    public static void Save(ForestModel model, string path)
    {
        var set = model.Features;
        var header = JsonSerializer.SerializeToUtf8Bytes(
            new Header(
                set.Kind.ToString().ToLowerInvariant(), set.Dimensions, [.. set.Scales], [.. set.Families], [set.Spacing.Z, set.Spacing.Y, set.Spacing.X], model.Physical,
                model.Voxel is { } v ? [v.Z, v.Y, v.X] : null, [.. model.Channels], [.. model.FeatureNames], [.. model.Phases], model.Training),
            Json);
        using var file = new MemoryStream();
        Span<byte> number = stackalloc byte[4];
        file.Write(Magic);
        BinaryPrimitives.WriteInt32LittleEndian(number, Version);
        file.Write(number);
        BinaryPrimitives.WriteInt32LittleEndian(number, header.Length);
        file.Write(number);
        file.Write(header);
        using (var packed = new BinaryWriter(new ZLibStream(file, CompressionLevel.Optimal, leaveOpen: true))) Write(model.Forest, packed);
        file.Write(SHA256.HashData(file.GetBuffer().AsSpan(0, (int)file.Length)));
        AtomicFile.WriteAllBytes(path, file.GetBuffer().AsSpan(0, (int)file.Length));
    }

    private static void Write(Forest forest, BinaryWriter to)
    {
        for (var f = 0; f < forest.Bins.Features; f++)
        {
            to.Write((ushort)forest.Bins.Thresholds(f).Length);
            foreach (var threshold in forest.Bins.Thresholds(f)) to.Write(threshold);
        }
        foreach (var tree in forest.Trees)
        {
            var open = new Stack<int>([0]);
            while (open.TryPop(out var i))
            {
                var node = tree.Nodes[i];
                to.Write((byte)DecisionTree.Threshold(node));
                if (DecisionTree.IsLeaf(node))
                {
                    var row = DecisionTree.Feature(node);
                    to.Write((byte)(row < tree.Classes ? row : 255));
                    if (row < tree.Classes) continue;
                    foreach (var vote in tree.VotesOf(i)) to.Write(vote);
                    continue;
                }
                to.Write((ushort)DecisionTree.Feature(node));
                open.Push(DecisionTree.Child(node) - 1);
                open.Push(DecisionTree.Child(node));
            }
        }
    }

    /// <summary>Reads a model.</summary>
    /// <exception cref="InputError">No model, a damaged one, or one of a later version.</exception>
    public static ForestModel Load(string path)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InputError($"{path}: cannot be read ({exception.Message}). Give the file that kerf train forest wrote.", exception);
        }
        if (bytes.Length < Prefix || !bytes.AsSpan().StartsWith(Magic)) throw new InputError($"{path}: is no forest model. Give the file that kerf train forest wrote.");
        var version = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(8));
        if (version > Version) throw new InputError($"{path}: is of format {version}, this Kerf reads up to {Version}. Update Kerf, or train the model again.");
        var length = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(12));
        if (version < 1 || bytes.Length < Prefix + Checksum || length < 0 || length > bytes.Length - Prefix - Checksum
            || !SHA256.HashData(bytes.AsSpan(0, bytes.Length - Checksum)).AsSpan().SequenceEqual(bytes.AsSpan(bytes.Length - Checksum)))
        {
            throw Damaged(path);
        }
        try
        {
            var header = JsonSerializer.Deserialize<Header>(bytes.AsSpan(Prefix, length), Json)!;
            if (!Enum.TryParse(header.Features, ignoreCase: true, out FeatureKind _) || !char.IsAsciiLetter(header.Features[0]))
                throw new InputError($"{path}: uses the feature set \"{header.Features}\", which this version does not know. Update Kerf.");
            var packed = bytes.AsMemory(Prefix + length, bytes.Length - Prefix - length - Checksum);
            return Model(path, header, packed);
        }
        catch (Exception exception) when (exception is JsonException or IOException or InvalidDataException or ArgumentException or NullReferenceException or FormatException)
        {
            throw Damaged(path, exception);
        }
    }

    private static InputError Damaged(string path, Exception? inner = null) =>
        new($"{path}: is damaged (its checksum or content is wrong). Copy it again, or train the model again.", inner!);

    private static ForestModel Model(string path, Header header, ReadOnlyMemory<byte> packed)
    {
        var set = new FeatureSet
        {
            Kind = Enum.Parse<FeatureKind>(header.Features, ignoreCase: true),
            Dimensions = header.Dimensions,
            Scales = header.Scales,
            Families = header.Families,
            Spacing = (header.Spacing[0], header.Spacing[1], header.Spacing[2]),
        };
        set.Check();
        var features = SignalFeatures.Signals(header.Channels.Length) * set.Count;
        if (set.Dimensions is not (2 or 3) || header.Phases.Length is < 2 or > 255 || header.FeatureNames.Length != features) throw Damaged(path);
        var forest = Read(packed, features, header.Phases.Length, header.Training.Options.Trees);
        var model = new ForestModel(forest, set)
        {
            Channels = header.Channels,
            Voxel = header.Voxel is [var z, var y, var x] ? new(z, y, x) : null,
            Physical = header.Physical,
            Phases = header.Phases,
            Training = header.Training,
        };
        if (!model.FeatureNames.SequenceEqual(header.FeatureNames))
            throw new InputError($"{path}: names features that this version computes differently. Train the model again.");
        return model;
    }

    private static Forest Read(ReadOnlyMemory<byte> packed, int features, int classes, int trees)
    {
        // what is read is kept: nothing is allocated by a count that the file claims
        using var from = new BinaryReader(new ZLibStream(new MemoryStream(packed.ToArray()), CompressionMode.Decompress));
        var thresholds = new float[features][];
        for (var f = 0; f < features; f++)
        {
            var count = from.ReadUInt16();
            if (count >= FeatureBins.Most) throw new InvalidDataException();
            thresholds[f] = [.. Enumerable.Range(0, count).Select(_ => from.ReadSingle())];
        }
        if (trees is < 1 or > 10_000) throw new InvalidDataException();
        // trees compress a few times; a file that claims a hundred is made to fill the memory
        var budget = 64L * packed.Length + 1024;
        var grown = new DecisionTree[trees];
        for (var t = 0; t < trees; t++) grown[t] = ReadTree(from, features, classes, ref budget);
        if (from.BaseStream.ReadByte() >= 0) throw new InvalidDataException();
        return new(new(thresholds), grown, classes);
    }

    private static DecisionTree ReadTree(BinaryReader from, int features, int classes, ref long budget)
    {
        var nodes = new List<ulong> { 0 };
        var votes = DecisionTree.PureVotes(classes);
        var open = new Stack<int>([0]);
        while (open.TryPop(out var i))
        {
            if (--budget < 0 || nodes.Count >= DecisionTree.MostNodes - 2) throw new InvalidDataException();
            var bin = from.ReadByte();
            if (bin == 255)
            {
                var row = (int)from.ReadByte();
                if (row >= classes)
                {
                    row = votes.Count;
                    int[] mixed = [.. Enumerable.Range(0, classes).Select(_ => from.ReadInt32())];
                    if (mixed.Any(vote => vote is < 0 or > DecisionTree.One) || mixed.Sum() != DecisionTree.One) throw new InvalidDataException();
                    votes.Add(mixed);
                }
                nodes[i] = DecisionTree.Node(i, row, 255);
                continue;
            }
            var feature = from.ReadUInt16();
            if (feature >= features) throw new InvalidDataException();
            nodes.Add(0);
            nodes.Add(0);
            nodes[i] = DecisionTree.Node(nodes.Count - 1, feature, bin);
            open.Push(nodes.Count - 2);
            open.Push(nodes.Count - 1);
        }
        return DecisionTree.Arrange(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(nodes), votes, classes);
    }
}
