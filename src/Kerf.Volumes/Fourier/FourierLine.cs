using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Kerf.Volumes;

/// <summary>
/// The complex discrete Fourier transform of one length, done for <see cref="Lanes"/> lines side by side: element i of line l lies at
/// i·Lanes + l of a plane of real parts and a plane of imaginary parts. Mixed-radix Stockham passes (Van Loan 1992, doi:10.1137/1.9781611970999);
/// each lane sees the same arithmetic whatever the width of a vector register, so the bits do not depend on the processor. Immutable.
/// </summary>
public sealed class FourierLine
{
    /// <summary>Lines side by side: a cache line of floats, and a multiple of any vector width in use.</summary>
    public const int Lanes = 16;

    private readonly int[] _radices;
    private readonly float[][] _twiddles;

    /// <summary>Plans one length, a product of 2, 3 and 5.</summary>
    public FourierLine(int length)
    {
        Length = length;
        _radices = [.. Radices(length)];
        _twiddles = new float[_radices.Length][];
        var left = length;
        for (var pass = 0; pass < _radices.Length; pass++)
        {
            _twiddles[pass] = Twiddles(left, _radices[pass]);
            left /= _radices[pass];
        }
    }

    /// <summary>Elements of a line.</summary>
    public int Length { get; }

    /// <summary>Floats of one plane of lines.</summary>
    public int PlaneLength => Length * Lanes;

    /// <summary>
    /// Transforms (re, im), using (spareRe, spareIm) to work in; true when the result ended in the spare planes. The inverse (without 1/n) is
    /// the same call with real and imaginary planes exchanged.
    /// </summary>
    public bool Transform(Span<float> re, Span<float> im, Span<float> spareRe, Span<float> spareIm)
    {
        if (Math.Min(Math.Min(re.Length, im.Length), Math.Min(spareRe.Length, spareIm.Length)) < PlaneLength)
            throw new ArgumentException($"planes shorter than {PlaneLength}", nameof(re));
        ref var xr = ref MemoryMarshal.GetReference(re);
        ref var xi = ref MemoryMarshal.GetReference(im);
        ref var yr = ref MemoryMarshal.GetReference(spareRe);
        ref var yi = ref MemoryMarshal.GetReference(spareIm);
        var (left, stride) = (Length, Lanes);
        for (var pass = 0; pass < _radices.Length; pass++)
        {
            var radix = _radices[pass];
            left /= radix;
            var to = new Pass(left, stride, _twiddles[pass]);
            switch (radix)
            {
                case 2: to.Two(ref xr, ref xi, ref yr, ref yi); break;
                case 3: to.Three(ref xr, ref xi, ref yr, ref yi); break;
                case 4: to.Four(ref xr, ref xi, ref yr, ref yi); break;
                case 8: to.Eight(ref xr, ref xi, ref yr, ref yi); break;
                default: to.Five(ref xr, ref xi, ref yr, ref yi); break;
            }
            stride *= radix;
            ref var r = ref xr;
            ref var i = ref xi;
            xr = ref yr;
            xi = ref yi;
            yr = ref r;
            yi = ref i;
        }
        return (_radices.Length & 1) == 1;
    }

    /// <summary>The smallest product of 2, 3 and 5 that is at least <paramref name="length"/>.</summary>
    public static int AtLeast(int length)
    {
        while (!IsGood(length)) length++;
        return length;
    }

    /// <summary>The largest product of 2, 3 and 5 that is at most <paramref name="length"/>.</summary>
    public static int AtMost(int length)
    {
        while (!IsGood(length)) length--;
        return length;
    }

    private static bool IsGood(int length)
    {
        if (length < 1) throw new ArgumentOutOfRangeException(nameof(length));
        foreach (var prime in (ReadOnlySpan<int>)[2, 3, 5])
            while (length % prime == 0) length /= prime;
        return length == 1;
    }

    private static IEnumerable<int> Radices(int length)
    {
        if (!IsGood(length)) throw new ArgumentException($"{length} is no product of 2, 3 and 5", nameof(length));
        foreach (var radix in (int[])[5, 3])
            for (; length % radix == 0; length /= radix) yield return radix;
        // as few passes as eights allow, and fours rather than a lone two
        for (; length is 4 or 16 || length % 8 != 0 && length % 4 == 0; length /= 4) yield return 4;
        for (; length % 8 == 0 && length != 16; length /= 8) yield return 8;
        for (; length % 4 == 0; length /= 4) yield return 4;
        if (length == 2) yield return 2;
    }

    // e^(−2πi·p·j/n) for p < n/radix and j = 1 … radix − 1, real and imaginary parts in turn
    private static float[] Twiddles(int n, int radix)
    {
        var table = new float[n / radix * (radix - 1) * 2];
        for (int p = 0, at = 0; p < n / radix; p++)
        {
            for (var j = 1; j < radix; j++, at += 2)
            {
                var angle = -2 * Math.PI * ((long)p * j % n) / n;
                (table[at], table[at + 1]) = ((float)Math.Cos(angle), (float)Math.Sin(angle));
            }
        }
        return table;
    }

    // a vector of complex numbers, one per lane
    private readonly struct Numbers(Vector<float> re, Vector<float> im)
    {
        public readonly Vector<float> Re = re, Im = im;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Numbers operator +(Numbers a, Numbers b) => new(a.Re + b.Re, a.Im + b.Im);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Numbers operator -(Numbers a, Numbers b) => new(a.Re - b.Re, a.Im - b.Im);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Numbers operator *(Numbers a, float k) => new(a.Re * k, a.Im * k);

        public Numbers TimesMinusI
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            get => new(Im, -Re);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Numbers Times(float re, float im) => new((Re * re) - (Im * im), (Re * im) + (Im * re));
    }

    // one Stockham pass: m butterflies, each over `run` contiguous floats; input k of butterfly p is block p + m·k, output j block radix·p + j
    private readonly ref struct Pass(int m, int run, float[] twiddles)
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Numbers Load(ref float re, ref float im, int at) =>
            new(Vector.LoadUnsafe(ref re, (nuint)at), Vector.LoadUnsafe(ref im, (nuint)at));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Store(Numbers value, ref float re, ref float im, int at)
        {
            value.Re.StoreUnsafe(ref re, (nuint)at);
            value.Im.StoreUnsafe(ref im, (nuint)at);
        }

        public void Two(ref float xr, ref float xi, ref float yr, ref float yi)
        {
            for (var p = 0; p < m; p++)
            {
                var (w, v) = (twiddles[2 * p], twiddles[(2 * p) + 1]);
                var (from, to, step) = (p * run, 2 * p * run, m * run);
                for (var i = 0; i < run; i += Vector<float>.Count)
                {
                    var a = Load(ref xr, ref xi, from + i);
                    var b = Load(ref xr, ref xi, from + step + i);
                    Store(a + b, ref yr, ref yi, to + i);
                    Store((a - b).Times(w, v), ref yr, ref yi, to + run + i);
                }
            }
        }

        public void Three(ref float xr, ref float xi, ref float yr, ref float yi)
        {
            const float sine = 0.866025403784438647f;
            for (var p = 0; p < m; p++)
            {
                var w = twiddles.AsSpan(4 * p, 4);
                var (w1, v1, w2, v2) = (w[0], w[1], w[2], w[3]);
                var (from, to, step) = (p * run, 3 * p * run, m * run);
                for (var i = 0; i < run; i += Vector<float>.Count)
                {
                    var a = Load(ref xr, ref xi, from + i);
                    var b = Load(ref xr, ref xi, from + step + i);
                    var c = Load(ref xr, ref xi, from + (2 * step) + i);
                    var sum = b + c;
                    var middle = a - (sum * 0.5f);
                    var turn = (b - c).TimesMinusI * sine;
                    Store(a + sum, ref yr, ref yi, to + i);
                    Store((middle + turn).Times(w1, v1), ref yr, ref yi, to + run + i);
                    Store((middle - turn).Times(w2, v2), ref yr, ref yi, to + (2 * run) + i);
                }
            }
        }

        public void Four(ref float xr, ref float xi, ref float yr, ref float yi)
        {
            for (var p = 0; p < m; p++)
            {
                var w = twiddles.AsSpan(6 * p, 6);
                var (w1, v1, w2, v2, w3, v3) = (w[0], w[1], w[2], w[3], w[4], w[5]);
                var (from, to, step) = (p * run, 4 * p * run, m * run);
                for (var i = 0; i < run; i += Vector<float>.Count)
                {
                    var a = Load(ref xr, ref xi, from + i);
                    var b = Load(ref xr, ref xi, from + step + i);
                    var c = Load(ref xr, ref xi, from + (2 * step) + i);
                    var d = Load(ref xr, ref xi, from + (3 * step) + i);
                    var (even, odd) = (a + c, a - c);
                    var (sum, turn) = (b + d, (b - d).TimesMinusI);
                    Store(even + sum, ref yr, ref yi, to + i);
                    Store((odd + turn).Times(w1, v1), ref yr, ref yi, to + run + i);
                    Store((even - sum).Times(w2, v2), ref yr, ref yi, to + (2 * run) + i);
                    Store((odd - turn).Times(w3, v3), ref yr, ref yi, to + (3 * run) + i);
                }
            }
        }

        public void Eight(ref float xr, ref float xi, ref float yr, ref float yi)
        {
            const float half = 0.707106781186547524f;
            for (var p = 0; p < m; p++)
            {
                var w = twiddles.AsSpan(14 * p, 14);
                var (from, to, step) = (p * run, 8 * p * run, m * run);
                for (var i = 0; i < run; i += Vector<float>.Count)
                {
                    var at = from + i;
                    var (a, e) = (Load(ref xr, ref xi, at), Load(ref xr, ref xi, at + (4 * step)));
                    var (c, g) = (Load(ref xr, ref xi, at + (2 * step)), Load(ref xr, ref xi, at + (6 * step)));
                    var (ae, aeMinus, cg, cgTurn) = (a + e, a - e, c + g, (c - g).TimesMinusI);
                    var (even0, even2, even1, even3) = (ae + cg, ae - cg, aeMinus + cgTurn, aeMinus - cgTurn);
                    var (b, f) = (Load(ref xr, ref xi, at + step), Load(ref xr, ref xi, at + (5 * step)));
                    var (d, h) = (Load(ref xr, ref xi, at + (3 * step)), Load(ref xr, ref xi, at + (7 * step)));
                    var (bf, bfMinus, dh, dhTurn) = (b + f, b - f, d + h, (d - h).TimesMinusI);
                    var (odd0, odd2) = (bf + dh, (bf - dh).TimesMinusI);
                    var odd1 = (bfMinus + dhTurn).Times(half, -half);
                    var odd3 = (bfMinus - dhTurn).Times(-half, -half);
                    at = to + i;
                    Store(even0 + odd0, ref yr, ref yi, at);
                    Store((even1 + odd1).Times(w[0], w[1]), ref yr, ref yi, at + run);
                    Store((even2 + odd2).Times(w[2], w[3]), ref yr, ref yi, at + (2 * run));
                    Store((even3 + odd3).Times(w[4], w[5]), ref yr, ref yi, at + (3 * run));
                    Store((even0 - odd0).Times(w[6], w[7]), ref yr, ref yi, at + (4 * run));
                    Store((even1 - odd1).Times(w[8], w[9]), ref yr, ref yi, at + (5 * run));
                    Store((even2 - odd2).Times(w[10], w[11]), ref yr, ref yi, at + (6 * run));
                    Store((even3 - odd3).Times(w[12], w[13]), ref yr, ref yi, at + (7 * run));
                }
            }
        }

        public void Five(ref float xr, ref float xi, ref float yr, ref float yi)
        {
            const float c1 = 0.309016994374947424f, c2 = -0.809016994374947424f, s1 = 0.951056516295153572f, s2 = 0.587785252292473129f;
            for (var p = 0; p < m; p++)
            {
                var w = twiddles.AsSpan(8 * p, 8);
                var (w1, v1, w2, v2, w3, v3, w4, v4) = (w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7]);
                var (from, to, step) = (p * run, 5 * p * run, m * run);
                for (var i = 0; i < run; i += Vector<float>.Count)
                {
                    var a = Load(ref xr, ref xi, from + i);
                    var b = Load(ref xr, ref xi, from + step + i);
                    var c = Load(ref xr, ref xi, from + (2 * step) + i);
                    var d = Load(ref xr, ref xi, from + (3 * step) + i);
                    var e = Load(ref xr, ref xi, from + (4 * step) + i);
                    var (outer, inner) = (b + e, c + d);
                    var (outerTurn, innerTurn) = ((b - e).TimesMinusI, (c - d).TimesMinusI);
                    var (near, far) = (a + (outer * c1) + (inner * c2), a + (outer * c2) + (inner * c1));
                    var (nearTurn, farTurn) = ((outerTurn * s1) + (innerTurn * s2), (outerTurn * s2) - (innerTurn * s1));
                    Store(a + outer + inner, ref yr, ref yi, to + i);
                    Store((near + nearTurn).Times(w1, v1), ref yr, ref yi, to + run + i);
                    Store((far + farTurn).Times(w2, v2), ref yr, ref yi, to + (2 * run) + i);
                    Store((far - farTurn).Times(w3, v3), ref yr, ref yi, to + (3 * run) + i);
                    Store((near - nearTurn).Times(w4, v4), ref yr, ref yi, to + (4 * run) + i);
                }
            }
        }
    }
}
