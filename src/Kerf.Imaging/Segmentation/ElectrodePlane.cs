using System.Buffers;

namespace Kerf.Imaging;

/// <summary>The grey levels that divide an electrode's phases.</summary>
/// <param name="Pore">Between pore and electrolyte; by the paper's rule the response from which on there is pore.</param>
/// <param name="Active">From which on there is active material.</param>
/// <param name="ActiveAtPore">The same beside a pore: half-way between the two phases, where a blurred edge lies.</param>
/// <param name="ActiveAtElectrolyte">The same beside electrolyte.</param>
public sealed record ElectrodeLevels(double Pore, double Active, double ActiveAtPore, double ActiveAtElectrolyte);

/// <summary>
/// The two stages of <see cref="SegmentElectrode"/> on one plane. Input planes carry <see cref="Halo"/> pixels more on each side.
/// </summary>
internal sealed class ElectrodePlane
{
    private readonly GaborKernel _gabor;
    private readonly int _reach;
    private readonly int _smoothRadius;
    private readonly (float[], float[])[] _smooth;
    private readonly int _meanRadius;
    private readonly (float[], float[])[] _mean;
    private readonly (int Y, int X)[] _rim;
    private readonly int _rimRadius;

    // lengths in pixels
    public ElectrodePlane(GaborKernel gabor, double sigma, double smoothing, double edgeWidth)
    {
        _gabor = gabor;
        (_smoothRadius, _smooth) = Gaussian(smoothing);
        (_meanRadius, _mean) = Gaussian(sigma);
        _rimRadius = (int)Math.Floor(edgeWidth);
        _reach = Math.Max(gabor.Radius, _meanRadius);
        _rim = [.. from y in Enumerable.Range(-_rimRadius, 2 * _rimRadius + 1)
                   from x in Enumerable.Range(-_rimRadius, 2 * _rimRadius + 1)
                   where y * y + x * x <= edgeWidth * edgeWidth
                   select (y, x)];
        KeepsEdges = edgeWidth > 0;
    }

    public int Halo => _smoothRadius + _rimRadius + _reach;

    /// <summary>Blurred edges have no say; else the paper's own rule.</summary>
    public bool KeepsEdges { get; }

    /// <summary>1 = pore, 2 = electrolyte, 3 = active material.</summary>
    /// <param name="padded">Grey values.</param>
    /// <param name="height">Rows of the result.</param>
    /// <param name="width">Columns of the result.</param>
    /// <param name="levels">Where the phases meet.</param>
    /// <param name="top">The grey level that reversing turns into 0.</param>
    /// <param name="labels">The result.</param>
    public void Label(ReadOnlySpan<float> padded, int height, int width, ElectrodeLevels levels, double top, Span<byte> labels)
    {
        var count = height * width;
        var pore = levels.Pore;
        var buffer = ArrayPool<float>.Shared.Rent(4 * count);
        var response = buffer.AsSpan(0, count);
        var support = buffer.AsSpan(count, count);
        var grey = buffer.AsSpan(2 * count, count);
        var smooth = buffer.AsSpan(3 * count, count);
        Respond(padded, height, width, levels.Active, KeepsEdges ? pore : top, response, KeepsEdges ? support : default, smooth);
        Copy(padded, height, width, Halo, grey);
        for (var i = 0; i < count; i++)
        {
            // a film thinner than two edge widths has no unblurred pixel: its own grey value must do
            var isPore = !KeepsEdges ? response[i] >= pore : support[i] < LeastSupport ? grey[i] < pore : response[i] > 0;
            var active = !KeepsEdges ? levels.Active : isPore ? levels.ActiveAtPore : levels.ActiveAtElectrolyte;
            labels[i] = smooth[i] >= active ? (byte)3 : isPore ? (byte)1 : (byte)2;
        }
        ArrayPool<float>.Shared.Return(buffer);
    }

    /// <summary>
    /// What the threshold between pore and electrolyte is sought in: the mean grey value of the unblurred pixels around each of them, or the
    /// response of the reversed image. NaN where there is nothing to look at.
    /// </summary>
    public void Evidence(ReadOnlySpan<float> padded, int height, int width, double active, double pore, double top, Span<float> evidence)
    {
        var count = height * width;
        var buffer = ArrayPool<float>.Shared.Rent(2 * count);
        var support = buffer.AsSpan(0, count);
        var smooth = buffer.AsSpan(count, count);
        Respond(padded, height, width, active, KeepsEdges ? pore : top, evidence, support, smooth, KeepsEdges);
        for (var i = 0; i < count; i++)
        {
            if (smooth[i] >= active) evidence[i] = float.NaN;
            else if (KeepsEdges) evidence[i] = support[i] > 0.5f ? (float)(pore - evidence[i] / support[i]) : float.NaN;
            // the zeros of active material nearby would make a class of their own
            else if (support[i] < 0.9f) evidence[i] = float.NaN;
        }
        ArrayPool<float>.Shared.Return(buffer);
    }

    private const float LeastSupport = 0.05f;

    // the filtered (level − grey) of the pixels that have a say, and the share of them around each pixel
    private void Respond(
        ReadOnlySpan<float> padded, int height, int width, double active, double level,
        Span<float> response, Span<float> support, Span<float> smoothed, bool mean = false)
    {
        var (rimHeight, rimWidth) = (height + 2 * (_rimRadius + _reach), width + 2 * (_rimRadius + _reach));
        var (evenHeight, evenWidth) = (height + 2 * _reach, width + 2 * _reach);
        var smooth = ArrayPool<float>.Shared.Rent(rimHeight * rimWidth);
        var say = ArrayPool<float>.Shared.Rent(evenHeight * evenWidth);
        var weight = ArrayPool<float>.Shared.Rent(evenHeight * evenWidth);
        if (_smoothRadius == 0) Copy(padded, rimHeight, rimWidth, 0, smooth);
        else Plane.Correlate(padded, rimHeight, rimWidth, _smooth, _smoothRadius, smooth);
        Copy(padded, evenHeight, evenWidth, _smoothRadius + _rimRadius, say);
        for (int y = 0, i = 0; y < evenHeight; y++)
        {
            for (var x = 0; x < evenWidth; x++, i++)
            {
                var at = (y + _rimRadius) * rimWidth + x + _rimRadius;
                var known = smooth[at] < active && !(say[i] > level && KeepsEdges && NearActive(smooth, at, rimWidth, active));
                weight[i] = known ? 1 : 0;
                say[i] = known ? (float)(level - say[i]) : 0;
            }
        }
        Copy(smooth, height, width, _rimRadius + _reach, smoothed);
        var gap = _reach - (mean ? _meanRadius : _gabor.Radius);
        var cut = Gabor.Cut(say.AsSpan(0, evenHeight * evenWidth), evenHeight, evenWidth, gap, out var rented);
        if (mean) Plane.Correlate(cut, height, width, _mean, _meanRadius, response);
        else _gabor.Apply(cut, height, width, response);
        if (rented is not null) ArrayPool<float>.Shared.Return(rented);
        if (support.Length > 0)
        {
            cut = Gabor.Cut(weight.AsSpan(0, evenHeight * evenWidth), evenHeight, evenWidth, _reach - _meanRadius, out rented);
            Plane.Correlate(cut, height, width, _mean, _meanRadius, support);
            if (rented is not null) ArrayPool<float>.Shared.Return(rented);
        }
        ArrayPool<float>.Shared.Return(smooth);
        ArrayPool<float>.Shared.Return(say);
        ArrayPool<float>.Shared.Return(weight);
    }

    private bool NearActive(ReadOnlySpan<float> smooth, int at, int width, double active)
    {
        foreach (var (y, x) in _rim)
        {
            if (smooth[at + y * width + x] >= active) return true;
        }
        return false;
    }

    private static void Copy(ReadOnlySpan<float> plane, int height, int width, int margin, Span<float> target)
    {
        for (var y = 0; y < height; y++) plane.Slice((y + margin) * (width + 2 * margin) + margin, width).CopyTo(target[(y * width)..]);
    }

    private static (int Radius, (float[], float[])[] Terms) Gaussian(double sigma)
    {
        if (sigma <= 0) return (0, [([1f], [1f])]);
        var radius = (int)Math.Ceiling(3 * sigma);
        var weights = Enumerable.Range(-radius, 2 * radius + 1).Select(t => Math.Exp(-t * t / (2 * sigma * sigma))).ToArray();
        var sum = weights.Sum();
        var normal = Array.ConvertAll(weights, weight => (float)(weight / sum));
        return (radius, [(normal, normal)]);
    }
}
