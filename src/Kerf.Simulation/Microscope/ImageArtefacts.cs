using Kerf.Volumes;

namespace Kerf.Simulation;

/// <summary>
/// Contamination: a rectangle that the beam scanned before the image was taken, where a film of carbon grew and swallows part of the signal. It is in
/// one slice, since the next cut takes the film away. Pixels of the image.
/// </summary>
/// <param name="Slice">Slice that shows it.</param>
/// <param name="Top">First row, between pixels.</param>
/// <param name="Left">First column, between pixels.</param>
/// <param name="Height">Rows.</param>
/// <param name="Width">Columns.</param>
/// <param name="Loss">Share of the signal that it takes away.</param>
public sealed record FocusSquare(int Slice, double Top, double Left, double Height, double Width, double Loss)
{
    // the film's rim is as wide as the beam's tail
    private const double Rim = 2;

    internal static FocusSquare[] Draw(Session session, Size3 field, ulong seed)
    {
        if (session.Contamination == 0) return [];
        var squares = new List<FocusSquare>();
        for (var z = 0; z < field.Z; z++)
        {
            var random = new CounterRandom(seed, 0x53515541UL << 32 | (uint)z);
            if (random.NextDouble() * session.ContaminationEvery >= 1) continue;
            var share = 0.2 + 0.2 * random.NextDouble();
            var (height, width) = (share * field.Y, share * field.X);
            squares.Add(new(z, random.NextDouble() * (field.Y - height), random.NextDouble() * (field.X - width), height, width, session.Contamination * (0.5 + 0.5 * random.NextDouble())));
        }
        return [.. squares];
    }

    internal void Darken(int z, Size3 field, Span<float> image)
    {
        if (z != Slice) return;
        double Within(double at, double from, double length) => Math.Clamp((at - from) / Rim + 0.5, 0, 1) * Math.Clamp((from + length - at) / Rim + 0.5, 0, 1);
        for (var y = 0; y < field.Y; y++)
            for (var x = 0; x < field.X; x++) image[y * field.X + x] *= (float)(1 - Loss * Within(y, Top, Height) * Within(x, Left, Width));
    }
}

/// <summary>A charging band: from one row on the image is brighter or darker, and comes back gradually as the charge flows off.</summary>
/// <param name="Slice">Slice that shows it.</param>
/// <param name="Row">Row where it sets in.</param>
/// <param name="Rows">Rows over which it decays by the factor e.</param>
/// <param name="Grey">Grey levels at its onset.</param>
public sealed record ChargingBand(int Slice, double Row, double Rows, double Grey)
{
    internal static ChargingBand[] Draw(Session session, Size3 field, ulong seed)
    {
        if (session.ChargingGrey == 0 || session.ChargingBands == 0) return [];
        var bands = new List<ChargingBand>();
        for (var z = 0; z < field.Z; z++)
        {
            var random = new CounterRandom(seed, 0x42414e44UL << 32 | (uint)z);
            for (var left = random.NextPoisson(session.ChargingBands); left > 0; left--)
            {
                var (row, rows) = (random.NextDouble() * field.Y, session.ChargingRows * -Math.Log(1 - random.NextDouble()) + 1);
                bands.Add(new(z, row, rows, session.ChargingGrey * (0.3 + 0.7 * random.NextDouble()) * (random.NextDouble() < 0.7 ? 1 : -1)));
            }
        }
        return [.. bands];
    }

    internal void Add(int z, Size3 field, Span<float> image)
    {
        if (z != Slice) return;
        for (var y = (int)Math.Ceiling(Row); y < field.Y && y - Row < 8 * Rows; y++)
        {
            var grey = (float)(Grey * Math.Exp(-(y - Row) / Rows));
            foreach (ref var pixel in image.Slice(y * field.X, field.X)) pixel += grey;
        }
    }
}
