using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>The options that many commands share, and what follows from them: how to walk, what to open, where to print.</summary>
public sealed class Invocation
{
    /// <summary>--json.</summary>
    public static readonly Option<bool> Json = new("--json") { Description = "Print one JSON object on standard output and nothing else." };

    /// <summary>--quiet.</summary>
    public static readonly Option<bool> Quiet = new("--quiet") { Description = "Show no progress." };

    /// <summary>--force.</summary>
    public static readonly Option<bool> Force = new("--force") { Description = "Run although nothing changed; replace an output that is there." };

    private static readonly Option<string?> Threads = new("--threads") { Description = "Worker threads (default: all processors). Never changes a result, but for the training of a network.", HelpName = "n" };
    private static readonly Option<string?> Memory = new("--memory") { Description = "Memory budget, like 4GiB or 800MiB (default 4GiB). Never changes a result.", HelpName = "size" };
    private static readonly Option<string?> Block = new("--block") { Description = "Edge of a block in voxels, 16 to 1024 (default 128). Never changes a result.", HelpName = "n" };
    private static readonly Option<string?> Seed = new("--seed") { Description = "Seed of every random draw (default 1).", HelpName = "n" };
    private static readonly Option<string?> Voxel = new("--voxel") { Description = "Voxel size z,y,x in nm; overrides what the file says.", HelpName = "z,y,x" };
    private static readonly Option<string?> Channel = new("--channel") { Description = "Channel to read (default: the first).", HelpName = "name" };
    private static readonly Option<bool> AllowGaps = new("--allow-gaps") { Description = "Read a slice folder although numbers are missing." };

    private readonly ParseResult _parsed;

    private Invocation(ParseResult parsed, CancellationToken cancellation)
    {
        _parsed = parsed;
        Progress = new ConsoleProgress(parsed.GetValue(Quiet));
        Walk = new Traversal
        {
            Threads = Whole(parsed, Threads, 1, 1024) ?? Environment.ProcessorCount,
            MemoryBytes = Bytes(parsed.GetValue(Memory)) ?? 4L << 30,
            BlockEdge = Whole(parsed, Block, 16, 1024) ?? 128,
            Cancellation = cancellation,
        };
        LimitHeap(Walk.MemoryBytes + Walk.MemoryBytes / 4);
    }

    // buffers and caches keep to the budget; the collector must not let garbage pile up beyond it, which it would on a machine with memory to spare
    private static void LimitHeap(long bytes)
    {
        AppContext.SetData("GCHeapHardLimit", (ulong)Math.Max(bytes, 512L << 20));
        GC.RefreshMemoryLimit();
    }

    /// <summary>
    /// Makes the whole process stay below the budget, garbage, code and codecs included: of it the heap may hold seven eighths, and the caches of
    /// inputs an eighth. For commands whose blocks keep to half of it.
    /// </summary>
    public void HoldBudget()
    {
        LimitHeap(Walk.MemoryBytes / 8 * 7);
        _cacheShare = 8;
    }

    private int _cacheShare = 4;

    /// <summary>How to walk volumes.</summary>
    public Traversal Walk { get; }

    /// <summary>Progress on standard error.</summary>
    public ConsoleProgress Progress { get; }

    /// <summary>True when the caller wants JSON.</summary>
    public bool WantsJson => _parsed.GetValue(Json);

    /// <summary>True with --quiet.</summary>
    public bool IsQuiet => _parsed.GetValue(Quiet);

    /// <summary>True with --force.</summary>
    public bool Forced => _parsed.GetValue(Force);

    /// <summary>Seed of every random draw.</summary>
    public ulong SeedValue => (ulong)(Whole(_parsed, Seed, 0, int.MaxValue) ?? 1);

    /// <summary>How to open an input.</summary>
    public OpenOptions Opening => new()
    {
        Voxel = _parsed.GetValue(Voxel) is { } text ? VoxelSize.Parse(text) : null,
        Channel = _parsed.GetValue(Channel),
        AllowGaps = _parsed.GetValue(AllowGaps),
        CacheBytes = Walk.MemoryBytes / _cacheShare,
    };

    /// <summary>Adds the options of how to run: threads, memory, block, json, quiet.</summary>
    public static Command Running(Command command)
    {
        foreach (var option in (Option[])[Threads, Memory, Block, Json, Quiet]) command.Add(option);
        return command;
    }

    /// <summary>Adds the options of what to open: voxel, channel, allow-gaps.</summary>
    public static Command Reading(Command command)
    {
        command.Add(Channel);
        return ReadingChannels(command);
    }

    /// <summary>Adds voxel and allow-gaps, for commands that take several channels by an option of their own.</summary>
    public static Command ReadingChannels(Command command)
    {
        foreach (var option in (Option[])[Voxel, AllowGaps]) command.Add(option);
        return command;
    }

    /// <summary>Adds --seed and --force.</summary>
    public static Command Making(Command command)
    {
        foreach (var option in (Option[])[Seed, Force]) command.Add(option);
        return command;
    }

    /// <summary>Gives the command its work; errors become one line and a status: see <see cref="Fault.Report"/>.</summary>
    public static Command With(Command command, Action<ParseResult, Invocation> work)
    {
        command.SetAction((parsed, cancellation) => Task.FromResult(Fault.Report(() =>
        {
            var session = new Invocation(parsed, cancellation);
            using (session.Progress) work(parsed, session);
        }, cancellation)));
        return command;
    }

    /// <summary>Prints the JSON object, or the text for people.</summary>
    public void Print(JsonObject json, Func<string> text)
    {
        Progress.Dispose();
        Console.Out.WriteLine(WantsJson ? json.ToJsonString(Compact) : text());
    }

    private static readonly JsonSerializerOptions Compact = new() { NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals };

    private static int? Whole(ParseResult parsed, Option<string?> option, int min, int max)
    {
        if (parsed.GetValue(option) is not { } text) return null;
        return int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= min && value <= max ? value
            : throw new InputError($"{option.Name} is \"{text}\"; allowed: a whole number from {min} to {max}.");
    }

    private static long? Bytes(string? text)
    {
        if (text is null) return null;
        var digits = text.AsSpan().TrimEnd("KMGTiBkmgb ");
        var unit = text[digits.Length..].Trim().ToLowerInvariant();
        var factor = unit switch { "" or "b" => 1, "k" or "kb" or "kib" => 1L << 10, "m" or "mb" or "mib" => 1L << 20, "g" or "gb" or "gib" => 1L << 30, "t" or "tb" or "tib" => 1L << 40, _ => 0 };
        return factor > 0 && double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value * factor is >= 16 << 20 and < 1L << 50 ? (long)(value * factor)
            : throw new InputError($"--memory is \"{text}\"; write a size of 16MiB or more, like 800MiB or 4GiB.");
    }
}
