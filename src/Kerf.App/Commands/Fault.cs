using Kerf.Volumes;

namespace Kerf.App;

/// <summary>Turns what went wrong into one line on standard error and an exit status.</summary>
public static class Fault
{
    /// <summary>0 done, 1 failed, 2 the input or the call is wrong, 130 interrupted.</summary>
    public static int Report(Action work, CancellationToken cancellation)
    {
        try
        {
            work();
            return 0;
        }
        catch (InputError error)
        {
            return Line(error.Message, 2);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return Line("interrupted. The same command goes on where this one stopped.", 130);
        }
        catch (Exception error) when (error is UnauthorizedAccessException or DirectoryNotFoundException or FileNotFoundException or PathTooLongException)
        {
            return Line($"{error.Message} Check the path and its rights.", 2);
        }
        catch (IOException error)
        {
            // ENOSPC and EDQUOT come as a plain IOException
            return Line($"{error.Message.TrimEnd('.')}. Check the space left on the disk; the same command goes on where this one stopped.", 2);
        }
        catch (OutOfMemoryException)
        {
            return Line("out of memory. Lower --memory, --threads or --block.", 1);
        }
        catch (Exception error) when (Environment.GetEnvironmentVariable("KERF_TRACE") is null)
        {
            return Line($"internal error: {error.GetType().Name}: {error.Message.ReplaceLineEndings(" ")} (set KERF_TRACE=1 for the full trace).", 1);
        }
    }

    /// <summary>Prints "kerf: …" as one line and returns the status.</summary>
    public static int Line(string message, int status)
    {
        Console.Error.WriteLine("kerf: " + message.ReplaceLineEndings(" "));
        return status;
    }
}
