return Kerf.App.CommandLine.Run(args);
