using System.Text.Json;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

/// <summary>What scikit-image and SciPy made of the volumes in <c>References/segmentation</c>.</summary>
internal static class Reference
{
    public static readonly JsonElement Json = JsonDocument.Parse(
        File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "References", "segmentation", "segmentation.json"))).RootElement;

    public static Volume<byte> Image => new(new(1, Json.GetProperty("height").GetInt32(), Json.GetProperty("width").GetInt32()), null, Bytes(Json.GetProperty("image")));

    public static Volume<byte> Grey => new(Size("volumeSize"), null, Bytes(Json.GetProperty("volume")));

    public static Size3 MaskSize => Size("maskSize");

    public static byte[] Bytes(JsonElement element) => element.GetBytesFromBase64();

    /// <summary>A packed mask as 0 and 1.</summary>
    public static byte[] Mask(JsonElement element, Size3 size)
    {
        var bits = element.GetBytesFromBase64();
        return [.. Enumerable.Range(0, (int)size.Count).Select(i => (byte)(bits[i / 8] >> (7 - i % 8) & 1))];
    }

    /// <summary>A packed mask as labels 1 = out, 2 = in.</summary>
    public static Volume<byte> Labels(string name) => new(MaskSize, null, [.. Mask(Json.GetProperty(name), MaskSize).Select(bit => (byte)(bit + 1))]);

    /// <summary>Runs a step in memory.</summary>
    public static (Volume<T> Result, StepRun Run) Run<T>(Step step, IVolume source, Traversal? walk = null, string? folder = null) where T : unmanaged
    {
        var run = new StepRun(source, info => new Volume<T>(info), folder) { Walk = walk ?? Traversal.Default };
        step.Run(run);
        return ((Volume<T>)run.Target!, run);
    }

    /// <summary>The message of the refusal.</summary>
    public static string Refusal(Action act) => Assert.Throws<InputError>(act).Message;

    private static Size3 Size(string name)
    {
        var size = Json.GetProperty(name);
        return new(size[0].GetInt32(), size[1].GetInt32(), size[2].GetInt32());
    }
}
