using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class CompareCommandTests
{
    private static readonly Size3 Size = new(2, 4, 4);

    private static void Save(TempFolder folder, string name, Func<int, byte> label) =>
        VolumeFile.Save(new Volume<byte>(Size, null, [.. Enumerable.Range(0, (int)Size.Count).Select(label)]), folder[name], Traversal.Default);

    [Fact]
    public void TheKeysThatScriptsRead()
    {
        using var folder = new TempFolder();
        Save(folder, "truth.tif", i => (byte)(1 + i / 16));
        Save(folder, "found.tif", i => (byte)(i < 12 ? 1 : 2));
        var whole = KerfProcess.Run(folder.Path, ["compare", "found.tif", "truth.tif", "--json"]).Json;
        Assert.Equal(0.875, (double)whole["accuracy"]!, 12);
        Assert.Equal((12.5, 0.0, 2), ((double)whole["MP"]!, (double)whole["MGP"]!, (int)whole["solid"]!));
        Assert.Equal((0.775, 22.5), ((double)whole["meanIoU"]!, Math.Round((double)whole["awe"]!, 10)));
        foreach (var key in (string[])["meanDice", "f1", "mse", "solidFractionError"]) Assert.NotNull(whole[key]);
        foreach (var key in (string[])["label", "iou", "dice", "precision", "recall", "f1"]) Assert.NotNull(whole["classes"]![0]![key]);
        var said = KerfProcess.Run(folder.Path, ["compare", "found.tif", "truth.tif", "--quiet"]);
        Assert.True(said.Status == 0, said.Error);
        Assert.Matches(@"accuracy +0\.875\n[\s\S]*solid +2\n", said.Output);
        var crop = KerfProcess.Run(folder.Path, ["compare", "found.tif", "truth.tif", "--crop", "0,2,0,2,2,4", "--json"]).Json;
        Assert.Equal((0.75, 0.875), ((double)crop["accuracy"]!, (double)crop["whole"]!["accuracy"]!));
        var users = KerfProcess.Run(folder.Path, ["compare", "found.tif", "truth.tif", "found.tif", "--users", "--out", "pairs", "--json"]).Json;
        Assert.Equal(12.5 * 2 / 3, (double)users["meanDifferencePercent"]!, 10);
        Assert.Equal(3, users["phases"]![0]!["fractions"]!.AsArray().Count);
        var image = Volume<byte>.Load(VolumeFile.Open(folder["pairs/difference-1-2.zarr"]).AsLabels());
        Assert.Equal(4, image.Data.Count(v => v == 255));
    }

    [Theory]
    [InlineData("compare: 1 volume given; give RESULT and TRUTH, or add --users to compare several results.", "a.tif")]
    [InlineData("--crop is \"1,2\"; write z,y,x,dz,dy,dx: the first voxel and the extent, six whole numbers.", "a.tif", "a.tif", "--crop", "1,2")]
    [InlineData("compare: --crop and --solid need a truth; drop them, or drop --users.", "a.tif", "a.tif", "--users", "--solid", "1")]
    [InlineData("compare: --out takes the difference images of --users; drop it, or add --users.", "a.tif", "a.tif", "--out", "x")]
    public void RefusesInOneLine(string message, params string[] arguments)
    {
        using var folder = new TempFolder();
        Save(folder, "a.tif", i => (byte)(1 + i / 16));
        var result = KerfProcess.Run(folder.Path, ["compare", .. arguments, "--quiet"]);
        Assert.Equal((2, "kerf: " + message + "\n"), (result.Status, result.Error));
    }
}
