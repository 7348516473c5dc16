using System.Globalization;

namespace Kerf.Volumes;

/// <summary>Slice files → one volume: all headers are read and compared, pixels wait until they are asked for.</summary>
internal static class Slices
{
    /// <summary>Opens a channel of a folder.</summary>
    /// <exception cref="InputError">A slice is unreadable, empty, of another size or depth; numbers are missing or double.</exception>
    public static IVolume Open(SliceChannel channel, OpenOptions options)
    {
        var missing = CheckNumbers(channel, options);
        var files = new SliceFile[channel.Slices.Count];
        var faults = new InputError?[files.Length];
        Traversal.Default.ForEach(files.Length, z =>
        {
            try { files[z] = SliceFile.Read(Path.Combine(channel.Folder, channel.Slices[z].Name)); }
            catch (InputError fault) { faults[z] = fault; }
        });
        // the first slice that is wrong, whichever thread came across one first
        if (faults.FirstOrDefault(fault => fault is not null) is { } first) throw first;
        CheckAlike(channel.Folder, files);
        return Open(files, channel.Slices, missing, options);
    }

    /// <summary>Opens one image as a volume of one slice.</summary>
    public static IVolume Open(string path, OpenOptions options) => Open([SliceFile.Read(path)], [new(path, null)], [], options);

    private static IVolume Open(SliceFile[] files, IReadOnlyList<SliceName> names, List<long> missing, OpenOptions options)
    {
        var channel = ChannelNames.Pick(files[0].Channels, options.Channel, files[0].Path);
        var bar = options.KeepInfoBar ? 0 : Bar(files, channel);
        var head = files[0].Info;
        var metadata = head.Metadata.Where(note => note.Key != "slicePosition").ToDictionary();
        var positions = Positions([.. names.Select(name => name.PositionNm)]) ?? Told(files)
            ?? (missing.Count > 0 ? Positions(names, options.SlicePitchNm) : null);
        if (positions is not null) metadata["slicePositionsNm"] = string.Join(',', positions.Select(position => Text(position)));
        if (missing.Count > 0) metadata["gaps"] = SliceNames.Listed(missing, int.MaxValue);
        if (bar > 0) metadata["infoBarRowsCut"] = Text(bar);
        var info = head with
        {
            Size = new(files.Length, head.Size.Y - bar, head.Size.X),
            Voxel = Voxel(files, positions, options),
            Phases = files.Select(file => file.Info.Phases).OfType<IReadOnlyList<Phase>>().MaxBy(phases => phases.Count),
            Metadata = metadata,
        };
        return info.Type switch
        {
            PixelType.UInt8 => new SliceStack<byte>(info, files, channel, options.CacheBytes),
            PixelType.UInt16 => new SliceStack<ushort>(info, files, channel, options.CacheBytes),
            _ => new SliceStack<float>(info, files, channel, options.CacheBytes),
        };
    }

    private static List<long> CheckNumbers(SliceChannel channel, OpenOptions options)
    {
        var pair = channel.Slices.Zip(channel.Slices.Skip(1)).FirstOrDefault(p => p.First.Number is { } number && number == p.Second.Number);
        if (pair.First is not null)
        {
            throw new InputError(
                $"{channel.Folder}: {pair.First.Name} and {pair.Second.Name} are both slice {pair.First.Number}. Move one of them elsewhere.");
        }
        var missing = SliceNames.Missing(channel.Slices) ?? [];
        return missing.Count == 0 || options.AllowGaps ? missing : throw new InputError(
            $"{channel.Folder}: {(missing.Count == 1 ? "slice" : "slices")} {SliceNames.Listed(missing)} missing between {channel.Slices[0].Name} "
            + $"and {channel.Slices[^1].Name}. Add what is missing, or take the rest as it is with --allow-gaps.");
    }

    private static void CheckAlike(string folder, SliceFile[] files)
    {
        static (Size3, PixelType, int, int) Kind(SliceFile file) => (file.Info.Size, file.Info.Type, file.Bits, file.Channels.Count);
        var common = files.GroupBy(Kind).MaxBy(group => group.Count())!;
        if (files.FirstOrDefault(file => Kind(file) != common.Key) is { } odd)
        {
            throw new InputError($"{odd.Path}: is {Described(odd)}; {common.Count()} of the {files.Length} slices in {folder} are "
                + $"{Described(common.First())}. Export it like the others, or move it elsewhere.");
        }
        string Described(SliceFile file) => file.Kind + (file.Channels.Count > 1 ? $" with channels {string.Join(", ", file.Channels)}" : "");
    }

    // what the microscope says, or for Zeiss, which says nothing, what the first, the middle and the last slice show alike
    private static int Bar(SliceFile[] files, int channel)
    {
        var (height, metadata) = (files[0].Info.Size.Y, files[0].Info.Metadata);
        if (metadata.TryGetValue("databarHeightPixels", out var told))
            return int.TryParse(told, NumberStyles.None, CultureInfo.InvariantCulture, out var rows) && rows < height / 2 ? rows : 0;
        if (metadata.GetValueOrDefault("vendor") != "Zeiss") return 0;
        var found = new[] { 0, files.Length / 2, files.Length - 1 }.Distinct().Select(z => files[z].Info.Type switch
        {
            PixelType.UInt8 => InfoBar.Rows<byte>(files[z].Decode<byte>(channel), height, files[z].Info.Size.X),
            PixelType.UInt16 => InfoBar.Rows<ushort>(files[z].Decode<ushort>(channel), height, files[z].Info.Size.X),
            _ => 0,
        }).Distinct().ToArray();
        return found.Length == 1 ? found[0] : 0;
    }

    private static VoxelSize? Voxel(SliceFile[] files, double[]? positions, OpenOptions options)
    {
        var told = files[0].Info;
        // a single TIFF tells its pixel width as thickness: for a stack that is none
        var isTold = files.Length == 1 || SliceFile.IsPng(files[0].Path) || (told.Voxel is { } voxel && voxel.Z != voxel.X);
        var pitch = positions is null ? null : (double?)MedianStep(positions);
        return options.Complete(told with { Voxel = isTold || pitch is not null || options.SlicePitchNm is not null ? told.Voxel : null }, pitch);
    }

    // "12.5 um" of either sign, or Atlas' plain number: in µm, as its file names say; taken only where it fits the pixel
    private static double[]? Told(SliceFile[] files)
    {
        var texts = files.Select(file => file.Info.Metadata.GetValueOrDefault("slicePosition")?.Split(' ', 2)).ToArray();
        var positions = Positions([.. texts.Select(text =>
            text is null ? null : LengthUnit.Number(text[0]) * LengthUnit.Nanometres(text.ElementAtOrDefault(1) ?? "um"))]);
        if (positions is null || texts[0]!.Length > 1) return positions;
        var pixel = LengthUnit.Number(files[0].Info.Metadata.GetValueOrDefault("pixelSizeNm"));
        return MedianStep(positions) / pixel is > 0.05 and < 50 ? positions : null;
    }

    // where slices are missing, the numbers tell the places
    private static double[]? Positions(IReadOnlyList<SliceName> names, double? pitch)
    {
        if (pitch is null || names.Any(name => name.Number is null)) return null;
        var numbers = names.Select(name => (double)(name.Number!.Value - names[0].Number!.Value)).ToArray();
        var step = numbers.Zip(numbers.Skip(1), (a, b) => b - a).Min();
        return [.. numbers.Select(number => Math.Round(number / step * pitch.Value, 6))];
    }

    // from the first slice on; only when every slice tells one and each lies behind the one before
    private static double[]? Positions(double?[] told)
    {
        if (told.Length < 2 || told.Contains(null)) return null;
        var direction = Math.Sign(told[1]!.Value - told[0]!.Value);
        for (var z = 1; z < told.Length; z++) if (direction == 0 || Math.Sign(told[z]!.Value - told[z - 1]!.Value) != direction) return null;
        return [.. told.Select(position => Math.Round(Math.Abs(position!.Value - told[0]!.Value), 6))];
    }

    private static double MedianStep(double[] positions)
    {
        var steps = positions.Zip(positions.Skip(1), (a, b) => b - a).Order().ToArray();
        return Math.Round((steps[(steps.Length - 1) / 2] + steps[steps.Length / 2]) / 2, 6);
    }

    private static string Text(double value) => value.ToString("G10", CultureInfo.InvariantCulture);
}
