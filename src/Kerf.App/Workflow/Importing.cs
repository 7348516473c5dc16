using Kerf.Volumes;

namespace Kerf.App;

/// <summary>Copies slices of any readable format into the project's working storage, once.</summary>
public static class Importing
{
    /// <summary>Copies every voxel as it is; the pixel type stays.</summary>
    /// <param name="source">The slices.</param>
    /// <param name="run">Creates the volume that they are copied to.</param>
    /// <param name="name">The path of the slices, for error lines.</param>
    /// <exception cref="InputError">A float volume holds NaN or infinity; names the slice.</exception>
    public static void Copy(IVolume source, StepRun run, string name)
    {
        switch (source)
        {
            case IVolume<byte> bytes: Copy(bytes, run, name); break;
            case IVolume<ushort> words: Copy(words, run, name); break;
            case IVolume<float> floats: Copy(floats, run, name); break;
            default: throw new NotSupportedException(source.GetType().Name);
        }
    }

    private static void Copy<T>(IVolume<T> source, StepRun run, string name) where T : unmanaged
    {
        var target = (IWritableVolume<T>)run.Create(source.Info);
        Blocks.MapSlices(source, target, 0, Border.Nearest, run.Walk, (Block<T> input, Span<T> output) =>
        {
            if (typeof(T) == typeof(float)) CheckFinite(System.Runtime.InteropServices.MemoryMarshal.Cast<T, float>(input.Voxels), input.Inner.Start.Z, name);
            input.Voxels.CopyTo(output);
        });
    }

    private static void CheckFinite(ReadOnlySpan<float> slice, int z, string name)
    {
        foreach (var value in slice)
            if (!float.IsFinite(value)) throw new InputError($"{name}: slice {z} holds {value}, which is no grey value. Replace it (for example by 0) and import again.");
    }
}
