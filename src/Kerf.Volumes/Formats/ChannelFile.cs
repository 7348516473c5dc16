namespace Kerf.Volumes;

/// <summary>A further channel of a specimen (detector, voltage) and where it is: "inlens=inlens.zarr".</summary>
/// <param name="Name">The channel's name.</param>
/// <param name="Path">What <see cref="VolumeFile.Open"/> reads.</param>
public sealed record ChannelFile(string Name, string Path)
{
    /// <summary>Reads "name=PATH".</summary>
    /// <exception cref="InputError">It is not of that form.</exception>
    public static ChannelFile Parse(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        var (name, path) = equals < 0 ? ("", "") : (text[..equals].Trim(), text[(equals + 1)..].Trim());
        return name.Length > 0 && path.Length > 0 ? new(name, path)
            : throw new InputError($"channel: \"{text}\" is no channel; write name=PATH, like inlens=inlens.zarr.");
    }

    /// <summary>Opens it; of a file with several channels the one of this name.</summary>
    /// <exception cref="InputError">As <see cref="VolumeFile.Open"/>.</exception>
    public IVolume Open(OpenOptions? options = null)
    {
        options ??= OpenOptions.Default;
        var has = VolumeFile.Channels(Path, options).Contains(Name, StringComparer.OrdinalIgnoreCase);
        return VolumeFile.Open(Path, options with { Channel = has ? Name : null });
    }
}
