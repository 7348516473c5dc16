using System.Runtime.ExceptionServices;

namespace Kerf.Volumes;

/// <summary>How a volume is walked: threads, memory, block size, progress, cancellation. None of these may change a result by one bit.</summary>
public sealed record Traversal
{
    /// <summary>Defaults: all processors, 4 GiB, blocks of 128³.</summary>
    public static readonly Traversal Default = new();

    /// <summary>Worker threads, 1 or more.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Bytes that buffers and caches may hold together.</summary>
    public long MemoryBytes { get; init; } = 4L << 30;

    /// <summary>Edge of a cubic block in voxels, for kernels that need no whole slice.</summary>
    public int BlockEdge { get; init; } = 128;

    /// <summary>Told the share of the work that is done, 0 to 1, from any thread.</summary>
    public IProgress<double>? Progress { get; init; }

    /// <summary>Asks the walk to stop between two blocks.</summary>
    public CancellationToken Cancellation { get; init; }

    /// <summary>The same walk, reporting its progress as the part <paramref name="from"/> … <paramref name="to"/> of a larger one.</summary>
    public Traversal Part(double from, double to) =>
        Progress is { } outer ? this with { Progress = new Inline(share => outer.Report(from + (to - from) * share)) } : this;

    /// <summary>
    /// Calls <paramref name="body"/> for items 0 … <paramref name="count"/> − 1 on up to <paramref name="threads"/> (default: all) workers, handed
    /// out in ascending order. The first exception stops the rest and is rethrown as it was.
    /// </summary>
    public void ForEach(int count, Action<int> body, int? threads = null)
    {
        var workers = Math.Min(Math.Max(1, Math.Min(threads ?? Threads, Threads)), count);
        var next = -1;
        var done = 0;
        ExceptionDispatchInfo? fault = null;
        void Work()
        {
            try
            {
                while (Volatile.Read(ref fault) is null)
                {
                    var item = Interlocked.Increment(ref next);
                    if (item >= count) return;
                    Cancellation.ThrowIfCancellationRequested();
                    body(item);
                    Progress?.Report((double)Interlocked.Increment(ref done) / count);
                }
            }
            catch (Exception exception)
            {
                Interlocked.CompareExchange(ref fault, ExceptionDispatchInfo.Capture(exception), null);
            }
        }
        var others = new Thread[Math.Max(0, workers - 1)];
        for (var i = 0; i < others.Length; i++) (others[i] = new Thread(Work, 16 << 20) { IsBackground = true }).Start();
        Work();
        foreach (var other in others) other.Join();
        fault?.Throw();
    }

    private sealed class Inline(Action<double> report) : IProgress<double>
    {
        public void Report(double value) => report(value);
    }
}
