using Kerf.Benchmarks;

return ForestBenchmark.Run();
