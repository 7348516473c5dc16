namespace Kerf.Volumes;

/// <summary>
/// The input or the call is wrong, not the program. The message is one line for the user: what (argument or file), the value or place, the
/// allowed range, the remedy. The command line prints it and ends with status 2.
/// </summary>
public sealed class InputError : Exception
{
    /// <summary>One line: what, where, remedy.</summary>
    public InputError(string message) : base(message) { }

    /// <summary>One line, with the fault that led to it.</summary>
    public InputError(string message, Exception inner) : base(message, inner) { }
}
