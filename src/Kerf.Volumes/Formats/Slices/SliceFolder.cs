namespace Kerf.Volumes;

/// <summary>The slices of one detector or voltage.</summary>
/// <param name="Name">Sub-folder, or the part of the names that tells channels apart; "channel 1" when there is one.</param>
/// <param name="Folder">Where the files are.</param>
/// <param name="Slices">The files in slice order.</param>
internal sealed record SliceChannel(string Name, string Folder, IReadOnlyList<SliceName> Slices);

/// <summary>
/// Finds the slices and channels of a folder. Known layouts: one series of numbered names; several ("SE2_0001.tif", "InLens_0001.tif") of
/// which each is a channel; sub-folders of which each is a channel. Everything that is no TIFF or PNG is passed over.
/// </summary>
internal static class SliceFolder
{
    /// <summary>The channels, at least one.</summary>
    /// <exception cref="InputError">No slices, or names that belong to no common series.</exception>
    public static List<SliceChannel> Channels(string folder, string? pattern)
    {
        var images = Images(folder);
        if (images.Count > 0) return Channels(folder, images, pattern);
        var channels = Guarded(folder, () => Directory.GetDirectories(folder)).Where(sub => !IsHidden(sub)).OrderBy(sub => sub, SliceNames.Natural)
            .Select(sub => (Folder: sub, Images: Images(sub))).Where(sub => sub.Images.Count > 0)
            .SelectMany(sub => Channels(sub.Folder, sub.Images, pattern) is var inside && inside.Count == 1
                ? inside.Select(channel => channel with { Name = Path.GetFileName(sub.Folder) })
                : inside.Select(channel => channel with { Name = $"{Path.GetFileName(sub.Folder)}/{channel.Name}" })).ToList();
        return channels.Count > 0 ? channels : throw new InputError(
            $"{folder}: holds no TIFF or PNG slices ({Content(folder)}). Give the folder that does.");
    }

    /// <summary>Opens a channel.</summary>
    public static IVolume Open(string folder, OpenOptions options)
    {
        var channels = Channels(folder, options.NamePattern);
        // one channel: the name, if any, is that of a channel inside the images
        var layout = channels.Count > 1 ? ChannelNames.Pick([.. channels.Select(c => c.Name)], options.Channel, folder) : 0;
        var (channel, inside) = (channels[layout], channels.Count > 1 || options.Channel == channels[0].Name ? null : options.Channel);
        var first = Path.Combine(channel.Folder, channel.Slices[0].Name);
        // a stack that lies alone in its folder
        if (channel.Slices.Count == 1 && SliceFile.IsTiff(first)) return VolumeFile.OpenTiff(first, options with { Channel = inside });
        return Slices.Open(channel, options with { Channel = inside });
    }

    private static List<SliceChannel> Channels(string folder, List<string> images, string? pattern)
    {
        var series = SliceNames.Series(images, pattern);
        if (series.Count == 0)
        {
            throw new InputError(
                $"{folder}: no name of its {images.Count} slices follows the pattern \"{pattern}\"; one is {images[0]}. Correct the pattern.");
        }
        if (series.Count == 1) return [new("channel 1", folder, series[0].Slices)];
        if (pattern is not null) return [.. series.Select(s => new SliceChannel(s.Label, folder, s.Slices))];
        // names without a common number: nothing but their order is known
        if (series.TrueForAll(s => s.Slices.Count == 1)) return [new("channel 1", folder, [.. images.Select(name => new SliceName(name, null))])];
        var (least, most) = (series.MinBy(s => s.Slices.Count)!, series.MaxBy(s => s.Slices.Count)!);
        if (least.Slices.Count < 2 || least.Slices.Count < most.Slices.Count / 2)
        {
            throw new InputError($"{folder}: {Count(most)} named like {most.Label}, but {least.Slices[0].Name} is not. "
                + "Move it elsewhere, or say which belong together with a name pattern.");
        }
        var names = SliceNames.Distinguish([.. series.Select(s => s.Label)]);
        return [.. series.Select((s, i) => new SliceChannel(names[i], folder, s.Slices))];
    }

    private static string Count(SliceSeries series) => series.Slices.Count == 1 ? "1 slice is" : $"{series.Slices.Count} slices are";

    private static List<string> Images(string folder) =>
        [.. Guarded(folder, () => Directory.GetFiles(folder)).Where(path => SliceFile.IsImage(path) && !IsHidden(path))
            .Select(path => Path.GetFileName(path)).OrderBy(name => name, SliceNames.Natural)];

    // what macOS leaves behind ("._slice1.tif") and other programs hide
    private static bool IsHidden(string path) => Path.GetFileName(path).StartsWith('.');

    private static string Content(string folder)
    {
        var (files, folders) = (Directory.GetFiles(folder).Length, Directory.GetDirectories(folder).Length);
        return files + folders == 0 ? "it is empty" : $"it holds {files} other files and {folders} folders";
    }

    private static string[] Guarded(string folder, Func<string[]> list) => InputFile.Guard(folder, list);
}
