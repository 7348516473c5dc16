namespace Kerf.Volumes;

/// <summary>Several channels of one specimen: that they lie on one grid, and which is which.</summary>
public static class ChannelGrid
{
    /// <summary>Refuses names that are not unique and extents that differ.</summary>
    /// <exception cref="InputError">They do.</exception>
    public static void Check(IReadOnlyList<(string Name, IVolume Volume)> channels)
    {
        string[] names = [.. channels.Select(c => c.Name)];
        if (names.Distinct().Count() != names.Length) throw new InputError($"channels: {string.Join(", ", names)}: two have one name; give each its own.");
        var size = channels[0].Volume.Info.Size;
        foreach (var (name, volume) in channels)
            if (volume.Info.Size != size)
                throw new InputError($"channel {name}: is {volume.Info.Size} voxels, {names[0]} is {size}; align and crop them to one grid first.");
    }

    /// <summary>Refuses labels of another extent than the image's.</summary>
    /// <exception cref="InputError">They have one.</exception>
    public static void CheckLabels(VolumeInfo image, VolumeInfo labels)
    {
        if (labels.Size != image.Size)
            throw new InputError($"labels: are {labels.Size} voxels, the image is {image.Size}; labels need the image's grid, 0 where nothing is labelled.");
    }

    /// <summary>The channels in the order that a model was trained on.</summary>
    /// <param name="trained">The model's names.</param>
    /// <param name="first">The model's first channel, whatever its name.</param>
    /// <param name="others">The others by their names.</param>
    /// <exception cref="InputError">One is missing, or the model has none of that name.</exception>
    public static IReadOnlyList<IVolume> Arrange(IReadOnlyList<string> trained, IVolume first, IReadOnlyList<(string Name, IVolume Volume)> others)
    {
        var names = string.Join(", ", trained);
        foreach (var (name, _) in others)
            if (!trained.Skip(1).Contains(name)) throw new InputError($"channel {name}: the model was trained on {names}, the first being the image; it takes no other.");
        return [first, .. trained.Skip(1).Select(name => others.FirstOrDefault(o => o.Name == name).Volume
            ?? throw new InputError($"channel {name}: is missing; the model was trained on {names}. Add --channel {name}=PATH."))];
    }
}
