using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class SliceNamesTests
{
    [Fact]
    public void OrderIsNatural()
    {
        string[] names = ["slice10.tif", "Slice2.tif", "slice1.tif", "slice03.tif", "a.tif"];
        Assert.Equal(["a.tif", "slice1.tif", "Slice2.tif", "slice03.tif", "slice10.tif"], names.Order(SliceNames.Natural));
    }

    [Theory]
    [InlineData("SE2_0001.tif SE2_0002.tif InLens_0001.tif InLens_0002.tif", "InLens SE2")]
    [InlineData("slice_1_ch1.tif slice_1_ch2.tif slice_2_ch1.tif slice_2_ch2.tif slice_3_ch1.tif slice_3_ch2.tif", "ch1 ch2")]
    [InlineData("0001_SE2.tif 0002_SE2.tif 0001_ESB.tif 0002_ESB.tif", "ESB SE2")]
    [InlineData("run5-1kV-s01.png run5-1kV-s02.png run5-2kV-s01.png run5-2kV-s02.png", "1kV 2kV")]
    public void ChannelsAreToldByTheNames(string files, string channels)
    {
        var series = SliceNames.Series(files.Split(' '), null);
        Assert.Equal(channels.Split(' '), SliceNames.Distinguish([.. series.Select(s => s.Label)]));
        Assert.All(series, s => Assert.Equal([1, 2], s.Slices.Take(2).Select(slice => slice.Number!.Value)));
    }

    [Theory]
    [InlineData("s_00001_z=0.0100um.tif s_00002_z=0.0200um.tif s_00003_z=0.0310um.tif")]
    [InlineData("s1_2024-05-01_12-33-10.tif s2_2024-05-01_12-35-12.tif s3_2024-05-01_13-01-02.tif")]
    [InlineData("run2_frame1of3.tif run2_frame2of3.tif run2_frame3of3.tif")]
    [InlineData("A1.TIF A2.tif A3.tiff")]
    public void TheCounterIsFoundAmongOtherNumbers(string files)
    {
        var series = Assert.Single(SliceNames.Series(files.Split(' '), null));
        Assert.Equal([1, 2, 3], series.Slices.Select(slice => slice.Number!.Value));
    }

    [Fact]
    public void PositionsAreReadFromNames()
    {
        var series = Assert.Single(SliceNames.Series(["z=0.9500um.tif", "z=1.0500um.tif", "z=1.1000um.tif"], null));
        Assert.Equal([950, 1050, 1100], series.Slices.Select(slice => Math.Round(slice.PositionNm!.Value, 6)));
        Assert.Null(SliceNames.Missing(series.Slices));
    }

    [Theory]
    [InlineData("1 2 4 5 9", "3, 6-8")]
    [InlineData("10 20 40", "30")]
    [InlineData("7", "")]
    [InlineData("2 4 6", "")]
    public void MissingNumbersAreListed(string numbers, string missing)
    {
        var slices = numbers.Split(' ').Select(n => new SliceName(n, decimal.Parse(n))).ToList();
        Assert.Equal(missing, SliceNames.Listed(SliceNames.Missing(slices)!));
    }

    [Fact]
    public void TimeStampsAreNoCounter()
    {
        var series = Assert.Single(SliceNames.Series(["20240501123310.tif", "20240501123512.tif", "20240501130102.tif"], null));
        Assert.Null(SliceNames.Missing(series.Slices));
    }

    [Fact]
    public void APatternTellsChannelAndSlice()
    {
        var series = SliceNames.Series(["x7-SE-1.tif", "x7-SE-2.tif", "x7-BSE-1.tif", "notes1.tif"], "*-{channel}-{slice}");
        Assert.Equal(["BSE", "SE"], series.Select(s => s.Label));
        Assert.Equal(["x7-SE-1.tif", "x7-SE-2.tif"], series[1].Slices.Select(s => s.Name));
        Assert.Contains("has no {slice}", Assert.Throws<InputError>(() => SliceNames.Series(["a1.tif"], "{channel}")).Message);
    }

    [Fact]
    public void LongListsAreCut() => Assert.Equal("1, 3, 5 and 2 more", SliceNames.Listed([1, 3, 5, 7, 9], 3));
}
