using Kerf.App;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class InfoCommandTests
{
    [Fact]
    public void DescribesAndConverts()
    {
        using var scratch = new Scratch();
        var volume = new Volume<byte>(new Size3(2, 3, 4), new VoxelSize(10, 5, 5));
        VolumeFile.Save(volume, scratch["a/"], Traversal.Default);
        ConvertCommand.Run(scratch["a"], scratch["b.tif"], OpenOptions.Default, Traversal.Default);
        foreach (var path in new[] { scratch["a"], scratch["b.tif"] })
        {
            var json = InfoCommand.Describe(path, OpenOptions.Default);
            var notes = path.EndsWith(".tif", StringComparison.Ordinal) ? """{"pixelSizeNm":"5"}""" : "{}";
            Assert.Equal(
                """{"shape":[2,3,4],"type":"uint8","voxelSize":{"z":10,"y":5,"x":5},"unit":"nm","channels":["channel 1"],"metadata":""" + notes + "}", json.ToJsonString());
            Assert.Contains("voxel size (z, y, x)  10 × 5 × 5 nm", InfoCommand.Text(json));
        }
        ConvertCommand.Run(scratch["a"], scratch["b.npy"], OpenOptions.Default, Traversal.Default);
        Assert.Null(InfoCommand.Describe(scratch["b.npy"], OpenOptions.Default)["voxelSize"]);
        Assert.Contains("unknown; give it with --voxel", InfoCommand.Text(InfoCommand.Describe(scratch["b.npy"], OpenOptions.Default)));
        Assert.Throws<InputError>(() => ConvertCommand.Run(scratch["a"], scratch["b.npy"], OpenOptions.Default, Traversal.Default));
        ConvertCommand.Run(scratch["a"], scratch["b.npy"], OpenOptions.Default, Traversal.Default, overwrite: true);
    }
}
