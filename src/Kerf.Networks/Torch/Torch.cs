using System.Globalization;
using System.Runtime.InteropServices;
using Kerf.Volumes;

namespace Kerf.Networks;

/// <summary>libtorch in this process: found or built when a network first asks for it, one device, errors as exceptions with its words.</summary>
public static class Torch
{
    private static readonly Lock Gate = new();
    private static bool _loaded;

    /// <summary>The device that new tensors go to: −1 the processor, 0 and more a GPU.</summary>
    internal static int Device { get; private set; } = -1;

    /// <summary>"cpu" or "cuda:0".</summary>
    public static string DeviceName => Device < 0 ? "cpu" : string.Create(CultureInfo.InvariantCulture, $"cuda:{Device}");

    /// <summary>Loads libtorch, binding it first where that was not done yet, and chooses threads and device. Call it on the thread that computes.</summary>
    /// <param name="threads">Threads of its kernels.</param>
    /// <param name="device">auto (a GPU when there is one), cpu, cuda or cuda:N.</param>
    /// <exception cref="InputError">There is no libtorch, or no such device; how to get it.</exception>
    public static void Start(int threads, string device = "auto")
    {
        lock (Gate)
        {
            if (!_loaded)
            {
                var path = NativeLibraryFile.Require();
                // threads of libgomp spin while they wait, which starves everyone on a busy machine; libgomp looks at this when it is loaded
                _ = KerfTorch.setenv("GOMP_SPINCOUNT", "20000", 0);
                try
                {
                    var handle = NativeLibrary.Load(path);
                    NativeLibrary.SetDllImportResolver(typeof(Torch).Assembly, (name, _, _) => name == KerfTorch.Library ? handle : 0);
                }
                catch (Exception exception) when (exception is DllNotFoundException or BadImageFormatException)
                {
                    throw new InputError($"libtorch cannot be loaded ({exception.Message.Split('\n')[0].Trim()}). {NativeLibraryFile.How}", exception);
                }
                _loaded = true;
            }
        }
        Check(KerfTorch.kerf_start(threads));
        var gpus = KerfTorch.kerf_cuda_devices();
        Device = device switch
        {
            "auto" => gpus > 0 ? 0 : -1,
            "cpu" => -1,
            "cuda" when gpus > 0 => 0,
            _ when device.StartsWith("cuda:", StringComparison.Ordinal) && int.TryParse(device.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n < gpus => n,
            _ => throw new InputError($"--device is \"{device}\"; this libtorch sees {gpus} GPUs. Write auto, cpu, or cuda:N; a CUDA libtorch is chosen by KERF_LIBTORCH."),
        };
    }

    /// <summary>True where libtorch sees a GPU; after <see cref="Start"/>.</summary>
    public static bool HasGpu => KerfTorch.kerf_cuda_devices() > 0;

    internal static Tensor Own(Tensor tensor) => tensor.IsInvalid ? throw Fault() : TensorScope.Add(tensor);

    internal static void Check(int status)
    {
        if (status < 0) throw Fault();
    }

    private static Exception Fault()
    {
        var text = Marshal.PtrToStringUTF8(KerfTorch.kerf_error()) ?? "";
        return text.Contains("out of memory", StringComparison.OrdinalIgnoreCase) || text.Contains("allocate memory", StringComparison.OrdinalIgnoreCase)
            ? new InputError($"out of memory in libtorch ({text.Trim()}). Choose a smaller --batch, --patch or --tile.") : new TorchException(text);
    }
}

/// <summary>libtorch refused an operation: a bug of ours. Its words are the message.</summary>
public sealed class TorchException(string message) : Exception("libtorch: " + message);
