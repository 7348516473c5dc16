using Kerf.Volumes;

namespace Kerf.Networks;

/// <summary>
/// A network model as one file, an <see cref="ArrayFile"/> of magic "KERFNETW": the header holds architecture, names and shapes of all arrays,
/// preprocessing, channels, voxel size, phases and the training record; then the arrays.
/// </summary>
public static class NetworkFile
{
    /// <summary>The format that this version writes; it reads this one and all before.</summary>
    public const int Version = 1;

    private static ReadOnlySpan<byte> Magic => "KERFNETW"u8;

    private sealed record Header(
        Architecture Architecture, string[] Slots, GreyScaling Scaling, string[] Channels, double[]? Voxel, Phase[] Phases, NetworkTrainingRecord Training);

    /// <summary>True when a file begins like a network model.</summary>
    public static bool Recognises(ReadOnlySpan<byte> start) => start.StartsWith(Magic);

    /// <summary>Writes a model, whole or not at all. The same model gives the same bytes.</summary>
    public static void Save(NetworkModel model, string path)
    {
        var header = new Header(
            model.Architecture, Names(model.Architecture.Build()), model.Scaling, [.. model.Channels],
            model.Voxel is { } v ? [v.Z, v.Y, v.X] : null, [.. model.Phases], model.Training);
        ArrayFile.Write(path, Magic, Version, header, model.Values);
    }

    /// <summary>Reads a model.</summary>
    /// <exception cref="InputError">No model, a damaged one, or one of a later version.</exception>
    public static NetworkModel Load(string path)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InputError($"{path}: cannot be read ({exception.Message}). Give the file that kerf train network wrote.", exception);
        }
        return Parse(bytes, path);
    }

    /// <summary>Reads a model from the bytes of its file.</summary>
    /// <param name="bytes">The file.</param>
    /// <param name="path">Its name, for errors.</param>
    /// <exception cref="InputError">As <see cref="Load"/>.</exception>
    public static NetworkModel Parse(byte[] bytes, string path)
    {
        if (!Recognises(bytes)) throw new InputError($"{path}: is no network model. Give the file that kerf train network wrote.");
        try
        {
            var (header, arrays) = ArrayFile.Read<Header>(bytes, Magic, Version);
            var network = header.Architecture.Build();
            if (!Names(network).SequenceEqual(header.Slots) || arrays.Length != network.Slots.Count || arrays.Where((a, i) => a.Length != network.Slots[i].Count).Any())
                throw new InputError($"{path}: names layers that this version builds differently. Train the model again.");
            if (header.Phases.Length != network.Classes || header.Channels.Length != header.Architecture.Channels) throw new InvalidDataException();
            return new(header.Architecture, arrays, header.Scaling)
            {
                Channels = header.Channels,
                Voxel = header.Voxel is [var z, var y, var x] ? new(z, y, x) : null,
                Phases = header.Phases,
                Training = header.Training,
            };
        }
        catch (NotSupportedException exception)
        {
            throw new InputError($"{path}: is of a later format than this Kerf reads ({Version}). Update Kerf, or train the model again.", exception);
        }
        catch (Exception exception) when (exception is InvalidDataException or NullReferenceException)
        {
            throw new InputError($"{path}: is damaged (its checksum or content is wrong). Copy it again, or train the model again.", exception);
        }
    }

    private static string[] Names(Network network) => [.. network.Slots.Select(slot => $"{slot.Name} {string.Join('×', slot.Shape)}")];
}
