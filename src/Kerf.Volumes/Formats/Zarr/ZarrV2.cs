using System.Text.Json.Nodes;

namespace Kerf.Volumes;

/// <summary>.zarray files: zarr v2, zarr-specs.readthedocs.io/en/latest/v2/v2.0.html.</summary>
internal static class ZarrV2
{
    public static ZarrArray Read(ZarrMeta meta)
    {
        meta["zarr_format"].Integer(2, 2);
        var shape = meta["shape"].Items(2, 5).Select(item => item.Integer(1, 1 << 30)).ToArray();
        var type = ZarrType.Parse2(meta["dtype"]);
        if (meta.Find("filters") is { } filters && filters.Items(0, 64).Count > 0) throw filters.Fault("filters are not read");
        var order = Enumerable.Range(0, shape.Length).ToArray();
        if (meta["order"].Text is var letter && letter is not ("C" or "F")) throw meta["order"].Fault("is neither C nor F");
        if (letter == "F") Array.Reverse(order);
        var separator = meta.Find("dimension_separator")?.Text ?? ".";
        if (separator is not ("/" or ".")) throw meta["dimension_separator"].Fault("is neither / nor a dot");
        return new()
        {
            File = meta.File,
            Format = 2,
            Shape = shape,
            Chunk = meta["chunks"].Integers(shape.Length, 1, 1 << 30),
            Type = type,
            Order = order,
            Codecs = meta.Find("compressor") is { } compressor ? [Codec(compressor)] : [],
            Fill = ZarrV3.Fill(meta.Find("fill_value"), type),
            KeyPrefix = "",
            Separator = separator[0],
        };
    }

    public static JsonObject Write(ZarrArray array) => new()
    {
        ["chunks"] = new JsonArray([.. array.Chunk.Select(n => JsonValue.Create(n))]),
        ["compressor"] = array.Codecs.Count == 0 ? null : array.Codecs[0].Describe(2, array.Type.Bytes),
        ["dimension_separator"] = array.Separator.ToString(),
        ["dtype"] = array.Type.Typestr,
        ["fill_value"] = 0,
        ["filters"] = null,
        ["order"] = "C",
        ["shape"] = new JsonArray([.. array.Shape.Select(n => JsonValue.Create(n))]),
        ["zarr_format"] = 2,
    };

    private static ZarrCodec Codec(ZarrMeta meta) => meta["id"].Text switch
    {
        "zstd" => new ZstdCodec(3),
        "gzip" => new DeflateCodec(Gzip: true, 6),
        "zlib" => new DeflateCodec(Gzip: false, 6),
        // the container itself tells everything that decoding needs
        "blosc" => new BloscCodec("zstd", 5, 1),
        _ => throw meta["id"].Fault("this compressor is not read; blosc, zstd, gzip, zlib and none are"),
    };
}
