using System.Diagnostics;
using System.Globalization;

namespace Kerf.App;

/// <summary>
/// Progress on standard error: a live line with time left on a terminal, plain lines elsewhere, nothing when quiet. Nothing is shown of work
/// that is done within a second.
/// </summary>
public sealed class ConsoleProgress(bool quiet) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private readonly bool _quiet = quiet;
    private readonly bool _live = !quiet && !Console.IsErrorRedirected;
    private readonly Lock _gate = new();
    private Task? _task;

    /// <summary>Starts a new line of work; the one before is finished.</summary>
    public IProgress<double> Begin(string label)
    {
        lock (_gate)
        {
            _task?.Finish();
            return _task = new Task(this, label);
        }
    }

    /// <summary>Ends the live line.</summary>
    public void Dispose()
    {
        lock (_gate) _task?.Finish();
        _task = null;
    }

    private sealed class Task(ConsoleProgress owner, string label) : IProgress<double>
    {
        private readonly Stopwatch _clock = Stopwatch.StartNew();
        private TimeSpan _next = Patience;
        private double _share;
        private bool _shown;

        public void Report(double share)
        {
            lock (owner._gate)
            {
                // workers report out of order; a bar never goes back
                _share = Math.Max(_share, share);
                // the last line is drawn once, when the work is finished
                if (owner._task != this || _share >= 1 || _clock.Elapsed < _next) return;
                _next = _clock.Elapsed + (owner._live ? TimeSpan.FromMilliseconds(100) : TimeSpan.FromSeconds(10));
                Show();
            }
        }

        public void Finish()
        {
            if (!_shown) return;
            _share = 1;
            Show();
            if (owner._live) Console.Error.WriteLine();
        }

        private void Show()
        {
            if (owner._quiet) return;
            _shown = true;
            var left = _share is > 0.01 and < 1 ? $"{Time(_clock.Elapsed * ((1 - _share) / _share))} left" : _share >= 1 ? $"done in {Time(_clock.Elapsed)}" : "";
            var percent = ((int)(_share * 100)).ToString(CultureInfo.InvariantCulture).PadLeft(3);
            if (owner._live)
            {
                const int width = 30;
                var filled = (int)(_share * width);
                Console.Error.Write($"\r\e[K{label,-22} {new string('━', filled)}{new string('╌', width - filled)} {percent} %  {left}");
            }
            else
            {
                Console.Error.WriteLine($"{label} {percent} %  {left}");
            }
        }

    }

    private static string Time(TimeSpan time) => time.TotalHours >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalHours}:{time.Minutes:00}:{time.Seconds:00}")
        : string.Create(CultureInfo.InvariantCulture, $"{time.Minutes}:{time.Seconds:00}");
}
