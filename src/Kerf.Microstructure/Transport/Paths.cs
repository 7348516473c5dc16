using System.Globalization;
using System.Text;
using System.Text.Json;
using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>A shortest way as a line: corners in nanometres (z, y, x), and at each the share of all lines that pass there.</summary>
/// <param name="Length">Its length, nm.</param>
/// <param name="Points">Its corners from start to end.</param>
/// <param name="Density">Share of all drawn lines through the corner's voxel.</param>
public sealed record TransportPath(double Length, IReadOnlyList<(double Z, double Y, double X)> Points, IReadOnlyList<double> Density);

/// <summary>Shortest ways of electrons or ions, as lines to draw: see <c>docs/methods/paths.md</c>.</summary>
[Operation("paths", "Shortest ways through a phase, from a plane or a contact to another, as lines with their density and length.")]
public sealed record Paths : PhaseMeasure
{
    private const string Name = "paths";

    /// <summary>Where the ways start.</summary>
    [Parameter("Ways start where the phase touches this one (number or name); the phase itself: anywhere in it. Without: on the volume's first plane along --axis.")]
    public string? From { get; init; }

    /// <summary>Where they end.</summary>
    [Parameter("Ways end where the phase touches this one (number or name). Without: on the volume's last plane along --axis.")]
    public string? To { get; init; }

    /// <summary>How many lines.</summary>
    [Parameter("Ways to draw, from starts taken at random.", Min = 1, Max = 100_000)]
    public int Count { get; init; } = 200;

    /// <summary>Where the lines go.</summary>
    [Parameter("Also write the lines: .vtk (ParaView), .ply or .json.", IsPath = true)]
    public string? Lines { get; init; }

    /// <inheritdoc/>
    protected internal override Measured Once(IVolume source, Traversal walk, ulong seed)
    {
        if (Lines is not null && Path.GetExtension(Lines) is not (".vtk" or ".ply" or ".json"))
            throw new InputError($"{Name}: --lines is \"{Lines}\"; its ending must be .vtk, .ply or .json.");
        var mask = Mask(source, Name, walk);
        var across = Axis ?? Microstructure.Axis.Z;
        if (From is null || To is null) mask.AtLeast(new(across == Microstructure.Axis.Z ? 2 : 1, across == Microstructure.Axis.Y ? 2 : 1, across == Microstructure.Axis.X ? 2 : 1), Name);
        PhaseMask? Contact(string? phase, string option) => phase is null ? null : PhaseMask.Of(mask.Labels, phase, $"{Name}: {option}", walk);
        var (from, to) = (Contact(From, "--from"), Contact(To, "--to"));
        var found = new List<Measurement>();
        var (all, starts) = (new List<TransportPath>(), new List<double>());
        // contacts have no direction, planes have
        IEnumerable<Axis?> axes = from is not null && to is not null ? [null] : Axis is { } one ? [one] : [Microstructure.Axis.Z];
        foreach (var axis in axes)
        {
            var (paths, reached) = Between(mask, axis, from, to, Count, walk, seed);
            all.AddRange(paths);
            var letter = axis?.Letter();
            var mean = paths.Count > 0 ? paths.Average(path => path.Length) : double.PositiveInfinity;
            var interval = Spread(paths);
            var method = paths.Count > 0 ? $"{Name}/quantiles-95-of-ways" : $"{Name}/not-percolating";
            found.Add(new("pathLength", mask.Phase.Name, letter, mean, Lengths.Unit(mask.Info), interval?.Low, interval?.High, method));
            found.Add(new("reachedFraction", mask.Phase.Name, letter, reached, "1", null, null, Name));
        }
        if (Lines is not null) AtomicFile.WriteAllText(Lines, Text(all, Path.GetExtension(Lines), Lengths.Unit(mask.Info)));
        var (size, voxel, unit) = (mask.Info.Size, mask.Voxel, Lengths.Unit(mask.Info));
        var voxels = new byte[size.SliceCount];
        var ways = $"Shortest ways through {mask.Phase.Name}{(to is null ? "" : $" to {to.Phase.Name}")}";
        var scene = new Scene("paths-density", ways, "of all ways", "%", new(size.Z * voxel.Z, size.Y * voxel.Y, size.X * voxel.X), unit)
        {
            Bodies = Scene.Sample(mask.Info, Setting),
            Lines = [.. all.Select(path => new SceneLine(path.Points, [.. path.Density.Select(share => 100 * share)]))],
            Logarithmic = true,
        };
        var byLength = scene with
        {
            Name = "paths-length",
            Quantity = "length",
            Unit = unit,
            Lines = [.. all.Select(path => new SceneLine(path.Points, [.. path.Points.Select(_ => path.Length)]))],
            Logarithmic = false,
        };
        var sorted = all.Select(path => path.Length).Order().ToArray();
        return new(found, [new("pathLength-share", sorted, [.. sorted.Select((_, i) => (i + 1.0) / sorted.Length)], Lengths.Unit(mask.Info))]) { Scenes = all.Count > 0 ? [scene, byLength] : [] };

        void Setting(int z, Span<float> slice)
        {
            mask.Read(Box.Slice(size, z), voxels);
            for (var i = 0; i < slice.Length; i++) slice[i] = voxels[i] != 0 ? 1 : float.NaN;
        }
    }

    /// <summary>
    /// Shortest ways (steps to the 26 neighbours) from starts taken at random among all, each once at most, to the nearest end; and the share
    /// of all starts from which
    /// an end can be reached. Lines are pulled straight where the phase lets them: their length is that of the pulled line.
    /// </summary>
    /// <param name="mask">The phase.</param>
    /// <param name="axis">Direction for planes.</param>
    /// <param name="from">Phase whose contact is the start; null for the first plane.</param>
    /// <param name="to">Phase whose contact is the end; null for the last plane.</param>
    /// <param name="count">Lines wanted.</param>
    /// <param name="walk">Threads, budget.</param>
    /// <param name="seed">Seed of the draw.</param>
    /// <exception cref="InputError">The lengths need more memory than the budget, or nothing touches.</exception>
    public static (IReadOnlyList<TransportPath> Paths, double Reached) Between(
        PhaseMask mask, Axis? axis, PhaseMask? from, PhaseMask? to, int count, Traversal walk, ulong seed)
    {
        var map = Geodesic.In(mask, Name, walk);
        var ends = Terminals(map, axis, to, last: true, walk);
        if (ends.Count == 0) throw new InputError(
            $"{Name}: {mask.Phase.Name} does not touch {(to is null ? "the last plane" : to.Phase.Name)}; there is no end to reach. Choose another --to or --axis.");
        var starts = Terminals(map, axis, from, last: false, walk);
        map.Spread(ends.Select(end => (end, 0f)), Metric.Steps, walk);
        var able = starts.Where(start => !float.IsPositiveInfinity(map.Lengths[start])).ToArray();
        var reached = starts.Count > 0 ? (double)able.Length / starts.Count : 0;
        // the first of a shuffle
        var random = new CounterRandom(seed, 0);
        for (var i = 0; i < Math.Min(count, able.Length); i++)
        {
            var other = i + random.NextInt(able.Length - i);
            (able[i], able[other]) = (able[other], able[i]);
        }
        var steps = map.Steps();
        var ways = able.Take(count).Select(start => Follow(map, steps, start)).ToArray();
        var visits = new Dictionary<int, int>();
        foreach (var way in ways)
        {
            foreach (var voxel in way) visits[voxel] = visits.GetValueOrDefault(voxel) + 1;
        }
        return ([.. ways.Select(way => Pulled(map, way, visits, ways.Length))], reached);
    }

    // voxels of the phase on a plane, or touching another phase by a face
    private static List<int> Terminals(Geodesic map, Axis? axis, PhaseMask? contact, bool last, Traversal walk)
    {
        var (size, slices) = (map.Size, new List<int>[map.Size.Z]);
        (walk with { Progress = null }).ForEach(size.Z, z =>
        {
            var found = slices[z] = [];
            var (below, above) = (Math.Max(0, z - 1), Math.Min(size.Z, z + 2));
            var near = new byte[contact is null ? 0 : (above - below) * (int)size.SliceCount];
            contact?.Read(new(new(below, 0, 0), new(above - below, size.Y, size.X)), near);
            bool Touches(int atZ, int y, int x) => atZ >= below && atZ < above && (uint)y < (uint)size.Y && (uint)x < (uint)size.X
                && near[((atZ - below) * size.Y + y) * size.X + x] != 0;
            for (var y = 0; y < size.Y; y++)
            {
                for (var x = 0; x < size.X; x++)
                {
                    if (map.Lengths[map.Index(z, y, x)] < 0) continue;
                    var at = axis switch { Microstructure.Axis.Y => y, Microstructure.Axis.X => x, _ => z };
                    var terminal = contact is null
                        ? at == (last ? size[(int)(axis ?? Microstructure.Axis.Z)] - 1 : 0)
                        : Touches(z - 1, y, x) || Touches(z + 1, y, x) || Touches(z, y - 1, x)
                            || Touches(z, y + 1, x) || Touches(z, y, x - 1) || Touches(z, y, x + 1);
                    if (terminal) found.Add(map.Index(z, y, x));
                }
            }
        });
        return [.. slices.SelectMany(slice => slice)];
    }

    // downhill to the end; of equals the first neighbour
    private static List<int> Follow(Geodesic map, (int Offset, float Length)[] steps, int start)
    {
        var way = new List<int> { start };
        for (var at = start; map.Lengths[at] > 0;)
        {
            var (best, next) = (float.PositiveInfinity, -1);
            foreach (var (offset, length) in steps)
            {
                var other = map.Lengths[at + offset];
                if (other < 0 || !(other + length < best)) continue;
                (best, next) = (other + length, at + offset);
            }
            way.Add(at = next);
        }
        return way;
    }

    // corners that a straight line inside the phase can skip go
    private static TransportPath Pulled(Geodesic map, List<int> way, Dictionary<int, int> visits, int lines)
    {
        var corners = new List<int> { way[0] };
        for (var at = 0; at < way.Count - 1;)
        {
            var (near, far) = (at + 1, at + 2);
            // doubling, then halving: a line of sight need not be looked for at every voxel
            while (far < way.Count && Sees(map, way[at], way[far])) (near, far) = (far, at + 2 * (far - at));
            far = Math.Min(far, way.Count);
            while (far - near > 1)
            {
                var middle = (near + far) / 2;
                if (Sees(map, way[at], way[middle])) near = middle;
                else far = middle;
            }
            corners.Add(way[at = near]);
        }
        var points = corners.ConvertAll(corner => Centre(map, corner));
        var length = 0.0;
        for (var i = 1; i < points.Count; i++)
        {
            var (z, y, x) = (points[i].Z - points[i - 1].Z, points[i].Y - points[i - 1].Y, points[i].X - points[i - 1].X);
            length += Math.Sqrt(z * z + y * y + x * x);
        }
        return new(length, points, corners.ConvertAll(corner => (double)visits[corner] / lines));
    }

    private static (double Z, double Y, double X) Centre(Geodesic map, int index)
    {
        var (z, y, x) = map.Place(index);
        return ((z + 0.5) * map.Voxel.Z, (y + 0.5) * map.Voxel.Y, (x + 0.5) * map.Voxel.X);
    }

    // all voxels at points half a voxel apart lie in the phase
    private static bool Sees(Geodesic map, int from, int to)
    {
        var (a, b) = (map.Place(from), map.Place(to));
        var count = 2 * Math.Max(Math.Abs(b.Z - a.Z), Math.Max(Math.Abs(b.Y - a.Y), Math.Abs(b.X - a.X)));
        for (var i = 1; i < count; i++)
        {
            int At(int start, int end) => start + (int)Math.Floor((double)(end - start) * i / count + 0.5);
            if (map.Lengths[map.Index(At(a.Z, b.Z), At(a.Y, b.Y), At(a.X, b.X))] < 0) return false;
        }
        return true;
    }

    private static Interval? Spread(IReadOnlyList<TransportPath> paths)
    {
        var lengths = paths.Select(path => path.Length).Order().ToArray();
        return lengths.Length < 2 ? null : new(lengths[(int)(0.025 * lengths.Length)], lengths[^(1 + (int)(0.025 * lengths.Length))]);
    }

    private static string Text(IReadOnlyList<TransportPath> paths, string ending, string unit)
    {
        var text = new StringBuilder();
        var points = paths.Sum(path => path.Points.Count);
        if (ending == ".json")
        {
            return JsonSerializer.Serialize(new
            {
                unit,
                paths = paths.Select(path => new { length = path.Length, points = path.Points.Select(p => new[] { p.Z, p.Y, p.X }), density = path.Density }),
            }) + "\n";
        }
        var vtk = ending == ".vtk";
        text.Append(vtk
            ? string.Create(CultureInfo.InvariantCulture, $"# vtk DataFile Version 3.0\nshortest ways, {unit}\nASCII\nDATASET POLYDATA\nPOINTS {points} float\n")
            : string.Create(CultureInfo.InvariantCulture, $"ply\nformat ascii 1.0\ncomment shortest ways, {unit}\nelement vertex {points}\n"
                + $"property float x\nproperty float y\nproperty float z\nproperty float density\n"
                + $"element edge {points - paths.Count}\nproperty int vertex1\nproperty int vertex2\nend_header\n"));
        foreach (var path in paths)
        {
            for (var i = 0; i < path.Points.Count; i++)
            {
                text.Append(CultureInfo.InvariantCulture, $"{path.Points[i].X:G7} {path.Points[i].Y:G7} {path.Points[i].Z:G7}");
                if (!vtk) text.Append(CultureInfo.InvariantCulture, $" {path.Density[i]:G5}");
                text.Append('\n');
            }
        }
        if (vtk) text.Append(CultureInfo.InvariantCulture, $"LINES {paths.Count} {paths.Count + points}\n");
        var first = 0;
        foreach (var path in paths)
        {
            if (vtk) text.Append(path.Points.Count).Append(' ').AppendJoin(' ', Enumerable.Range(first, path.Points.Count)).Append('\n');
            else for (var i = 1; i < path.Points.Count; i++) text.Append(CultureInfo.InvariantCulture, $"{first + i - 1} {first + i}\n");
            first += path.Points.Count;
        }
        if (!vtk) return text.ToString();
        text.Append(CultureInfo.InvariantCulture, $"POINT_DATA {points}\nSCALARS density float 1\nLOOKUP_TABLE default\n");
        foreach (var density in paths.SelectMany(path => path.Density)) text.Append(CultureInfo.InvariantCulture, $"{density:G5}\n");
        text.Append(CultureInfo.InvariantCulture, $"CELL_DATA {paths.Count}\nSCALARS length float 1\nLOOKUP_TABLE default\n");
        foreach (var path in paths) text.Append(CultureInfo.InvariantCulture, $"{path.Length:G7}\n");
        return text.ToString();
    }
}
