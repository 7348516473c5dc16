using Kerf.Imaging;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public sealed class SliceNotesTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void RowsAreThereAgainAndACutLineIsDropped()
    {
        using (var notes = new SliceNotes(_folder["n/a.jsonl"], 4))
        {
            notes.Set(2, 0.1, double.NaN);
            notes.Set(0, 1.0 / 3, -5);
        }
        File.AppendAllText(_folder["n/a.jsonl"], "[3,7.2");
        using (var notes = new SliceNotes(_folder["n/a.jsonl"], 4))
        {
            Assert.Equal([1.0 / 3, 0, 0.1, 0], notes.Column(0));
            Assert.Equal([-5, 0, double.NaN, 0], notes.Column(1));
            notes.Set(3, 8, 9);
        }
        using var again = new SliceNotes(_folder["n/a.jsonl"], 4);
        Assert.Equal(8, again.Column(0)[3]);
    }

    [Fact]
    public void ADamagedLineIsRefused()
    {
        File.WriteAllText(_folder["a.jsonl"], "[0,1]\nnonsense\n");
        Assert.Contains("a.jsonl: holds a line that is no list of numbers.", Assert.Throws<InputError>(() => new SliceNotes(_folder["a.jsonl"], 4)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FactsOfAnInterruptedStepAreThoseOfAWholeOne()
    {
        var stack = Phantoms.Stack(48, 64, 80, seed: 4);
        string Facts(string name, CancellationTokenSource? stop)
        {
            var run = new StepRun(stack, info => ZarrVolume.Create(_folder[name + ".zarr"], info), _folder[name])
            {
                Walk = new() { Threads = 2, Cancellation = stop?.Token ?? default, Progress = new After(0.5, () => stop?.Cancel()) },
            };
            new Destripe().Run(run);
            return run.Facts.ToJsonString();
        }
        var whole = Facts("whole", null);
        using var stop = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => Facts("cut", stop));
        Assert.Equal(whole, Facts("cut", null));
        Assert.Equal(48, File.ReadAllLines(_folder["whole/stripes.jsonl"]).Length);
    }

    private sealed class After(double share, Action act) : IProgress<double>
    {
        public void Report(double value)
        {
            if (value >= share) act();
        }
    }
}
