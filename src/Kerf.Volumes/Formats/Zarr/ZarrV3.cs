using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Kerf.Volumes;

/// <summary>zarr.json files of arrays: zarr v3, zarr-specs.readthedocs.io/en/latest/v3/core/v3.0.html.</summary>
internal static class ZarrV3
{
    public static ZarrArray Read(ZarrMeta meta)
    {
        meta["zarr_format"].Integer(3, 3);
        var shape = meta["shape"].Items(2, 5).Select(item => item.Integer(1, 1 << 30)).ToArray();
        var type = ZarrType.Parse3(meta["data_type"]);
        if (meta.Find("storage_transformers") is { } transformers) transformers.Items(0, 0);
        Expect(meta["chunk_grid"]["name"], "regular");
        var chunk = meta["chunk_grid"]["configuration"]["chunk_shape"].Integers(shape.Length, 1, 1 << 30);
        var keys = meta["chunk_key_encoding"];
        var (prefix, separator) = keys["name"].Text switch
        {
            "default" => ("c", "/"),
            "v2" => ("", "."),
            _ => throw keys["name"].Fault("is neither default nor v2"),
        };
        separator = keys.Find("configuration")?.Find("separator")?.Text ?? separator;
        if (separator is not ("/" or ".")) throw keys.Fault("the separator is neither / nor a dot");
        var array = new ZarrArray
        {
            File = meta.File,
            Format = 3,
            Shape = shape,
            Chunk = chunk,
            Type = type,
            Order = [.. Enumerable.Range(0, shape.Length)],
            Codecs = [],
            Fill = Fill(meta.Find("fill_value"), type),
            KeyPrefix = prefix,
            Separator = separator[0],
            AxisNames = meta.Find("dimension_names")?.Items(shape.Length, shape.Length)
                .Select(name => name.Json.ValueKind == JsonValueKind.Null ? null : name.Text).ToArray(),
        };
        return WithCodecs(array, meta["codecs"], sharded: false);
    }

    public static JsonObject Write(ZarrArray array)
    {
        var codecs = new JsonArray(new JsonObject { ["name"] = "bytes", ["configuration"] = new JsonObject { ["endian"] = "little" } });
        foreach (var codec in array.Codecs) codecs.Add(codec.Describe(3, array.Type.Bytes));
        return new()
        {
            ["zarr_format"] = 3,
            ["node_type"] = "array",
            ["shape"] = new JsonArray([.. array.Shape.Select(n => JsonValue.Create(n))]),
            ["data_type"] = array.Type.Name,
            ["chunk_grid"] = new JsonObject
            {
                ["name"] = "regular",
                ["configuration"] = new JsonObject { ["chunk_shape"] = new JsonArray([.. array.Chunk.Select(n => JsonValue.Create(n))]) },
            },
            ["chunk_key_encoding"] = new JsonObject { ["name"] = "default", ["configuration"] = new JsonObject { ["separator"] = "/" } },
            ["fill_value"] = 0,
            ["codecs"] = codecs,
            ["attributes"] = new JsonObject(),
            ["dimension_names"] = new JsonArray([.. array.AxisNames!.Select(name => JsonValue.Create(name))]),
        };
    }

    /// <summary>A fill value: a number, true or false, "NaN", "Infinity", "-Infinity", or the bits as "0x…"; none is 0.</summary>
    public static double Fill(ZarrMeta? meta, ZarrType type)
    {
        if (meta is not { } fill) return 0;
        if (fill.Json.ValueKind is JsonValueKind.True or JsonValueKind.False) return fill.Flag ? 1 : 0;
        if (fill.Json.ValueKind != JsonValueKind.String) return fill.Number;
        return fill.Text switch
        {
            "NaN" => double.NaN,
            "Infinity" => double.PositiveInfinity,
            "-Infinity" => double.NegativeInfinity,
            ['0', 'x', .. var hex] when ulong.TryParse(hex, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var bits) => type.Bytes switch
            {
                2 => (double)BitConverter.UInt16BitsToHalf((ushort)bits),
                4 => BitConverter.UInt32BitsToSingle((uint)bits),
                _ => BitConverter.UInt64BitsToDouble(bits),
            },
            _ => throw fill.Fault("is no value"),
        };
    }

    private static ZarrArray WithCodecs(ZarrArray array, ZarrMeta codecs, bool sharded)
    {
        var stages = new List<ZarrCodec>();
        var (isBytes, rank) = (false, array.Shape.Length);
        foreach (var meta in codecs.Items(1, 8))
        {
            var name = Name(meta);
            if (isBytes) stages.Add(Codec(meta, name));
            else if (name == "transpose") array = array with { Order = Transpose(array.Order, meta["configuration"]["order"], rank) };
            else if (name == "sharding_indexed" && !sharded && codecs.Json.GetArrayLength() == 1) return Sharded(array, meta["configuration"]);
            else if (name == "bytes")
            {
                isBytes = true;
                var endian = meta.Find("configuration")?.Find("endian")?.Text ?? "little";
                if (endian is not ("little" or "big")) throw meta.Fault("endian is neither little nor big");
                array = array with { Type = array.Type with { BigEndian = endian == "big" && array.Type.Bytes > 1 } };
            }
            else throw meta.Fault("this codec is not read here; transpose, bytes, zstd, blosc, gzip, crc32c and one level of sharding_indexed are");
        }
        return isBytes ? array with { Codecs = stages } : throw codecs.Fault("there is no bytes codec");
    }

    private static ZarrCodec Codec(ZarrMeta meta, string name) => name switch
    {
        "zstd" => new ZstdCodec(3),
        "gzip" => new DeflateCodec(Gzip: true, 6),
        "blosc" => new BloscCodec("zstd", 5, 1),
        "crc32c" => new Crc32CCodec(),
        _ => throw meta.Fault("this codec is not read; zstd, blosc, gzip and crc32c are"),
    };

    // stored axis k is axis order[k] of what the stages before it made
    private static int[] Transpose(int[] before, ZarrMeta order, int rank)
    {
        var axes = order.Integers(rank, 0, rank - 1);
        if (axes.Distinct().Count() != rank) throw order.Fault("is no permutation of the axes");
        return [.. axes.Select(axis => before[axis])];
    }

    private static ZarrArray Sharded(ZarrArray array, ZarrMeta configuration)
    {
        var rank = array.Shape.Length;
        for (var axis = 0; axis < rank; axis++)
            if (array.Order[axis] != axis) throw configuration.Fault("a transpose before sharding is not read");
        var inner = configuration["chunk_shape"].Integers(rank, 1, 1 << 30);
        for (var axis = 0; axis < rank; axis++)
            if (array.Chunk[axis] % inner[axis] != 0) throw configuration.Fault("chunk_shape does not divide the shard");
        var location = configuration.Find("index_location")?.Text ?? "end";
        if (location is not ("start" or "end")) throw configuration["index_location"].Fault("is neither start nor end");
        var codecs = configuration["index_codecs"].Items(1, 2);
        var index = codecs.Select(Name).ToArray();
        if (index[0] != "bytes" || index.Skip(1).Any(name => name != "crc32c") || codecs[0].Find("configuration")?.Find("endian")?.Text == "big")
            throw configuration["index_codecs"].Fault("only little-endian bytes and crc32c are read");
        var counts = Enumerable.Range(0, rank).Select(axis => array.Chunk[axis] / inner[axis]).ToArray();
        var shards = new ZarrShards(counts, location == "end", index.Length > 1);
        return WithCodecs(array with { Chunk = inner, Shards = shards }, configuration["codecs"], sharded: true);
    }

    // an extension may be given by its name alone
    private static string Name(ZarrMeta meta) => meta.Json.ValueKind == JsonValueKind.String ? meta.Text : meta["name"].Text;

    private static void Expect(ZarrMeta meta, string text)
    {
        if (meta.Text != text) throw meta.Fault($"only {text} is read");
    }
}
