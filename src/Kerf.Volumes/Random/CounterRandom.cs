namespace Kerf.Volumes;

/// <summary>
/// Random numbers from a counter: the n-th number of stream (seed, item) is a pure function of the three, so results do not depend on the
/// order in which threads, blocks or machines draw them. Philox 4×32 with 10 rounds: Salmon et al., SC'11, doi:10.1145/2063384.2063405.
/// </summary>
public struct CounterRandom
{
    private readonly ulong _seed;
    private readonly ulong _item;
    private ulong _block;
    private (uint A, uint B, uint C, uint D) _words;
    private int _left;

    /// <summary>The stream of one item (slice, voxel, electron, tree …) under a seed.</summary>
    public CounterRandom(ulong seed, ulong item)
    {
        (_seed, _item) = (seed, item);
        (_block, _left, _words) = (0, 0, default);
    }

    /// <summary>The next 32 random bits.</summary>
    public uint NextUInt()
    {
        if (_left == 0)
        {
            _words = Philox(_seed, _item, _block++);
            _left = 4;
        }
        _left--;
        return _left switch { 3 => _words.A, 2 => _words.B, 1 => _words.C, _ => _words.D };
    }

    /// <summary>Uniform in [0, 1), 53 bits.</summary>
    public double NextDouble() => ((ulong)NextUInt() << 21 ^ NextUInt() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Uniform in [0, 1), 24 bits.</summary>
    public float NextFloat() => (NextUInt() >> 8) * (1f / (1 << 24));

    /// <summary>Uniform in 0 … <paramref name="below"/> − 1 (multiply-shift; bias below 2⁻³²·<paramref name="below"/>).</summary>
    public int NextInt(int below) => (int)((ulong)NextUInt() * (ulong)below >> 32);

    /// <summary>Normal with mean 0 and standard deviation 1 (Box–Muller; draws two uniforms each time so that the count per call is fixed).</summary>
    public double NextNormal()
    {
        var radius = Math.Sqrt(-2 * Math.Log(1 - NextDouble()));
        return radius * Math.Cos(2 * Math.PI * NextDouble());
    }

    /// <summary>Poisson with the given mean: inversion below 30, transformed rejection (Hörmann 1993, PTRS) above.</summary>
    public int NextPoisson(double mean)
    {
        if (mean <= 0) return 0;
        if (mean < 30)
        {
            var limit = Math.Exp(-mean);
            var product = NextDouble();
            var count = 0;
            while (product > limit) { product *= NextDouble(); count++; }
            return count;
        }
        var b = 0.931 + 2.53 * Math.Sqrt(mean);
        var a = -0.059 + 0.02483 * b;
        var inverseAlpha = 1.1239 + 1.1328 / (b - 3.4);
        var vr = 0.9277 - 3.6224 / (b - 2);
        while (true)
        {
            var u = NextDouble() - 0.5;
            var v = NextDouble();
            var us = 0.5 - Math.Abs(u);
            var k = Math.Floor((2 * a / us + b) * u + mean + 0.43);
            if (us >= 0.07 && v <= vr) return (int)k;
            if (k < 0 || (us < 0.013 && v > us)) continue;
            if (Math.Log(v * inverseAlpha / (a / (us * us) + b)) <= k * Math.Log(mean) - mean - LogFactorial(k)) return (int)k;
        }
    }

    /// <summary>Gamma of a shape and a scale; the mean is their product (Marsaglia and Tsang 2000, doi:10.1145/358407.358414).</summary>
    public double NextGamma(double shape, double scale)
    {
        if (shape < 1) return NextGamma(shape + 1, scale) * Math.Pow(1 - NextDouble(), 1 / shape);
        var d = shape - 1.0 / 3;
        var c = 1 / Math.Sqrt(9 * d);
        while (true)
        {
            var x = NextNormal();
            var v = 1 + c * x;
            if (v <= 0) continue;
            v = v * v * v;
            if (Math.Log(1 - NextDouble()) < 0.5 * x * x + d - d * v + d * Math.Log(v)) return d * v * scale;
        }
    }

    // Stirling's series; exact to 1e-10 from 10 on, which the branch above never undercuts by much
    private static double LogFactorial(double k)
    {
        if (k < 10)
        {
            var product = 1.0;
            for (var i = 2; i <= k; i++) product *= i;
            return Math.Log(product);
        }
        var n = k + 1;
        return (n - 0.5) * Math.Log(n) - n + 0.918938533204672742 + 1 / (12 * n) - 1 / (360 * n * n * n);
    }

    private static (uint, uint, uint, uint) Philox(ulong seed, ulong item, ulong block)
    {
        uint c0 = (uint)block, c1 = (uint)(block >> 32), c2 = (uint)item, c3 = (uint)(item >> 32);
        uint k0 = (uint)seed, k1 = (uint)(seed >> 32);
        for (var round = 0; round < 10; round++)
        {
            var p0 = 0xD2511F53UL * c0;
            var p1 = 0xCD9E8D57UL * c2;
            (c0, c1, c2, c3) = ((uint)(p1 >> 32) ^ c1 ^ k0, (uint)p1, (uint)(p0 >> 32) ^ c3 ^ k1, (uint)p0);
            k0 += 0x9E3779B9;
            k1 += 0xBB67AE85;
        }
        return (c0, c1, c2, c3);
    }
}
