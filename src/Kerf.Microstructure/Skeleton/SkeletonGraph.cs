using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>A stretch of a skeleton between two nodes, or from a node to a free end. Lengths in nm, or voxels where the size is unknown.</summary>
/// <param name="Length">Along the voxel centres, from node voxel to node voxel.</param>
/// <param name="Ends">How many of its two ends are junctions: 2 for a ligament, 1 for a spur, 0 for a lone curve or ring.</param>
/// <param name="Radius">Distance to the wall at its thicker end.</param>
/// <param name="Voxel">Its first voxel, for where it lies.</param>
public readonly record struct Branch(double Length, int Ends, double Radius, int Voxel);

/// <summary>The nodes and branches of a skeleton. A junction is a piece (over 26 neighbours) of voxels with more than two skeleton neighbours.</summary>
internal sealed class SkeletonGraph
{
    private readonly Size3 _size;
    private readonly VoxelSize _voxel;
    private readonly float[] _squared;
    private readonly HashSet<int> _there;
    private readonly Dictionary<int, int> _junction = [];
    private readonly (int Z, int Y, int X)[] _around =
        [.. from z in (int[])[-1, 0, 1] from y in (int[])[-1, 0, 1] from x in (int[])[-1, 0, 1] where (z, y, x) != (0, 0, 0) select (z, y, x)];

    /// <summary>Finds nodes and branches.</summary>
    /// <param name="voxels">The skeleton, ascending.</param>
    /// <param name="squared">Squared distances in units of the x edge.</param>
    /// <param name="size">Extent of the volume.</param>
    /// <param name="voxel">Voxel edges.</param>
    public SkeletonGraph(int[] voxels, float[] squared, Size3 size, VoxelSize voxel)
    {
        (_size, _voxel, _squared, _there) = (size, voxel, squared, [.. voxels]);
        // spurs no longer than the phase is thick at their root are roughness of the wall: cut, and look again
        while (true)
        {
            Junctions(voxels);
            var found = Trace(voxels);
            var spurs = found.Where(branch => branch.Branch.Ends == 1 && branch.Branch.Length <= branch.Branch.Radius).ToArray();
            Branches = [.. found.Select(branch => branch.Branch)];
            if (spurs.Length == 0) return;
            foreach (var spur in spurs) _there.ExceptWith(spur.Path);
            voxels = [.. voxels.Where(_there.Contains)];
        }
    }

    /// <summary>All branches, in the order of their first voxel.</summary>
    public Branch[] Branches { get; private set; }

    /// <summary>How many junctions there are, and one voxel of each.</summary>
    public List<int> Nodes { get; } = [];

    private IEnumerable<int> Neighbours(int voxel)
    {
        var (z, y, x) = (voxel / (_size.Y * _size.X), voxel / _size.X % _size.Y, voxel % _size.X);
        foreach (var n in _around)
        {
            if ((uint)(z + n.Z) >= _size.Z || (uint)(y + n.Y) >= _size.Y || (uint)(x + n.X) >= _size.X) continue;
            var next = ((z + n.Z) * _size.Y + y + n.Y) * _size.X + x + n.X;
            if (_there.Contains(next)) yield return next;
        }
    }

    private void Junctions(int[] voxels)
    {
        _junction.Clear();
        Nodes.Clear();
        var many = voxels.Where(voxel => Neighbours(voxel).Count() > 2).ToHashSet();
        foreach (var voxel in voxels)
        {
            if (!many.Contains(voxel) || _junction.ContainsKey(voxel)) continue;
            Nodes.Add(voxel);
            var waiting = new Stack<int>([voxel]);
            _junction[voxel] = Nodes.Count;
            while (waiting.TryPop(out var at))
            {
                foreach (var next in Neighbours(at).Where(next => many.Contains(next) && _junction.TryAdd(next, Nodes.Count))) waiting.Push(next);
            }
        }
    }

    private List<(Branch Branch, List<int> Path)> Trace(int[] voxels)
    {
        var found = new List<(Branch, List<int>)>();
        var walked = new HashSet<int>();
        // from junctions first, then from free ends, then what is left: rings
        foreach (var start in voxels.Where(_junction.ContainsKey))
        {
            foreach (var next in Neighbours(start))
            {
                if (!_junction.ContainsKey(next) && walked.Add(next)) found.Add(Follow(start, next, walked));
            }
        }
        foreach (var start in voxels.Where(voxel => !_junction.ContainsKey(voxel) && Neighbours(voxel).Count() < 2))
        {
            if (walked.Add(start)) found.Add(Follow(-1, start, walked));
        }
        foreach (var start in voxels)
        {
            if (!_junction.ContainsKey(start) && walked.Add(start)) found.Add(Follow(-1, start, walked));
        }
        return [.. found.OrderBy(branch => branch.Item1.Voxel)];
    }

    private (Branch, List<int>) Follow(int from, int at, HashSet<int> walked)
    {
        var path = new List<int> { at };
        var (length, ends) = (from < 0 ? 0 : Step(from, at), from < 0 ? 0 : 1);
        var radius = Math.Max(Depth(at), from < 0 ? 0 : Depth(from));
        while (true)
        {
            var here = at;
            // the far end is another junction; the first one again only after a way round
            var junction = Neighbours(here).Where(next => _junction.TryGetValue(next, out var node) && (from < 0 || path.Count > 3 || node != _junction[from])).DefaultIfEmpty(-1).First();
            if (junction >= 0)
                return (new(length + Step(here, junction), ends + 1, Math.Max(radius, Depth(junction)), path[0]), path);
            var onward = Neighbours(here).Where(next => !_junction.ContainsKey(next) && walked.Add(next)).Take(1).ToArray();
            if (onward.Length == 0) return (new(length, ends, radius, path[0]), path);
            length += Step(here, onward[0]);
            at = onward[0];
            path.Add(at);
        }
    }

    private double Depth(int voxel) => Math.Sqrt(_squared[voxel]) * _voxel.X;

    private double Step(int a, int b)
    {
        var (z, y, x) = (a / (_size.Y * _size.X) - b / (_size.Y * _size.X), a / _size.X % _size.Y - b / _size.X % _size.Y, a % _size.X - b % _size.X);
        return Math.Sqrt(z * _voxel.Z * z * _voxel.Z + y * _voxel.Y * y * _voxel.Y + x * _voxel.X * x * _voxel.X);
    }
}
