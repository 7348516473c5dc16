using System.CommandLine;

namespace Kerf.App;

/// <summary>The whole command line.</summary>
public static class CommandLine
{
    /// <summary>Parses and runs; returns the exit status.</summary>
    public static int Run(string[] arguments)
    {
        using var interrupted = new CancellationTokenSource();
        Console.CancelKeyPress += (_, pressed) =>
        {
            // the first Ctrl-C stops between two blocks; a second one ends the process at once, which loses nothing either
            pressed.Cancel = !interrupted.IsCancellationRequested;
            interrupted.Cancel();
        };
        var root = new RootCommand("Kerf: from raw FIB-SEM or X-ray slices to a straight, cleaned, segmented and measured volume.\n"
            + "Start with: kerf demo    or: kerf new recipe.yaml --template solid-state");
        foreach (var command in All()) root.Add(command);
        var parsed = root.Parse(arguments);
        if (parsed.Errors.Count > 0 && !parsed.Tokens.Any(t => t.Value is "--help" or "-h" or "-?"))
            return Fault.Line(Message(parsed, arguments, root), 2);
        return parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false }, interrupted.Token).GetAwaiter().GetResult();
    }

    private static IEnumerable<Command> All() =>
    [
        DemoCommand.Make(), .. RecipeCommands.All(), .. FileCommands.All(), MeasureCommands.Make(), MeshCommand.Make(), GaborSearchCommand.Make(), ImportanceCommand.Make(),
        CompareCommand.Make(), SimulateCommands.Make(), StudyCommand.Make(), TrainCommands.Make(), PredictCommand.Make(), ExportCommand.Make(), AdaptCommand.Make(), FeaturesCommand.Make(),
        ThicknessCommand.Make(), .. StepCommands.All(),
    ];

    private static string Message(ParseResult parsed, string[] arguments, RootCommand root)
    {
        var command = parsed.CommandResult.Command;
        if (command == root && arguments.Length > 0 && !arguments[0].StartsWith('-'))
            return $"there is no command \"{arguments[0]}\"{Naming.Suggest(arguments[0], root.Subcommands.Select(c => c.Name))}";
        if (arguments.Length == 0) return "no command given. kerf --help lists them; kerf demo shows them at work.";
        var known = command.Options.Select(o => o.Name).ToArray();
        var unknown = parsed.UnmatchedTokens.FirstOrDefault(t => t.StartsWith("--", StringComparison.Ordinal));
        if (unknown is not null) return $"{command.Name} has no option \"{unknown}\"{Naming.Suggest(unknown, known)}";
        var path = string.Join(' ', command.Parents.OfType<Command>().Where(c => c != root).Append(command).Select(c => c.Name));
        return $"{path}: {parsed.Errors[0].Message} See kerf {path} --help.";
    }
}
