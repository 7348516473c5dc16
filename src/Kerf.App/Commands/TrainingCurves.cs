using System.Globalization;
using Kerf.Networks;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>Shows a training while it runs: a line an epoch on standard error, and MODEL.html with the curves so far.</summary>
internal sealed class TrainingCurves(string model, Invocation session)
{
    private const string Levels = "▁▂▃▄▅▆▇█";
    private readonly Dictionary<string, List<EpochRecord>> _stages = [];

    /// <summary>Takes one epoch.</summary>
    public void Add(string stage, EpochRecord record)
    {
        if (!_stages.TryGetValue(stage, out var curve)) curve = _stages[stage] = [];
        curve.Add(record);
        if (!session.IsQuiet)
        {
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{(stage.Length > 0 ? stage + " " : "")}epoch {record.Epoch}  loss {record.Loss:0.0000}  validation {record.Validation:0.0000}  accuracy {record.Accuracy:0.0000}  F1 {record.F1:0.0000}  MSE {record.Mse:0.0000}  {record.Seconds:0.0} s  {Spark(curve)}"));
        }
        AtomicFile.WriteAllText(model + ".html", Page());
    }

    // the validation loss of the last epochs
    private static string Spark(List<EpochRecord> curve)
    {
        double[] last = [.. curve.TakeLast(24).Select(e => e.Validation)];
        var (low, high) = (last.Min(), last.Max());
        return string.Concat(last.Select(v => Levels[high > low && double.IsFinite(v) ? (int)Math.Min(7, (v - low) / (high - low) * 8) : 0]));
    }

    private string Page()
    {
        var charts = _stages.Select(stage =>
        {
            double[] x = [.. stage.Value.Select(e => (double)e.Epoch)];
            Series Line(string name, int colour, Func<EpochRecord, double> of) => new(name, [.. stage.Value.Select(of)], Chart.Colours[colour]);
            var loss = new Chart("Loss", "epoch", x, [Line("training", 0, e => e.Loss), Line("validation", 1, e => e.Validation)]) { FromZero = true };
            var score = new Chart("Accuracy and F1 on the validation region", "epoch", x, [Line("accuracy", 2, e => e.Accuracy), Line("F1", 3, e => e.F1)]);
            var mse = new Chart("Mean squared error", "epoch", x, [Line("MSE", 4, e => e.Mse)]) { FromZero = true };
            return Html.Of($"<h2>{(stage.Key.Length > 0 ? stage.Key : "Training")}</h2>{loss.Draw()}{score.Draw()}{mse.Draw()}");
        });
        return Report.Page($"Training of {Path.GetFileName(model)}", Html.Join(charts));
    }
}
