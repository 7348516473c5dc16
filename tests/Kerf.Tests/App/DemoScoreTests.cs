using Kerf.App;
using Kerf.Simulation;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class DemoScoreTests
{
    private static readonly Size3 Size = new(6, 40, 48);
    private static readonly Size3 Start = new(0, 8, 4);
    private static readonly Size3 Crop = new(6, 30, 40);

    // three bands of the phases under a cap of four rows, greys 40, 90, 170, curtains of either sign that leave the means alone
    private static DemoTruth Truth(double curtainGrey = 10)
    {
        var (labels, ideal) = (new Volume<byte>(Size), new Volume<byte>(Size));
        for (var i = 0; i < labels.Data.Length; i++)
        {
            var y = i / Size.X % Size.Y;
            labels.Data[i] = (byte)(y < 4 ? 0 : y < 16 ? 1 : y < 28 ? 2 : 3);
            ideal.Data[i] = (byte)Electrode.MeanGreys[labels.Data[i]];
        }
        return new(labels, ideal, new()
        {
            Shifts = [.. Enumerable.Range(0, Size.Z).Select(z => new[] { 0.5 * z, -0.25 * z })],
            BrightnessOffsets = new double[Size.Z],
            Thickness = 20,
            CurtainGrey = curtainGrey,
            Curtains = [new(12, -1e6, 1.5, 8, -2, 20), new(30, -1e6, 1.5, -8, -2, 20), new(20, 20, 2, 6, 1, 3), new(35, 20, 2, -6, 1, 3)],
        });
    }

    // ideal + share · curtains + constant, in the crop's frame
    private static Volume<float> Greys(DemoTruth truth, double share, double constant = 0)
    {
        var greys = new Volume<float>(Crop);
        for (var z = 0; z < Crop.Z; z++)
        {
            var curtains = new float[Size.SliceCount];
            truth.Session.AddCurtains(z, Size, (0, 0), curtains);
            for (var y = 0; y < Crop.Y; y++)
                for (var x = 0; x < Crop.X; x++)
                {
                    var at = (y + Start.Y) * Size.X + x + Start.X;
                    greys[z, y, x] = (float)(((Volume<byte>)truth.Ideal).Slice(z)[at] + share * curtains[at] + constant);
                }
        }
        return greys;
    }

    private static Volume<byte> Phases(DemoTruth truth)
    {
        var phases = new Volume<byte>(Crop);
        truth.Labels.Read(new(Start, Crop), phases.Data);
        return phases;
    }

    private static DemoScore Score(DemoTruth truth, Volume<byte>? phases = null, double[][]? shifts = null, Volume<float>? after = null) =>
        DemoScore.Of(truth, shifts ?? truth.Session.Shifts, Start, phases ?? Phases(truth), Greys(truth, 1), after ?? Greys(truth, 0), Traversal.Default);

    [Fact]
    public void ThePerfectChainScoresFull()
    {
        var score = Score(Truth());
        Assert.Equal([1.0, 1.0, 1.0], score.Dice);
        Assert.Equal(0, score.ShiftRms);
        Assert.Equal(1, score.StripeReduction, 9);
        Assert.InRange(score.PhaseMeanChange, 0, 1e-4);
        Assert.True(score.Passes);
    }

    [Fact]
    public void DiceFollowsItsDefinition()
    {
        var truth = Truth();
        var phases = Phases(truth);
        // bands in the crop: rows 0–7 pore, 8–19 electrolyte, 20–29 active; four rows of electrolyte called active
        for (var z = 0; z < Crop.Z; z++)
            for (var y = 16; y < 20; y++)
                for (var x = 0; x < Crop.X; x++) phases[z, y, x] = 3;
        var score = Score(truth, phases);
        Assert.Equal([1, 2 * 8.0 / (8 + 12), 2 * 10.0 / (14 + 10)], score.Dice, (a, b) => Math.Abs(a - b) < 1e-12);
        Assert.Equal(score.Dice.Average(), score.MeanDice);
        Assert.False(score.Passes);
    }

    [Fact]
    public void ShiftErrorsAreTakenRelativeToSliceZeroOnly()
    {
        var truth = Truth();
        var real = truth.Session.Shifts;
        Assert.Equal(0, Score(truth, shifts: [.. real.Select(s => new[] { s[0] + 3, s[1] - 1 })]).ShiftRms, 12);
        // a slope of 0.3 pixels a slice is an error: 0.3 · √((1 + 4 + 9 + 16 + 25) / 5)
        Assert.Equal(0.3 * Math.Sqrt(11), Score(truth, shifts: [.. real.Select((s, z) => new[] { s[0] + 0.3 * z, s[1] })]).ShiftRms, 12);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(0.3, 0.91)]
    [InlineData(-0.2, 0.96)] // taken away too much
    [InlineData(2, -3)] // made worse
    public void StripeReductionIsOneMinusTheEnergyThatIsLeft(double share, double reduction) =>
        Assert.Equal(reduction, Score(Truth(), after: Greys(Truth(), share, constant: 2)).StripeReduction, 5);

    [Fact]
    public void WithoutCurtainsThereIsNothingToReduce() => Assert.Equal(1, Score(Truth(curtainGrey: 0)).StripeReduction);

    [Fact]
    public void PhaseMeansAreComparedByTrueLabels()
    {
        var truth = Truth();
        // 2 grey levels are 5 % of the pores' 40
        Assert.InRange(Score(truth, after: Greys(truth, 1, constant: 2)).PhaseMeanChange, 0.048, 0.052);
    }

    [Fact]
    public void RefusesWhatDoesNotMatch()
    {
        var truth = Truth();
        Assert.Contains("score: phases are 6×30×40, greys before", Assert.Throws<InputError>(() =>
            Score(truth, after: new Volume<float>(Size))).Message);
        Assert.Contains("score: 2 shifts for 6 slices", Assert.Throws<InputError>(() => Score(truth, shifts: [[0, 0], [0, 0]])).Message);
        Assert.Contains("is not inside the specimen of 6×40×48", Assert.Throws<InputError>(() =>
            DemoScore.Of(truth, truth.Session.Shifts, new(0, 20, 0), Phases(truth), Greys(truth, 1), Greys(truth, 0), Traversal.Default)).Message);
    }
}
