using Kerf.Volumes;

namespace Kerf.App;

/// <summary>The work of <c>kerf convert</c>.</summary>
public static class ConvertCommand
{
    /// <summary>Copies a volume, voxel for voxel, to the format that the output's ending says.</summary>
    /// <param name="input">What <see cref="VolumeFile.Open"/> reads.</param>
    /// <param name="output">What <see cref="VolumeFile.Save"/> writes.</param>
    /// <param name="opening">Channel, voxel size, gaps.</param>
    /// <param name="walk">Threads, memory, progress.</param>
    /// <param name="overwrite">Replaces an output that is there already.</param>
    /// <exception cref="InputError">The input cannot be read, or the output not be written.</exception>
    public static void Run(string input, string output, OpenOptions opening, Traversal walk, bool overwrite = false)
    {
        var volume = VolumeFile.Open(input, opening);
        using var held = volume as IDisposable;
        VolumeFile.Save(volume, output, walk, new() { Overwrite = overwrite });
    }
}
