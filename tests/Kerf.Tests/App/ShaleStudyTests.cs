using Kerf.App;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public sealed class ShaleStudyTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void TilesAreThePiecesOfTheStripTheyWereCutFrom()
    {
        var strip = Phantoms.Stack(1, 6016, 384, seed: 3);
        Cut(strip.Data);
        var stretches = new ShaleStudy(4, 1, 1).Strip(_folder.Path);
        Assert.Equal(new Size3(4, 1504, 384), stretches.Info.Size);
        Assert.Equal(strip.Data, stretches.Data);
        Assert.Equal("--stretches is 5; the strip is 6016 pixels high: choose a number that divides it, like 2, 4 or 8.", Refused(5));
    }

    [Fact]
    public void TilesThatDoNotLieHalfOverHalfAreRefused()
    {
        Cut(Phantoms.Stack(1, 6016, 384, seed: 3).Data);
        File.Delete(_folder["tile-047.tif"]);
        VolumeFile.Save(new Volume<byte>(new Size3(1, 256, 256)), _folder["tile-047.tif"], new());
        Assert.EndsWith("tile 46 differs from those it overlaps; the tiles do not lie half over half, 46 in a column.", Refused(4), StringComparison.Ordinal);
        foreach (var file in Directory.GetFiles(_folder.Path).Order().Skip(20)) File.Delete(file);
        Assert.EndsWith("holds 20×256×256 voxels of uint8; give the 46 tiles of a column or more, 256×256 pixels of uint8 each.", Refused(4), StringComparison.Ordinal);
    }

    [Fact]
    public void TheRealTilesLieSo()
    {
        var tiles = SharedData.Path("shale-sem-patches");
        Assert.SkipWhen(tiles is null, "no ../shared/data/shale-sem-patches");
        var study = new ShaleStudy(4, 1, 1);
        Assert.Equal(new Size3(4, 1504, 384), study.Strip(Path.Combine(tiles!, "raw")).Info.Size);
        Assert.Equal([0, 255], study.Strip(Path.Combine(tiles!, "masks")).Data.Distinct().Order().Select(v => (int)v));
    }

    private string Refused(int stretches) => Assert.Throws<InputError>(() => new ShaleStudy(stretches, 1, 1).Strip(_folder.Path)).Message;

    private void Cut(byte[] strip)
    {
        for (var n = 0; n < 92; n++)
        {
            var tile = new Volume<byte>(new Size3(1, 256, 256));
            for (var y = 0; y < 256; y++) strip.AsSpan((n % 46 * 128 + y) * 384 + n / 46 * 128, 256).CopyTo(tile.Data.AsSpan(y * 256));
            VolumeFile.Save(tile, _folder[$"tile-{n + 1:000}.tif"], new());
        }
    }
}
