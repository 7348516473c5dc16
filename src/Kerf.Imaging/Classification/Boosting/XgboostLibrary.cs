using System.Diagnostics;
using System.Runtime.InteropServices;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>XGBoost in this process: found, or installed by scripts/xgboost.sh, when boosted trees are first trained. Prediction does without it.</summary>
internal static class XgboostLibrary
{
    private const string Name = "libxgboost.so.0", How = "As root: apt-get install libxgboost0; or set KERF_XGBOOST to the path of a libxgboost.so.";
    private static readonly Lock Gate = new();
    private static bool _loaded;

    /// <summary>Loads it.</summary>
    /// <exception cref="InputError">There is none; how to get it.</exception>
    public static void Require()
    {
        lock (Gate)
        {
            if (_loaded) return;
            var handle = Load();
            NativeLibrary.SetDllImportResolver(typeof(Xgboost).Assembly, (name, _, _) => name == Xgboost.Library ? handle : 0);
            _loaded = true;
        }
        // what it would print does not belong on our standard output
        Check(Xgboost.XGBSetGlobalConfig("""{"verbosity":0}"""));
    }

    private static nint Load()
    {
        if (Environment.GetEnvironmentVariable("KERF_XGBOOST") is { Length: > 0 } path)
            return NativeLibrary.TryLoad(path, out var other) ? other : throw new InputError($"KERF_XGBOOST: {path} cannot be loaded. Give the path of a libxgboost.so, or unset it to use Debian's.");
        if (NativeLibrary.TryLoad(Name, out var handle)) return handle;
        Install();
        return NativeLibrary.TryLoad(Name, out handle) ? handle : throw new InputError($"XGBoost is missing ({Name}), and boosted trees are trained by it. {How}");
    }

    // from a checkout; elsewhere the error tells how
    private static void Install()
    {
        for (var folder = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (Path.Combine(folder, "scripts", "xgboost.sh") is var script && !File.Exists(script)) continue;
            using var process = Process.Start(new ProcessStartInfo("bash") { ArgumentList = { script }, RedirectStandardOutput = true })!;
            process.WaitForExit();
            return;
        }
    }

    /// <summary>Turns an answer of −1 into an error with XGBoost's words, its first line.</summary>
    public static void Check(int status)
    {
        if (status == 0) return;
        var lines = (Marshal.PtrToStringUTF8(Xgboost.XGBGetLastError()) ?? "").Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var text = lines.FirstOrDefault(line => !line.StartsWith("Stack trace", StringComparison.Ordinal)) ?? "no reason given";
        throw text.Contains("bad_alloc", StringComparison.Ordinal) || text.Contains("memory", StringComparison.OrdinalIgnoreCase)
            ? new InputError($"out of memory in XGBoost ({text}). Train on fewer labelled voxels: --samples.")
            : new InvalidOperationException("XGBoost: " + text);
    }
}
