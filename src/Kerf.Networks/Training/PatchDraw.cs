using Kerf.Volumes;

namespace Kerf.Networks;

/// <summary>What chance does to one patch; a pure function of seed, epoch and place in the epoch.</summary>
internal sealed class PatchDraw
{
    // target pixel (y, x) reads source pixel M·(y, x), both from the centre
    private readonly double _yy = 1, _yx, _xy, _xx = 1;
    private readonly float _gain = 1, _offset, _noise, _blur;
    private readonly CounterRandom _random;

    /// <summary>A patch as it is.</summary>
    public static readonly PatchDraw None = new();

    private PatchDraw() { }

    /// <summary>Draws. Every number is drawn whatever is switched on, so that a switch changes nothing else.</summary>
    public PatchDraw(IReadOnlyList<Augmentation> chosen, Size3 stride, float unit, ulong seed, int epoch, int item)
    {
        var random = new CounterRandom(seed, 0x5041_0000_0000_0000UL ^ ((ulong)epoch << 32) ^ (ulong)item);
        var (flips, quarters) = (random.NextInt(4), random.NextInt(4));
        var (free, angle) = (random.NextInt(2) == 1, (random.NextDouble() - 0.5) * Math.PI / 2);
        var (move0, move1, move2) = (random.NextDouble() - 0.5, random.NextDouble() - 0.5, random.NextDouble() - 0.5);
        var (gain, offset) = (random.NextDouble() - 0.5, random.NextDouble() - 0.5);
        var (stretched, stretchY, stretchX) = (random.NextInt(2) == 1, random.NextDouble() - 0.5, random.NextDouble() - 0.5);
        var (noisy, noise) = (random.NextInt(2) == 1, random.NextDouble());
        var (blurred, blur) = (random.NextInt(2) == 1, random.NextDouble());
        if (chosen.Contains(Augmentation.Crops)) Shift = new((int)Math.Round(move0 * stride.Z), (int)Math.Round(move1 * stride.Y), (int)Math.Round(move2 * stride.X));
        var rotated = chosen.Contains(Augmentation.Rotations);
        if (rotated || chosen.Contains(Augmentation.Turns))
        {
            (_yy, _yx) = quarters switch { 0 => (1.0, 0.0), 1 => (0, -1), 2 => (-1, 0), _ => (0, 1) };
            if (rotated && free) (_yy, _yx) = (_yy * Math.Cos(angle) - _yx * Math.Sin(angle), _yy * Math.Sin(angle) + _yx * Math.Cos(angle));
            (_xy, _xx) = (-_yx, _yy);
        }
        if (chosen.Contains(Augmentation.Stretch) && stretched)
        {
            var (sy, sx) = (Math.Exp(0.3 * stretchY), Math.Exp(0.3 * stretchX));
            (_yy, _yx, _xy, _xx) = (_yy * sy, _yx * sy, _xy * sx, _xx * sx);
        }
        if (chosen.Contains(Augmentation.Flips))
        {
            if ((flips & 1) != 0) (_yy, _yx) = (-_yy, -_yx);
            if ((flips & 2) != 0) (_xy, _xx) = (-_xy, -_xx);
        }
        if (chosen.Contains(Augmentation.Brightness)) (_gain, _offset) = ((float)(1 + 0.4 * gain), (float)(0.6 * offset * unit));
        if (chosen.Contains(Augmentation.Noise) && noisy) _noise = (float)(0.3 * noise * unit);
        if (chosen.Contains(Augmentation.Blur) && blurred) _blur = (float)blur;
        _random = random;
    }

    /// <summary>How far the window is moved.</summary>
    public Size3 Shift { get; }

    private bool IsStraight => _yy == 1 && _xx == 1 && _yx == 0 && _xy == 0;

    /// <summary>Voxels that must be read around a patch.</summary>
    public Size3 Margin(Size3 patch)
    {
        if (IsStraight) return default;
        var (hy, hx) = ((patch.Y - 1) / 2.0, (patch.X - 1) / 2.0);
        return new(0, Need(Math.Abs(_yy) * hy + Math.Abs(_yx) * hx - hy), Need(Math.Abs(_xy) * hy + Math.Abs(_xx) * hx - hx));
        static int Need(double more) => Math.Max(0, (int)Math.Ceiling(more - 1e-9)) + 1;
    }

    /// <summary>Turned, stretched and mirrored grey values, bilinear between pixels.</summary>
    public void Turn(ReadOnlySpan<float> source, Size3 wide, Size3 patch, Span<float> target)
    {
        if (IsStraight)
        {
            source[..target.Length].CopyTo(target);
            return;
        }
        for (var y = 0; y < patch.Y; y++)
            for (var x = 0; x < patch.X; x++)
            {
                var (v, u) = Place(y, x, wide, patch);
                var (fy, fx) = ((int)Math.Floor(v), (int)Math.Floor(u));
                var (wy, wx) = ((float)(v - fy), (float)(u - fx));
                var at = fy * wide.X + fx;
                var upper = source[at] + (wx > 0 ? wx * (source[at + 1] - source[at]) : 0);
                if (wy > 0)
                {
                    at += wide.X;
                    var lower = source[at] + (wx > 0 ? wx * (source[at + 1] - source[at]) : 0);
                    upper += wy * (lower - upper);
                }
                target[y * patch.X + x] = upper;
            }
    }

    /// <summary>The same for labels, of the nearest pixel.</summary>
    public void Turn(ReadOnlySpan<byte> source, Size3 wide, Size3 patch, int[] classes, Span<long> target)
    {
        for (var y = 0; y < patch.Y; y++)
            for (var x = 0; x < patch.X; x++)
            {
                var (v, u) = IsStraight ? (y, x) : Place(y, x, wide, patch);
                target[y * patch.X + x] = classes[source[(int)Math.Round(v) * wide.X + (int)Math.Round(u)]];
            }
    }

    private (double Y, double X) Place(int y, int x, Size3 wide, Size3 patch)
    {
        var (b, a) = (y - (patch.Y - 1) / 2.0, x - (patch.X - 1) / 2.0);
        // rounding must not push a pixel on the rim out of what was read
        return (Math.Clamp((wide.Y - 1) / 2.0 + _yy * b + _yx * a, 0, wide.Y - 1), Math.Clamp((wide.X - 1) / 2.0 + _xy * b + _xx * a, 0, wide.X - 1));
    }

    /// <summary>Blur, brightness, noise, in this order: as in a microscope.</summary>
    public void Change(Span<float> image, int height, int width)
    {
        if (_blur > 0.05f)
        {
            Span<float> taps = [1, (float)Math.Exp(-0.5 / (_blur * _blur)), (float)Math.Exp(-2 / (_blur * _blur))];
            var sum = 1 + 2 * taps[1] + 2 * taps[2];
            for (var k = 0; k < 3; k++) taps[k] /= sum;
            var line = new float[Math.Max(height, width)];
            for (var start = 0; start < image.Length; start += height * width)
            {
                for (var y = 0; y < height; y++) Smooth(image[start..], y * width, 1, width, taps, line);
                for (var x = 0; x < width; x++) Smooth(image[start..], x, width, height, taps, line);
            }
        }
        var random = _random;
        foreach (ref var value in image)
        {
            value = value * _gain + _offset;
            if (_noise > 0) value += _noise * (float)random.NextNormal();
        }
    }

    private static void Smooth(Span<float> image, int start, int step, int count, ReadOnlySpan<float> taps, float[] line)
    {
        for (var i = 0; i < count; i++) line[i] = image[start + i * step];
        for (var i = 0; i < count; i++)
        {
            var sum = line[i] * taps[0];
            for (var k = 1; k < 3; k++)
                sum += taps[k] * (line[Borders.Map(Border.Mirror, i - k, count)] + line[Borders.Map(Border.Mirror, i + k, count)]);
            image[start + i * step] = sum;
        }
    }
}
