using System.Text.Json;
using System.Text.Json.Nodes;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public sealed class ZarrMetadataTests : IDisposable
{
    private static readonly VolumeInfo Info = new(new(4, 20, 30), PixelType.UInt8, new VoxelSize(10, 5, 4))
    {
        Phases = [new(1, "solid", "#102030"), new(3, "pore", "#a0b0c0")],
        Metadata = new Dictionary<string, string> { ["vendor"] = "Zeiss", ["voltageKeV"] = "1.5" },
    };

    private readonly string _folder = Directory.CreateTempSubdirectory("kerf-zarr-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string At(string name) => Path.Combine(_folder, name);

    private string Written(OmeZarrVersion version, VolumeInfo? info = null)
    {
        var path = At($"{version}.zarr");
        info ??= Info;
        using var volume = (ZarrVolume<byte>)ZarrVolume.Create(path, info, new() { Version = version });
        volume.Write(Box.Whole(info.Size), new byte[info.Size.Count]);
        volume.Complete(Traversal.Default);
        return path;
    }

    [Theory]
    [InlineData(OmeZarrVersion.V04)]
    [InlineData(OmeZarrVersion.V05)]
    public void KeepsVoxelSizePhasesAndMetadata(OmeZarrVersion version)
    {
        using var volume = ZarrVolume.Open(Written(version));
        Assert.Equal(Info.Voxel, volume.Info.Voxel);
        Assert.Equal(Info.Phases, volume.Info.Phases);
        Assert.Equal(Info.Metadata.OrderBy(pair => pair.Key), volume.Info.Metadata.OrderBy(pair => pair.Key));
        Assert.True(ZarrVolume.IsKerfVolume(volume.Path));
    }

    [Fact]
    public void ReadsPhasesOfOtherProgramsFromImageLabel()
    {
        var path = Written(OmeZarrVersion.V05);
        Edit(path, root => ((JsonObject)root["attributes"]!).Remove("kerf"));
        using var volume = ZarrVolume.Open(path);
        Assert.Equal(Info.Phases, volume.Info.Phases);
        Assert.True(volume.IsComplete);
        Assert.False(ZarrVolume.IsKerfVolume(path));
    }

    // the fields that the NGFF 0.5 schema requires of a multiscale image
    [Fact]
    public void HoldsTheFieldsThatNgffRequires()
    {
        var path = Written(OmeZarrVersion.V05, Info with { Size = new(4, 300, 600) });
        var root = JsonNode.Parse(File.ReadAllText(Path.Combine(path, "zarr.json")))!;
        Assert.Equal((3, "group"), ((int)root["zarr_format"]!, (string)root["node_type"]!));
        var ome = root["attributes"]!["ome"]!;
        Assert.Equal("0.5", (string)ome["version"]!);
        var multiscale = ome["multiscales"]![0]!;
        Assert.Equal(["z", "y", "x"], multiscale["axes"]!.AsArray().Select(axis => (string)axis!["name"]!));
        Assert.All(multiscale["axes"]!.AsArray(), axis => Assert.Equal(("space", "nanometer"), ((string)axis!["type"]!, (string)axis["unit"]!)));
        foreach (var dataset in multiscale["datasets"]!.AsArray())
        {
            var array = JsonNode.Parse(File.ReadAllText(Path.Combine(path, (string)dataset!["path"]!, "zarr.json")))!;
            Assert.Equal("array", (string)array["node_type"]!);
            Assert.Equal(["zarr_format", "node_type", "shape", "data_type", "chunk_grid", "chunk_key_encoding", "fill_value", "codecs", "attributes", "dimension_names"],
                array.AsObject().Select(pair => pair.Key));
            Assert.Equal("scale", (string)dataset["coordinateTransformations"]![0]!["type"]!);
            Assert.Equal(3, dataset["coordinateTransformations"]![0]!["scale"]!.AsArray().Count);
        }
        Assert.Equal(["[10,5,4]", "[10,10,8]", "[20,20,16]"],
            multiscale["datasets"]!.AsArray().Select(dataset => dataset!["coordinateTransformations"]![0]!["scale"]!.ToJsonString()));
        Assert.Equal("[5,7.5,6]", multiscale["datasets"]![2]!["coordinateTransformations"]![1]!["translation"]!.ToJsonString());
    }

    [Fact]
    public void OpensCoarserLevels()
    {
        var path = Written(OmeZarrVersion.V05, Info with { Size = new(4, 300, 600) });
        using var volume = ZarrVolume.Open(path, new() { Level = 2 });
        Assert.Equal((new Size3(2, 75, 150), new VoxelSize(20, 20, 16)), (volume.Info.Size, volume.Info.Voxel!.Value));
        Assert.Contains("has no level 3; it has 0 to 2.", Assert.Throws<InputError>(() => ZarrVolume.Open(path, new() { Level = 3 })).Message);
    }

    [Theory]
    [InlineData(OmeZarrVersion.V04)]
    [InlineData(OmeZarrVersion.V05)]
    public void KeepsChannelsInOneArray(OmeZarrVersion version)
    {
        var path = At("channels");
        var info = new VolumeInfo(new(5, 40, 300), PixelType.Float32, new VoxelSize(8, 8, 8));
        float[][] truth = [.. Enumerable.Range(0, 3).Select(c => ZarrVolumeTests.Noise<ushort>(info.Size, (ulong)c).Data.Select(v => v * 0.5f).ToArray())];
        for (var run = 0; run < 2; run++)
        {
            var channels = ZarrVolume.CreateChannels(path, info, ["pore", "solid", "edge"], new() { Version = version });
            // the first run is killed after two channels
            for (var c = 0; c < 2 + run; c++)
            {
                var channel = (ZarrVolume<float>)channels[c];
                Assert.Equal(run == 1 && c < 2, channel.IsWritten(Box.Whole(info.Size)));
                channel.Write(Box.Whole(info.Size), truth[c]);
            }
            if (run == 0) continue;
            channels[1].Complete(Traversal.Default);
            Assert.All(channels, channel => Assert.True(channel.IsComplete));
        }
        for (var c = 0; c < 3; c++)
        {
            using var read = (ZarrVolume<float>)ZarrVolume.Open(path, new() { ChannelName = ((string[])["pore", "solid", "edge"])[c] });
            Assert.Equal((c, info.Voxel), (read.Channel, read.Info.Voxel));
            Assert.Equal(truth[c], Volume<float>.Load(read).Data);
        }
        Assert.Contains("has no channel void; it has 0 to 2: pore, solid, edge", Assert.Throws<InputError>(() => ZarrVolume.Open(path, new() { ChannelName = "void" })).Message);
        Assert.Contains("channels need names", Assert.Throws<InputError>(() => ZarrVolume.CreateChannels(At("x"), info, ["a", "a"])).Message);
    }

    [Fact]
    public void RefusesFoldersThatHoldAnythingElse()
    {
        var path = Written(OmeZarrVersion.V05);
        var before = ZarrVolumeTests.Bytes(path);
        Refused("already holds a complete volume. Nothing was changed: delete the folder", path, Info);
        Edit(path, root => root["attributes"]!["kerf"]!["complete"] = false);
        before = ZarrVolumeTests.Bytes(path);
        Refused("holds the beginning of another volume", path, Info with { Voxel = new VoxelSize(1, 1, 1) });
        Refused("of another size, type, chunk size or compression", path, Info with { Size = new(5, 20, 30) });
        Refused("of another size, type, chunk size or compression", path, Info, new() { Compression = ZarrCompression.None });
        Refused("holds \"zarr.json\", which is no part", path, Info, new() { Version = OmeZarrVersion.V04 });
        File.WriteAllText(Path.Combine(path, "notes.txt"), "mine");
        before = ZarrVolumeTests.Bytes(path);
        Refused("holds \"notes.txt\", which is no part", path, Info);
        Assert.Equal(before, ZarrVolumeTests.Bytes(path));
        Directory.CreateDirectory(At("other/0"));
        Refused("holds files, but no volume that Kerf was writing", At("other"), Info);
        File.WriteAllText(At("file"), "");
        Refused("is a file; a zarr volume is a folder", At("file"), Info);
        Refused("OME-Zarr 0.5 knows no zlib", At("new"), Info, new() { Compression = ZarrCompression.Zlib });
        Refused("compression level 0 is not from 1 to 9", At("new"), Info, new() { Level = 0 });
        Refused("chunks of 0×1×1 voxels cannot be written", At("new"), Info, new() { Chunk = new(0, 1, 1) });
        Refused("a volume of 0×1×1 voxels cannot be written", At("new"), Info with { Size = new(0, 1, 1) });
        Assert.False(Directory.Exists(At("new")));
    }

    private static void Refused(string message, string path, VolumeInfo info, ZarrOptions? options = null) =>
        Assert.Contains(message, Assert.Throws<InputError>(() => ZarrVolume.Create(path, info, options)).Message);

    [Theory]
    [InlineData("0/zarr.json", "\"shape\"", "\"shapes\"", "0/zarr.json: shape is missing")]
    [InlineData("0/zarr.json", "\"uint8\"", "\"complex64\"", "data_type: \"complex64\" is not a voxel type that is read")]
    [InlineData("0/zarr.json", "\"level\": 3", "\"level\": 3}}, {\"name\": \"lzma\", \"configuration\": {\"x\": 0", "codecs[2]: this codec is not read")]
    [InlineData("0/zarr.json", "\"regular\"", "\"rectilinear\"", "chunk_grid.name: only regular is read")]
    [InlineData("0/zarr.json", "20,", "2000000000,", "is not a whole number from 1 to 1073741824")]
    [InlineData("0/zarr.json", "\"array\"", "\"arrow\"", "0: holds no zarr array, though")]
    [InlineData("0/zarr.json", "\"fill_value\": 0", "\"fill_value\": 300", "fill_value is no uint8")]
    [InlineData("zarr.json", "\"path\": \"0\"", "\"path\": \"../V05.zarr/0\"", "datasets[0].path: is no folder inside the volume")]
    [InlineData("zarr.json", "\"path\": \"0\"", "\"path\": \"/etc\"", "is no folder inside the volume")]
    [InlineData("zarr.json", "\"path\": \"0\"", "\"path\": \"\\ud800\"", "is no text")]
    [InlineData("zarr.json", "10,", "-10,", "a scale is not above 0")]
    [InlineData("zarr.json", "\"#102030\"", "\"red\"", "is no colour like")]
    [InlineData("zarr.json", "\"name\": \"y\"", "\"name\": \"z\"", "two axes have one name")]
    [InlineData("zarr.json", "\"name\": \"y\"", "\"name\": \"q\"", "has no axes y and x")]
    [InlineData("zarr.json", "\"multiscales\"", "\"multiscale\"", "holds neither an OME-Zarr image")]
    [InlineData("zarr.json", "{", "{{", "is not readable JSON")]
    public void NamesWhatIsWrongWithMetadata(string file, string text, string by, string message)
    {
        var path = Path.Combine(Written(OmeZarrVersion.V05), file);
        var json = File.ReadAllText(path);
        Assert.Contains(text, json);
        var at = json.IndexOf(text, StringComparison.Ordinal);
        File.WriteAllText(path, json[..at] + by + json[(at + text.Length)..]);
        Assert.Contains(message, Assert.Throws<InputError>(() => ZarrVolume.Open(At("V05.zarr"))).Message);
    }

    [Fact]
    public void NamesADamagedOrHugeChunk()
    {
        var path = Written(OmeZarrVersion.V05);
        var chunk = Path.Combine(path, "0/c/0/0/0");
        var bytes = File.ReadAllBytes(chunk);
        File.WriteAllBytes(chunk, bytes[..^3]);
        Reading("0/c/0/0/0: zstd data are damaged or cut short. The chunk is damaged: copy the volume again");
        File.WriteAllBytes(chunk, new byte[200_000]);
        Reading("0/c/0/0/0: holds 200000 bytes where at most 70336 are possible");
        File.Delete(chunk);
        Directory.CreateDirectory(chunk);
        Reading("0/c/0/0/0: cannot be read");
        var array = Path.Combine(path, "0/zarr.json");
        File.WriteAllText(array, File.ReadAllText(array).Replace("          4,\n          20,\n          30\n", "1024,1024,1000", StringComparison.Ordinal)
            .Replace("        4,\n        20,\n        30\n", "1024,1024,1000", StringComparison.Ordinal));
        Assert.Contains("one chunk holds 1048576000 bytes; at most", Assert.Throws<InputError>(() => ZarrVolume.Open(path)).Message);

        void Reading(string message)
        {
            using var volume = (ZarrVolume<byte>)ZarrVolume.Open(path);
            Assert.Contains(message, Assert.Throws<InputError>(() => volume.Read(new(default, new(1, 1, 1)), new byte[1])).Message);
        }
    }

    [Fact]
    public void SaysWhereToFindTheImagesOfACollection()
    {
        Directory.CreateDirectory(At("c"));
        File.WriteAllText(At("c/zarr.json"), """{"zarr_format":3,"node_type":"group","attributes":{"ome":{"bioformats2raw.layout":3}}}""");
        Assert.Contains("Open one of them, such as", Assert.Throws<InputError>(() => ZarrVolume.Open(At("c"))).Message);
        Assert.Contains("is no folder, so no zarr volume", Assert.Throws<InputError>(() => ZarrVolume.Open(At("none"))).Message);
    }

    private static void Edit(string path, Action<JsonNode> edit)
    {
        var file = Path.Combine(path, "zarr.json");
        var root = JsonNode.Parse(File.ReadAllText(file))!;
        edit(root);
        File.WriteAllText(file, root.ToJsonString(new JsonSerializerOptions { WriteIndented = true }) + "\n");
    }
}
