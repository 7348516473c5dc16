namespace Kerf.Volumes;

/// <summary>The CRC of PNG, zip and ISO 3309 (polynomial 0xEDB88320, reflected), eight bytes a step.</summary>
internal static class Crc32
{
    // Tables[k][b]: the CRC of byte b followed by k zeros
    private static readonly uint[][] Tables = Build();

    public static uint Of(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        var t = Tables;
        while (bytes.Length >= 8)
        {
            var low = crc ^ System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(bytes);
            crc = t[7][low & 255] ^ t[6][low >> 8 & 255] ^ t[5][low >> 16 & 255] ^ t[4][low >> 24]
                ^ t[3][bytes[4]] ^ t[2][bytes[5]] ^ t[1][bytes[6]] ^ t[0][bytes[7]];
            bytes = bytes[8..];
        }
        foreach (var value in bytes) crc = t[0][(byte)crc ^ value] ^ crc >> 8;
        return ~crc;
    }

    private static uint[][] Build()
    {
        var tables = Enumerable.Range(0, 8).Select(_ => new uint[256]).ToArray();
        for (var i = 0u; i < 256; i++)
        {
            var crc = i;
            for (var bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? crc >> 1 ^ 0xEDB88320 : crc >> 1;
            tables[0][i] = crc;
        }
        for (var k = 1; k < 8; k++)
            for (var i = 0; i < 256; i++) tables[k][i] = tables[k - 1][i] >> 8 ^ tables[0][(byte)tables[k - 1][i]];
        return tables;
    }
}
