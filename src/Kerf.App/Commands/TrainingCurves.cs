using System.Globalization;
using System.Text.Json.Nodes;
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

    private static JsonNode? Rounded(double value) => double.IsFinite(value) ? JsonValue.Create(Math.Round(value, 5)) : null;

    private string Page()
    {
        var charts = _stages.Select(stage =>
        {
            // the first epochs may lie so high that nothing else is seen
            var high = stage.Value.TakeWhile(e => Math.Max(e.Validation, e.Loss) > 4 * stage.Value[^1].Loss).Count();
            var shown = stage.Value.Count - high >= 4 ? stage.Value.Skip(high).ToList() : stage.Value;
            double[] x = [.. shown.Select(e => (double)e.Epoch)];
            var note = shown.Count < stage.Value.Count ? string.Create(CultureInfo.InvariantCulture, $"From epoch {x[0]:0} on: those before lie higher") : "";
            Series Line(string name, int colour, Func<EpochRecord, double> of) => new(name, [.. shown.Select(of)], Chart.Colours[colour]);
            var best = stage.Value.MinBy(e => double.IsNaN(e.Validation) ? double.PositiveInfinity : e.Validation)!;
            var facts = new JsonObject
            {
                ["epochs"] = stage.Value.Count,
                ["secondsPerEpoch"] = Math.Round(stage.Value.Average(e => e.Seconds), 2),
                ["bestEpoch"] = best.Epoch,
                ["validationLoss"] = Rounded(best.Validation),
                ["accuracy"] = Rounded(best.Accuracy),
                ["f1"] = Rounded(best.F1),
            };
            Chart[] charts =
            [
                new("Loss", "epoch", x, [Line("training", 0, e => e.Loss), Line("validation", 1, e => e.Validation)]) { FromZero = true, Note = note },
                new("Accuracy and F1 on the validation region", "epoch", x, [Line("accuracy", 2, e => e.Accuracy), Line("F1", 3, e => e.F1)]) { Note = note },
                new("Mean squared error", "epoch", x, [Line("MSE", 4, e => e.Mse)]) { FromZero = true, Note = note },
                new("Learning rate", "epoch", x, [Line("rate", 0, e => e.Rate)]) { FromZero = true },
            ];
            return Html.Of($"<section><h2>{(stage.Key.Length > 0 ? stage.Key : "Training")}</h2>{Tables.Value(facts)}<div class=\"charts\">{charts.Select(c => c.Draw())}</div></section>");
        });
        return Report.Page($"Training of {Path.GetFileName(model)}", Html.Join(charts));
    }
}
