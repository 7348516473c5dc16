using System.Runtime.InteropServices;

namespace Kerf.Networks;

/// <summary>The C ABI of <c>native/kerf_torch.h</c>, declaration by declaration.</summary>
internal static unsafe partial class KerfTorch
{
    public const string Library = "kerf_torch";

    [LibraryImport(Library)]
    public static partial nint kerf_error();

    [LibraryImport(Library)]
    public static partial int kerf_start(int threads);

    [LibraryImport(Library)]
    public static partial int kerf_cuda_devices();

    [LibraryImport(Library)]
    public static partial Tensor kerf_make(void* data, int type, long* shape, int axes, int flags, int device);

    [LibraryImport(Library)]
    public static partial void kerf_free(nint tensor);

    [LibraryImport(Library)]
    public static partial int kerf_shape(Tensor tensor, long* shape, int capacity);

    [LibraryImport(Library)]
    public static partial int kerf_read(Tensor tensor, float* values, long count);

    [LibraryImport(Library)]
    public static partial int kerf_write(Tensor tensor, float* values, long count);

    [LibraryImport(Library)]
    public static partial Tensor kerf_apply(int op, nint* inputs, int count, long* ints, int intCount, double* reals, int mode);

    [LibraryImport(Library)]
    public static partial Tensor kerf_loss(int kind, Tensor logits, Tensor target, int mode);

    [LibraryImport(Library)]
    public static partial int kerf_backward(Tensor loss);

    [LibraryImport(Library)]
    public static partial Tensor kerf_gradient(Tensor tensor);

    [LibraryImport(Library)]
    public static partial int kerf_adam(nint* weights, nint* first, nint* second, int count, long step, double rate, double beta1, double beta2, double epsilon);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int kerf_export(nint* names, nint* tensors, int count, string source, string path);

    /// <summary>The C library's: what .NET sets is not seen by native code.</summary>
    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int setenv(string name, string value, int overwrite);
}
