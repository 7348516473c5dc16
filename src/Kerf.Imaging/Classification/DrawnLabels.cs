using System.Buffers;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>
/// Labels that a person drew, as Fiji, ilastik, Labkit or napari save them: whole numbers 0 to 255 in any pixel type, 0 where nothing is labelled.
/// They cover the image's grid, or are single slices of it.
/// </summary>
public static class DrawnLabels
{
    /// <summary>Opens labels on the grid of an image; dispose the result.</summary>
    /// <param name="path">What <see cref="VolumeFile.Open"/> reads; of a palette image the indices count.</param>
    /// <param name="image">The image that was labelled. Labels may reach over its info bar, which is not looked at.</param>
    /// <param name="slices">
    /// Which slices of the image the label slices are, from 0: one number each, or that of the first of a run; empty for labels of the whole image.
    /// </param>
    /// <param name="options">How to open the file.</param>
    /// <exception cref="InputError">A colour image, another size, a slice outside the image; on reading: a value that is no label.</exception>
    public static IVolume<byte> Open(string path, VolumeInfo image, IReadOnlyList<int> slices, OpenOptions? options = null)
    {
        if (VolumeFile.Channels(path, options)[0] == "luma")
        {
            throw new InputError($"{path}: is a colour image; labels are numbers. Save them as an 8-bit label image (in Fiji: Image > Type > 8-bit, or "
                + "8-bit Color, which keeps the colours as a palette).");
        }
        var drawn = VolumeFile.Open(path, options);
        try
        {
            return new Placed(drawn, path, image.Size, Places(path, drawn.Info.Size, image, slices));
        }
        catch
        {
            (drawn as IDisposable)?.Dispose();
            throw;
        }
    }

    // per slice of the image the label slice that lies there, or −1
    private static int[] Places(string path, Size3 labels, VolumeInfo image, IReadOnlyList<int> slices)
    {
        var size = image.Size;
        var bar = image.Metadata.TryGetValue("infoBarRowsCut", out var text) && int.TryParse(text, out var rows) ? rows : 0;
        if (labels.X != size.X || (labels.Y != size.Y && labels.Y != size.Y + bar) || (slices.Count == 0 && labels.Z != size.Z))
        {
            throw new InputError($"{path}: labels are {labels} voxels (z×y×x), the image is {size}; labels need the image's grid, 0 where nothing is labelled"
                + (labels.Z < size.Z ? ", or for single slices their numbers: --slice n." : "."));
        }
        if (slices.Count > 1 && slices.Count != labels.Z)
            throw new InputError($"{path}: holds {labels.Z} slices, --slice names {slices.Count}; give one number for each, or that of the first of a run.");
        var places = new int[size.Z];
        Array.Fill(places, -1);
        for (var z = 0; z < labels.Z; z++)
        {
            var at = slices.Count == 0 ? z : slices.Count == 1 ? slices[0] + z : slices[z];
            if ((uint)at >= (uint)size.Z)
                throw new InputError($"{path}: --slice puts labels on slice {at}, outside the image; its slices are 0 to {size.Z - 1}.");
            if (places[at] >= 0) throw new InputError($"{path}: --slice names slice {at} twice; give each label slice its own.");
            places[at] = z;
        }
        return places;
    }

    private sealed class Placed(IVolume drawn, string path, Size3 size, int[] places) : IVolume<byte>, IDisposable
    {
        public VolumeInfo Info { get; } = drawn.Info with { Size = size, Type = PixelType.UInt8 };

        public void Read(Box box, Span<byte> target)
        {
            for (var z = 0; z < box.Size.Z; z++)
            {
                var place = places[box.Start.Z + z];
                var slice = target.Slice(z * (int)box.Size.SliceCount, (int)box.Size.SliceCount);
                var from = new Box(box.Start with { Z = place }, box.Size with { Z = 1 });
                if (place < 0) slice.Clear();
                else if (drawn is IVolume<byte> bytes) bytes.Read(from, slice);
                else if (drawn is IVolume<ushort> words) Read(words, from, slice);
                else Read((IVolume<float>)drawn, from, slice);
            }
        }

        private void Read<T>(IVolume<T> source, Box box, Span<byte> target) where T : unmanaged
        {
            var buffer = ArrayPool<T>.Shared.Rent(target.Length);
            source.Read(box, buffer);
            for (var i = 0; i < target.Length; i++)
            {
                var value = typeof(T) == typeof(ushort) ? (ushort)(object)buffer[i] : (float)(object)buffer[i];
                target[i] = (byte)value;
                // false for NaN too
                if (target[i] == value) continue;
                throw new InputError(FormattableString.Invariant($"{path}: slice {box.Start.Z} holds the value {value}; labels are whole numbers from 0 (none) to 255."));
            }
            ArrayPool<T>.Shared.Return(buffer);
        }

        public void Dispose() => (drawn as IDisposable)?.Dispose();
    }
}
