using System.Diagnostics;
using System.Globalization;
using Kerf.Volumes;

namespace Kerf.Networks;

/// <summary>
/// Where our binding of libtorch is: artifacts/native/debian/libkerf_torch.so of the checkout, or of another name for the libtorch that
/// KERF_LIBTORCH points to. scripts/torch.sh builds it when it is not there or older than its sources.
/// </summary>
internal static class NativeLibraryFile
{
    public const string How = "As root: apt-get install libtorch-dev libopenblas0-pthread cmake make g++; or set KERF_LIBTORCH to the folder of an unpacked libtorch.";

    private const string Name = "libkerf_torch.so";

    /// <summary>The path, after building what is missing.</summary>
    /// <exception cref="InputError">It cannot be built; how to install what it needs.</exception>
    public static string Require()
    {
        var beside = Path.Combine(AppContext.BaseDirectory, Name);
        if (File.Exists(beside)) return beside;
        var root = Root() ?? throw new InputError($"libtorch is not bound: there is no {beside} and no checkout to build it from. {How}");
        var other = Environment.GetEnvironmentVariable("KERF_LIBTORCH") is { Length: > 0 } libtorch ? Path.GetFullPath(libtorch) : null;
        if (other is not null && !Directory.Exists(Path.Combine(other, "share", "cmake", "Torch")))
            throw new InputError($"KERF_LIBTORCH: {other} holds no libtorch (no share/cmake/Torch). Give the unpacked folder, or unset it to use Debian's.");
        var folder = Path.Combine(root, "artifacts", "native", other is null ? "debian" : Key(other));
        var file = Path.Combine(folder, Name);
        var sources = Directory.GetFiles(Path.Combine(root, "src", "Kerf.Networks", "native")).Max(File.GetLastWriteTimeUtc);
        if (!File.Exists(file) || File.GetLastWriteTimeUtc(file) < sources) Build(Path.Combine(root, "scripts", "torch.sh"), folder);
        return file;
    }

    private static string? Root()
    {
        for (var folder = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory); folder is not null; folder = Path.GetDirectoryName(folder))
            if (File.Exists(Path.Combine(folder, "Kerf.slnx"))) return folder;
        return null;
    }

    private static string Key(string path)
    {
        // FNV-1a: a name that stays the same from run to run
        var hash = 14695981039346656037UL;
        foreach (var c in path) hash = (hash ^ c) * 1099511628211UL;
        return hash.ToString("x16", CultureInfo.InvariantCulture);
    }

    private static void Build(string script, string folder)
    {
        var said = "";
        using var process = Process.Start(new ProcessStartInfo("bash") { ArgumentList = { script, folder }, RedirectStandardError = true, RedirectStandardOutput = true })!;
        process.ErrorDataReceived += (_, e) =>
        {
            if (e.Data?.StartsWith("kerf: ", StringComparison.Ordinal) == true) Console.Error.WriteLine(e.Data);
            else if (!string.IsNullOrWhiteSpace(e.Data)) said = e.Data;
        };
        process.BeginErrorReadLine();
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InputError(said.Length > 0 ? said : $"libtorch is missing. {How}");
    }
}
