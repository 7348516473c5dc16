using System.Runtime.InteropServices;

namespace Kerf.Networks;

/// <summary>A tensor of libtorch. It belongs to the <see cref="TensorScope"/> it was made in and dies with it, unless kept.</summary>
internal sealed unsafe class Tensor : SafeHandle
{
    /// <summary>For the marshaller.</summary>
    public Tensor() : base(0, true) { }

    public override bool IsInvalid => handle == 0;

    /// <summary>Extents, the batch first.</summary>
    public long[] Shape
    {
        get
        {
            Span<long> shape = stackalloc long[8];
            fixed (long* p = shape) return shape[..KerfTorch.kerf_shape(this, p, 8)].ToArray();
        }
    }

    /// <summary>A tensor of floats.</summary>
    /// <param name="values">Copied.</param>
    /// <param name="shape">Extents, the batch first.</param>
    /// <param name="flags">What it is for.</param>
    /// <param name="precision">How it is kept.</param>
    public static Tensor Of(ReadOnlySpan<float> values, ReadOnlySpan<long> shape, TensorFlags flags = 0, Precision precision = Precision.F32)
    {
        fixed (float* data = values) fixed (long* extents = shape) return Torch.Own(KerfTorch.kerf_make(data, (int)precision, extents, shape.Length, (int)flags, Torch.Device));
    }

    /// <summary>A tensor of whole numbers.</summary>
    public static Tensor Of(ReadOnlySpan<long> values, ReadOnlySpan<long> shape)
    {
        fixed (long* data = values) fixed (long* extents = shape) return Torch.Own(KerfTorch.kerf_make(data, 1, extents, shape.Length, 0, Torch.Device));
    }

    /// <summary>All values, row-major whatever their layout.</summary>
    public float[] Read()
    {
        var values = new float[Shape.Aggregate(1L, (a, b) => a * b)];
        Read(values);
        return values;
    }

    /// <summary>All values into a span of their number.</summary>
    public void Read(Span<float> values)
    {
        fixed (float* data = values) Torch.Check(KerfTorch.kerf_read(this, data, values.Length));
    }

    /// <summary>Replaces the values.</summary>
    public void Write(ReadOnlySpan<float> values)
    {
        fixed (float* data = values) Torch.Check(KerfTorch.kerf_write(this, data, values.Length));
    }

    /// <summary>A tensor of one value.</summary>
    public float Scalar()
    {
        Span<float> value = stackalloc float[1];
        Read(value);
        return value[0];
    }

    /// <summary>Gradients of everything the value depends on.</summary>
    public void Backward() => Torch.Check(KerfTorch.kerf_backward(this));

    /// <summary>The gradient that <see cref="Backward"/> left.</summary>
    public Tensor Gradient() => Torch.Own(KerfTorch.kerf_gradient(this));

    protected override bool ReleaseHandle()
    {
        KerfTorch.kerf_free(handle);
        return true;
    }
}

/// <summary>How a tensor is made.</summary>
[Flags]
internal enum TensorFlags
{
    /// <summary>Gradients are wanted.</summary>
    Learns = 1,

    /// <summary>Channels are innermost in memory: the fast layout of convolutions.</summary>
    ChannelsLast = 2,
}

/// <summary>Tensors made while a scope is open die with it; scopes nest, one thread each.</summary>
internal sealed class TensorScope : IDisposable
{
    [ThreadStatic]
    private static TensorScope? _current;
    private readonly TensorScope? _outer = _current;
    private readonly List<Tensor> _tensors = [];

    public TensorScope() => _current = this;

    /// <summary>Puts a new tensor into the innermost scope.</summary>
    public static Tensor Add(Tensor tensor)
    {
        _current?._tensors.Add(tensor);
        return tensor;
    }

    /// <summary>Hands a tensor to the scope around this one, or to the caller where there is none.</summary>
    public Tensor Keep(Tensor tensor)
    {
        if (_tensors.Remove(tensor)) _outer?._tensors.Add(tensor);
        return tensor;
    }

    /// <summary>Frees a tensor before its scope ends.</summary>
    public void Free(Tensor tensor)
    {
        if (_tensors.Remove(tensor)) tensor.Dispose();
    }

    public void Dispose()
    {
        foreach (var tensor in _tensors) tensor.Dispose();
        _current = _outer;
    }
}
