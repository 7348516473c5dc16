using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Kerf.Simulation;

/// <summary>
/// Eight electrons at a time. Additions, multiplications, divisions and roots only, never fused, so that every processor gives the same bits; the
/// polynomials (errors below 1e-7) stand for the functions whose bits a library would choose.
/// </summary>
internal static unsafe class Lanes
{
    /// <summary>Electrons in a vector.</summary>
    public const int Width = 8;

    /// <summary>The four words that <see cref="Volumes.CounterRandom"/> draws from block <paramref name="block"/> of stream (seed, item).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Draw(
        ulong seed, Vector256<uint> item, uint itemHigh, Vector256<uint> block,
        out Vector256<uint> a, out Vector256<uint> b, out Vector256<uint> c, out Vector256<uint> d)
    {
        Vector256<uint> c0 = block, c1 = Vector256<uint>.Zero, c2 = item, c3 = Vector256.Create(itemHigh);
        uint k0 = (uint)seed, k1 = (uint)(seed >> 32);
        for (var round = 0; round < 10; round++)
        {
            Multiply(c0, 0xD2511F53, out var high0, out var low0);
            Multiply(c2, 0xCD9E8D57, out var high1, out var low1);
            (c0, c1, c2, c3) = (high1 ^ c1 ^ Vector256.Create(k0), low1, high0 ^ c3 ^ Vector256.Create(k1), low0);
            k0 += 0x9E3779B9;
            k1 += 0xBB67AE85;
        }
        (a, b, c, d) = (c0, c1, c2, c3);
    }

    // both halves of the 64-bit products
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Multiply(Vector256<uint> x, uint factor, out Vector256<uint> high, out Vector256<uint> low)
    {
        var odd = (x.AsUInt64() >>> 32).AsUInt32();
        Vector256<ulong> even64, odd64;
        if (Avx2.IsSupported)
        {
            var f = Vector256.Create(factor);
            (even64, odd64) = (Avx2.Multiply(x, f), Avx2.Multiply(odd, f));
        }
        else
        {
            var mask = Vector256.Create(0xFFFFFFFFUL);
            (even64, odd64) = ((x.AsUInt64() & mask) * factor, odd.AsUInt64() * factor);
        }
        var upper = Vector256.Create(0xFFFFFFFF00000000UL);
        high = ((even64 >>> 32) | (odd64 & upper)).AsUInt32();
        low = ((even64 & ~upper) | (odd64 << 32)).AsUInt32();
    }

    /// <summary>Entries of a table.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Gather(float* table, Vector256<int> index)
    {
        if (Avx2.IsSupported) return Avx2.GatherVector256(table, index, 4);
        var values = Vector256<float>.Zero;
        for (var i = 0; i < Width; i++) values = values.WithElement(i, table[index.GetElement(i)]);
        return values;
    }

    /// <summary>Uniform in [0, 1) from 24 bits of a word.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Uniform(Vector256<uint> word) => Vector256.ConvertToSingle((word >>> 8).AsInt32()) * (1f / (1 << 24));

    /// <summary>−ln of a uniform in (0, 1]: the optical depth of the next collision.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Exponential(Vector256<uint> word)
    {
        var u = (Vector256.ConvertToSingle((word >>> 8).AsInt32()) + Vector256<float>.One) * (1f / (1 << 24));
        var bits = u.AsInt32();
        // mantissa in [√½, √2): the exponent moves up by one for the upper part
        var shifted = bits - Vector256.Create(0x3f3504f3);
        var exponent = Vector256.ConvertToSingle(shifted >> 23);
        var x = (bits - (shifted & Vector256.Create(unchecked((int)0xff800000)))).AsSingle() - Vector256<float>.One;
        var p = Vector256.Create(0.0874394551f);
        p = p * x - Vector256.Create(0.1437733062f);
        p = p * x + Vector256.Create(0.1494909545f);
        p = p * x - Vector256.Create(0.1656069598f);
        p = p * x + Vector256.Create(0.1995697749f);
        p = p * x - Vector256.Create(0.2500215346f);
        p = p * x + Vector256.Create(0.3333418334f);
        p = p * x - Vector256.Create(0.4999998703f);
        p = p * x + Vector256.Create(0.9999999743f);
        return -(exponent * 0.693147181f + x * p);
    }

    /// <summary>Sine and cosine of a uniform angle.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Azimuth(Vector256<uint> word, out Vector256<float> sin, out Vector256<float> cos)
    {
        // half the angle lies in ±π/2: y·π with y in [−½, ½)
        var y = Vector256.ConvertToSingle(word.AsInt32() >> 8) * (1f / (1 << 24));
        var q = y * y;
        var s = Vector256.Create(0.0776576605f);
        s = s * q - Vector256.Create(0.5982912857f);
        s = s * q + Vector256.Create(2.5500775232f);
        s = s * q - Vector256.Create(5.1677100835f);
        s = (s * q + Vector256.Create(3.1415926401f)) * y;
        var c = Vector256.Create(0.2196896111f);
        c = c * q - Vector256.Create(1.3318765681f);
        c = c * q + Vector256.Create(4.0584113529f);
        c = c * q - Vector256.Create(4.9347928306f);
        c = c * q + Vector256.Create(0.9999999532f);
        sin = (s + s) * c;
        cos = Vector256<float>.One - (s + s) * s;
    }

    /// <summary>Turns unit vectors by cos θ, sin θ about a uniform azimuth (Duff et al. 2017: no direction is singular), and keeps their length.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Turn(
        ref Vector256<float> ux, ref Vector256<float> uy, ref Vector256<float> uz, Vector256<float> cos, Vector256<float> sin, Vector256<uint> word)
    {
        Azimuth(word, out var sinAzimuth, out var cosAzimuth);
        var one = Vector256<float>.One;
        var sign = (uz & Vector256.Create(-0f)) | one;
        var a = -one / (sign + uz);
        var b = ux * uy * a;
        Vector256<float> c = sin * cosAzimuth, s = sin * sinAzimuth;
        var x = ux * cos + (one + sign * ux * ux * a) * c + b * s;
        var y = uy * cos + sign * b * c + (sign + uy * uy * a) * s;
        var z = uz * cos - sign * ux * c - uy * s;
        // one Newton step to length 1: rounding errors do not pile up
        var scale = Vector256.Create(1.5f) - (x * x + y * y + z * z) * 0.5f;
        (ux, uy, uz) = (x * scale, y * scale, z * scale);
    }
}
