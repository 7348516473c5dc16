using System.Buffers;
using System.Numerics;

namespace Kerf.Volumes;

/// <summary>
/// Grey volumes as float: image algorithms compute in float whatever is stored. Reading widens exactly; writing to an integer type rounds to
/// nearest (ties to even) and clamps to the type's range, NaN becoming 0.
/// </summary>
public static class Grey
{
    /// <summary>The volume read as float. An 8- or 16-bit one is widened on the way, nothing is copied.</summary>
    public static IVolume<float> AsFloat(this IVolume volume) => volume switch
    {
        IVolume<float> already => already,
        IVolume<byte> bytes => new FloatView<byte>(bytes),
        IVolume<ushort> words => new FloatView<ushort>(words),
        _ => throw new NotSupportedException($"{volume.GetType().Name} holds no grey values"),
    };

    /// <summary>The writable volume, taking floats.</summary>
    public static IWritableVolume<float> AsFloatTarget(this IVolume volume) => volume switch
    {
        IWritableVolume<float> already => already,
        IWritableVolume<byte> bytes => new FloatTarget<byte>(bytes),
        IWritableVolume<ushort> words => new FloatTarget<ushort>(words),
        _ => throw new NotSupportedException($"{volume.GetType().Name} cannot be written"),
    };

    /// <summary>The volume as labels or as raw 8-bit values.</summary>
    /// <exception cref="InputError">It holds 16-bit or float voxels.</exception>
    public static IVolume<byte> AsLabels(this IVolume volume, string name = "the volume") => volume as IVolume<byte> ?? throw new InputError(
        $"{name} holds {volume.Info.Type.Name()} voxels, not labels (uint8). Segment it first, for example with kerf threshold.");

    /// <summary>Widens integers to float; exact.</summary>
    public static void Widen<T>(ReadOnlySpan<T> from, Span<float> to) where T : unmanaged
    {
        if (typeof(T) == typeof(byte))
        {
            var bytes = System.Runtime.InteropServices.MemoryMarshal.AsBytes(from);
            var i = 0;
            for (; i <= bytes.Length - Vector<byte>.Count; i += Vector<byte>.Count)
            {
                Vector.Widen(new Vector<byte>(bytes[i..]), out var low, out var high);
                Store(low, to[i..]);
                Store(high, to[(i + Vector<ushort>.Count)..]);
            }
            for (; i < bytes.Length; i++) to[i] = bytes[i];
        }
        else
        {
            var words = System.Runtime.InteropServices.MemoryMarshal.Cast<T, ushort>(from);
            var i = 0;
            for (; i <= words.Length - Vector<ushort>.Count; i += Vector<ushort>.Count) Store(new(words[i..]), to[i..]);
            for (; i < words.Length; i++) to[i] = words[i];
        }
    }

    /// <summary>Rounds to nearest even and clamps to the integer type; NaN becomes 0.</summary>
    public static void Narrow<T>(ReadOnlySpan<float> from, Span<T> to) where T : unmanaged
    {
        if (typeof(T) == typeof(byte))
        {
            var bytes = System.Runtime.InteropServices.MemoryMarshal.AsBytes(to);
            var i = 0;
            for (; i <= from.Length - Vector<byte>.Count; i += Vector<byte>.Count)
            {
                var low = Vector.Narrow(Levels(from, i, 255f, 0), Levels(from, i, 255f, 1));
                var high = Vector.Narrow(Levels(from, i, 255f, 2), Levels(from, i, 255f, 3));
                Vector.Narrow(low, high).CopyTo(bytes[i..]);
            }
            for (; i < from.Length; i++) bytes[i] = (byte)Level(from[i], 255f);
        }
        else
        {
            var words = System.Runtime.InteropServices.MemoryMarshal.Cast<T, ushort>(to);
            for (var i = 0; i < from.Length; i++) words[i] = (ushort)Level(from[i], 65535f);
        }
    }

    private static void Store(Vector<ushort> words, Span<float> to)
    {
        Vector.Widen(words, out var low, out var high);
        Vector.ConvertToSingle(Vector.AsVectorInt32(low)).CopyTo(to);
        Vector.ConvertToSingle(Vector.AsVectorInt32(high)).CopyTo(to[Vector<float>.Count..]);
    }

    // Level for a vector: the comparison is false for NaN here too
    private static Vector<uint> Levels(ReadOnlySpan<float> from, int at, float top, int part)
    {
        var value = new Vector<float>(from[(at + part * Vector<float>.Count)..]);
        value = Vector.ConditionalSelect(Vector.GreaterThan(value, Vector<float>.Zero), Vector.Min(value, new Vector<float>(top)), Vector<float>.Zero);
        return Vector.AsVectorUInt32(Vector.ConvertToInt32(Vector.Round(value)));
    }

    // the comparisons are false for NaN, so it falls to 0 on every processor
    private static float Level(float value, float top) => value > 0 ? MathF.Round(value < top ? value : top) : 0f;

    private class FloatView<T>(IVolume<T> inner) : IVolume<float> where T : unmanaged
    {
        public VolumeInfo Info => inner.Info;

        public void Read(Box box, Span<float> target)
        {
            var count = checked((int)box.Count);
            var buffer = ArrayPool<T>.Shared.Rent(count);
            inner.Read(box, buffer);
            Widen<T>(buffer.AsSpan(0, count), target);
            ArrayPool<T>.Shared.Return(buffer);
        }
    }

    private sealed class FloatTarget<T>(IWritableVolume<T> inner) : FloatView<T>(inner), IWritableVolume<float> where T : unmanaged
    {
        public void Write(Box box, ReadOnlySpan<float> source)
        {
            var count = checked((int)box.Count);
            var buffer = ArrayPool<T>.Shared.Rent(count);
            Narrow(source[..count], buffer.AsSpan(0, count));
            inner.Write(box, buffer.AsSpan(0, count));
            ArrayPool<T>.Shared.Return(buffer);
        }

        public bool IsWritten(Box box) => inner.IsWritten(box);
    }
}
