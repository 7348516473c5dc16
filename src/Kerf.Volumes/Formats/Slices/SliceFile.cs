namespace Kerf.Volumes;

/// <summary>One slice on disk: what its header says; its pixels are decoded when asked for.</summary>
/// <param name="Path">The file.</param>
/// <param name="Info">Size (one slice), type, pixel size, phases, metadata.</param>
/// <param name="Bits">Bits of a sample.</param>
/// <param name="Channels">Names of the channels inside the image: "luma", "red" … of a colour image.</param>
internal sealed record SliceFile(string Path, VolumeInfo Info, int Bits, IReadOnlyList<string> Channels)
{
    /// <summary>True for an ending that slices have.</summary>
    public static bool IsImage(string path) => IsPng(path) || IsTiff(path);

    public static bool IsPng(string path) => path.EndsWith(".png", StringComparison.OrdinalIgnoreCase);

    public static bool IsTiff(string path) =>
        path.EndsWith(".tif", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".tiff", StringComparison.OrdinalIgnoreCase);

    /// <summary>Size and bit depth, for messages.</summary>
    public string Kind => $"{Info.Size.X}×{Info.Size.Y} pixels of {(Bits == Info.Type.Bytes() * 8 ? Info.Type.Name() : $"{Bits} bits")}";

    /// <summary>Reads the header.</summary>
    /// <exception cref="InputError">No image, damaged, or a stack of several.</exception>
    public static SliceFile Read(string path)
    {
        if (IsPng(path)) return Of(path, Png.ReadHeader(path));
        using var file = TiffFile.Open(path);
        return file.Info.Size.Z == 1 ? new(path, file.Info, file.Pages[0].BitsPerSample, file.Channels) : throw new InputError(
            $"{path}: holds {file.Info.Size.Z} pages; in a folder of slices each file is one slice. Open this file alone, or move it elsewhere.");
    }

    /// <summary>Decodes one channel, x fastest.</summary>
    public T[] Decode<T>(int channel) where T : unmanaged
    {
        var pixels = IsPng(Path) ? DecodePng<T>(channel) : DecodeTiff<T>(channel);
        return pixels.Length == Info.Size.SliceCount ? pixels : throw Changed();
    }

    private static SliceFile Of(string path, PngHeader header)
    {
        var names = header.Colour switch
        {
            PngColour.Rgb or PngColour.Rgba => (string[])["luma", "red", "green", "blue"],
            PngColour.GreyAlpha => ["grey", "alpha"],
            _ => ["channel 1"],
        };
        var type = header.BitDepth == 16 ? PixelType.UInt16 : PixelType.UInt8;
        return new(path, new(new(1, header.Height, header.Width), type, header.Voxel) { Phases = header.Phases }, header.BitDepth, names);
    }

    private T[] DecodePng<T>(int channel) where T : unmanaged
    {
        var image = Png.Read(Path);
        var found = Of(Path, image.Header);
        if (found.Info.Size != Info.Size || found.Bits != Bits || found.Channels.Count != Channels.Count) throw Changed();
        if (found.Channels[0] != "luma") return image.Channel<T>(channel);
        return channel > 0 ? image.Channel<T>(channel - 1) : (T[])(Array)(Bits == 16 ? image.Luma<ushort>() : image.Luma<byte>());
    }

    private T[] DecodeTiff<T>(int channel) where T : unmanaged
    {
        var volume = TiffVolume.Open(Path, channel, 0);
        using var held = (IDisposable)volume;
        if (volume is not IVolume<T> typed || volume.Info.Size != Info.Size) throw Changed();
        var pixels = new T[Info.Size.SliceCount];
        typed.Read(Box.Whole(Info.Size), pixels);
        return pixels;
    }

    private InputError Changed() => new($"{Path}: was {Kind} when the folder was opened, and no longer is. Open the folder again.");
}
