using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Kerf.Volumes;

namespace Kerf.Simulation;

/// <summary>
/// Transport through voxels, eight electrons to a vector. A flight ends at the next collision or at the face of the cube of one material around the
/// voxel, whichever comes first; at a face it starts anew, which the exponential law allows. Positions are in voxels of the window, ranges in nm.
/// </summary>
internal sealed unsafe class VoxelTransport
{
    private const int Width = Lanes.Width, Lane = 16 * Width;
    private const float Idle = -1e30f, Nudge = 1e-3f;

    private readonly StepTable _table;
    private readonly Beam _beam;
    private readonly VoxelSize _voxel;
    private readonly ulong _seed;
    private readonly float[] _stop, _most, _secondary;
    private readonly float _outer, _inner;

    /// <summary>Materials by index; 0 is vacuum, which occurs or not.</summary>
    public VoxelTransport(IReadOnlyList<Transport?> materials, bool vacuum, Beam beam, VoxelSize voxel, ulong seed)
    {
        (_table, _beam, _voxel, _seed) = (new(materials, beam.KeV), beam, voxel, seed);
        _stop = [.. materials.Select(m => m is null ? -1f : (float)m.Range(beam.Floor))];
        // ranges and cosines between which a backscattered electron counts; an upper end that excludes nothing must not cut by rounding
        _most = [.. materials.Select(m => m is null || beam.Window.High >= 1 ? float.MaxValue : (float)m.Range(Math.Max(beam.Floor, beam.Window.High * beam.KeV)))];
        (_outer, _inner) = ((float)Math.Cos(beam.Angles.Outer * Math.PI / 180), beam.Angles.Inner > 0 ? (float)Math.Cos(beam.Angles.Inner * Math.PI / 180) : 2);
        // secondary electrons per unit of 1/|cos|: half of those freed (25 eV each) within their mean escape depth of 1.5 nm
        _secondary = [.. materials.Select(m => m is null ? 0f : (float)(0.5 * 1.5 / 0.025 * m.Loss(beam.KeV)))];
        _stop.CopyTo(Stops = GC.AllocateArray<float>(materials.Count, pinned: true), 0);
        Inverses = GC.AllocateArray<float>(materials.Count, pinned: true);
        StepTable.Stretch(materials, beam, vacuum).CopyTo(Stretches = GC.AllocateArray<float>(materials.Count, pinned: true), 0);
        for (var m = 0; m < materials.Count; m++) Inverses[m] = StepTable.Bins * (float)StepTable.Bins / _table.Ranges[m];
    }

    private float[] Stops { get; }

    private float[] Inverses { get; }

    private float[] Stretches { get; }

    /// <summary>Shoots at the pixels of one row.</summary>
    /// <param name="window">What lies around and below.</param>
    /// <param name="slice">Which image; all above its cut is milled away.</param>
    /// <param name="row">Row of the image.</param>
    /// <param name="columns">First column and how many.</param>
    /// <param name="width">Columns of the whole image, which number the electrons.</param>
    /// <param name="tally">Receives the counts of the row's pixels.</param>
    public void Row(VoxelWindow window, ImagedSlice slice, int row, (int First, int Count) columns, int width, RowTally tally)
    {
        fixed (ushort* cells = window.Cells)
        {
            var flight = new Flight(this, window, cells, slice, row, columns, width, tally);
            flight.Run();
        }
    }

    private ref struct Flight
    {
        private readonly VoxelTransport _t;
        private readonly ushort* _cells;
        private readonly Box _box;
        private readonly RowTally _tally;
        private readonly int _slice, _row, _first, _count, _perPixel, _width;
        private readonly float _cut, _probeX, _probeY, _startX, _startZ, _shiftX, _shiftY;
        private int _next, _flying;
        private float* _x, _y, _z, _ux, _uy, _uz, _left;
        private uint* _item, _block;
        private int* _home, _pixel;

        public Flight(VoxelTransport t, VoxelWindow window, ushort* cells, ImagedSlice slice, int row, (int First, int Count) columns, int width, RowTally tally)
        {
            _cells = cells;
            (_t, _box, _tally, _slice, _row) = (t, window.Box, tally, slice.Number, row);
            (_first, _count, _perPixel, _width) = (columns.First, columns.Count, t._beam.ElectronsPerPixel, width);
            _cut = (float)(slice.Cut - _box.Start.Z);
            (_shiftX, _shiftY) = ((float)slice.Shift.X, (float)slice.Shift.Y);
            (_probeX, _probeY) = ((float)(t._beam.ProbeSigma / t._voxel.X), (float)(t._beam.ProbeSigma / t._voxel.Y));
            (_startX, _startZ) = ((float)Math.Sin(t._beam.TiltDegrees * Math.PI / 180), (float)Math.Cos(t._beam.TiltDegrees * Math.PI / 180));
        }

        // the state of all lanes lives on the stack
        public void Run()
        {
            var floats = stackalloc float[7 * Lane];
            _x = floats;
            _y = floats + Lane;
            _z = floats + 2 * Lane;
            _ux = floats + 3 * Lane;
            _uy = floats + 4 * Lane;
            _uz = floats + 5 * Lane;
            _left = floats + 6 * Lane;
            var words = stackalloc uint[4 * Lane];
            _item = words;
            _block = words + Lane;
            _home = (int*)words + 2 * Lane;
            _pixel = (int*)words + 3 * Lane;
            for (var i = 0; i < Lane; i++) Launch(i);
            while (_flying > 0)
                for (var g = 0; g < Lane; g += Width) Step(g);
        }

        private void Launch(int lane)
        {
            (_ux[lane], _uy[lane], _uz[lane], _block[lane], _home[lane]) = (_startX, 0, _startZ, 0, 0);
            if (_next >= _count * _perPixel)
            {
                (_x[lane], _y[lane], _z[lane], _left[lane], _item[lane]) = (1.5f, 1.5f, _cut + 0.5f, Idle, 0);
                return;
            }
            var column = _next / _perPixel;
            _item[lane] = (uint)((((long)_row * _width) + _first + column) * _perPixel + _next % _perPixel);
            var random = new CounterRandom(~_t._seed, (ulong)(uint)_slice << 32 | _item[lane]);
            var y = _row - _box.Start.Y - _shiftY + random.NextFloat();
            var x = _first + column - _box.Start.X - _shiftX + random.NextFloat();
            if (_t._beam.ProbeSigma > 0)
            {
                // four uniforms make a normal variate, well enough for a probe
                float Normal() => (random.NextFloat() + random.NextFloat() + random.NextFloat() + random.NextFloat() - 2f) * 1.7320508f;
                y += _probeY * Normal();
                x += _probeX * Normal();
            }
            (_x[lane], _y[lane], _z[lane]) = (Math.Clamp(x, 1.01f, _box.Size.X - 1.01f), Math.Clamp(y, 1.01f, _box.Size.Y - 1.01f), _cut);
            (_left[lane], _pixel[lane]) = (-1, column);
            _next++;
            _flying++;
        }

        private readonly Vector256<int> Cells(Vector256<int> index)
        {
            if (Avx2.IsSupported) return Avx2.GatherVector256((int*)_cells, index, 2) & Vector256.Create(0xFFFF);
            var values = Vector256<int>.Zero;
            for (var i = 0; i < Width; i++) values = values.WithElement(i, _cells[index.GetElement(i)]);
            return values;
        }

        // ranges belong to a material: the first one met gives the beam's, another one the range of the energy that is left
        private void Enter(int g, Vector256<int> material)
        {
            var home = Vector256.Load(_home + g);
            var changed = (~Vector256.Equals(home, material) & Vector256.GreaterThan(material, Vector256<int>.Zero)).ExtractMostSignificantBits();
            for (; changed != 0; changed &= changed - 1)
            {
                var i = BitOperations.TrailingZeroCount(changed);
                var (lane, m) = (g + i, material.GetElement(i));
                if (_left[lane] <= Idle) continue;
                _left[lane] = _home[lane] == 0 ? _t._table.Ranges[m] / 1.0001f : _t._table.Convert(_home[lane], m, _left[lane]);
                if (_home[lane] == 0 && _t._beam.Detector >= Detector.InLens) Free(lane, m, _z[lane] - _cut, 1, entry: true);
                _home[lane] = m;
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Step(int g)
        {
            Vector256<float> x = Vector256.Load(_x + g), y = Vector256.Load(_y + g), z = Vector256.Load(_z + g);
            Vector256<float> ux = Vector256.Load(_ux + g), uy = Vector256.Load(_uy + g), uz = Vector256.Load(_uz + g);
            Vector256<int> ix = Vector256.ConvertToInt32Native(x), iy = Vector256.ConvertToInt32Native(y), iz = Vector256.ConvertToInt32Native(z);
            var cell = Cells((iz * _box.Size.Y + iy) * _box.Size.X + ix);
            var material = cell & Vector256.Create(0xFF);
            Enter(g, material);
            var left = Vector256.Load(_left + g);
            var solid = Vector256.GreaterThan(material, Vector256<int>.Zero).AsSingle();
            var clear = Vector256.ConvertToSingle(cell >> 8);

            // faces of the cube of one material; the cut is one too
            Vector256<float> fx = Vector256.ConvertToSingle(ix), fy = Vector256.ConvertToSingle(iy), fz = Vector256.ConvertToSingle(iz), one = Vector256<float>.One;
            Vector256<float> lowX = fx - clear, lowY = fy - clear, lowZ = Vector256.Max(fz - clear, Vector256.Create(_cut));
            Vector256<float> highX = fx + clear + one, highY = fy + clear + one, highZ = fz + clear + one;
            float vx = (float)_t._voxel.X, vy = (float)_t._voxel.Y, vz = (float)_t._voxel.Z;
            var zero = Vector256<float>.Zero;
            Vector256<float> faceX = Vector256.ConditionalSelect(Vector256.GreaterThan(ux, zero), highX, lowX);
            Vector256<float> faceY = Vector256.ConditionalSelect(Vector256.GreaterThan(uy, zero), highY, lowY);
            Vector256<float> faceZ = Vector256.ConditionalSelect(Vector256.GreaterThan(uz, zero), highZ, lowZ);
            Vector256<float> toX = Distance(faceX - x, ux, vx), toY = Distance(faceY - y, uy, vy), toZ = Distance(faceZ - z, uz, vz);
            var toFace = Vector256.Min(toX, Vector256.Min(toY, toZ));
            var nearest = Vector256.Min(Vector256.Min(Vector256.Min(x - lowX, highX - x) * vx, Vector256.Min(y - lowY, highY - y) * vy), Vector256.Min(z - lowZ, highZ - z) * vz);

            Lanes.Draw(_t._seed, Vector256.Load(_item + g), (uint)_slice, Vector256.Load(_block + g), out var w0, out var w1, out var w2, out _);
            Vector256<float> inverse, stop, stretch;
            fixed (float* inverses = _t.Inverses, stops = _t.Stops, stretches = _t.Stretches)
            {
                inverse = Lanes.Gather(inverses, material);
                stop = Lanes.Gather(stops, material);
                stretch = Lanes.Gather(stretches, material);
            }
            var offset = material << 10;
            var step = _t._table.FreePath(StepTable.Bin(left, inverse) + offset) * Lanes.Exponential(w0);
            var collides = Vector256.LessThan(step, toFace);
            var length = Vector256.Min(step, toFace);
            // the way back up, and how far the electron could get through the thinnest of the materials
            var usable = left - stop;
            var deep = Vector256.LessThanOrEqual(usable * stretch, (z - Vector256.Create(_cut)) * vz);
            left = Vector256.ConditionalSelect(solid, left - length, left);
            x = Move(x, ux, length, vx, ~collides & Vector256.Equals(toX, toFace), faceX);
            y = Move(y, uy, length, vy, ~collides & Vector256.Equals(toY, toFace), faceY);
            z = Move(z, uz, length, vz, ~collides & Vector256.Equals(toZ, toFace), faceZ);

            // spent, too slow to reach a face of the cube, or too deep; out through the cut; out of the window
            var spent = solid & (Vector256.LessThanOrEqual(usable, Vector256.Max(nearest, length)) | deep);
            var over = spent | Vector256.LessThan(z, Vector256.Create(_cut)) | Vector256.LessThan(Vector256.Min(x, y), one)
                | Vector256.GreaterThanOrEqual(x, Vector256.Create(_box.Size.X - 1f)) | Vector256.GreaterThanOrEqual(y, Vector256.Create(_box.Size.Y - 1f))
                | Vector256.GreaterThanOrEqual(z, Vector256.Create(_box.Size.Z - 1f)) | Vector256.LessThanOrEqual(left, Vector256.Create(Idle));
            _t._table.Deflect(StepTable.Bin(left, inverse) + offset, Lanes.Uniform(w1), out var cos, out var sin);
            Vector256<float> tx = ux, ty = uy, tz = uz;
            Lanes.Turn(ref tx, ref ty, ref tz, cos, sin, w2);
            var turns = collides & ~over;
            Vector256.ConditionalSelect(turns, tx, ux).Store(_ux + g);
            Vector256.ConditionalSelect(turns, ty, uy).Store(_uy + g);
            Vector256.ConditionalSelect(turns, tz, uz).Store(_uz + g);
            x.Store(_x + g);
            y.Store(_y + g);
            z.Store(_z + g);
            left.Store(_left + g);
            (Vector256.Load(_block + g) + Vector256<uint>.One).Store(_block + g);
            var done = over.ExtractMostSignificantBits();
            if (done != 0) Finish(g, done, spent.ExtractMostSignificantBits());
        }

        private void Finish(int g, uint done, uint spent)
        {
            for (; done != 0; done &= done - 1)
            {
                var i = BitOperations.TrailingZeroCount(done);
                var lane = g + i;
                if (_left[lane] <= Idle)
                {
                    (_x[lane], _y[lane], _z[lane]) = (1.5f, 1.5f, _cut + 0.5f);
                    continue;
                }
                if ((spent >> i & 1) == 0 && _z[lane] < _cut) Leave(lane);
                else if ((spent >> i & 1) == 0) _tally.Lost++;
                _flying--;
                Launch(lane);
            }
        }

        private void Leave(int lane)
        {
            var m = _home[lane];
            // an electron that met nothing cannot come back up
            if (m == 0 || _left[lane] <= _t._stop[m]) return;
            var cos = -_uz[lane];
            if (_t._beam.Detector >= Detector.InLens) Free(lane, m, 0, cos, entry: false);
            else if (cos >= _t._outer && cos <= _t._inner && _left[lane] <= _t._most[m]) _tally.Count(_pixel[lane]);
        }

        // secondary electrons, in 1/256: what an electron frees grows with its loss per nm and with the slant of its path
        private readonly void Free(int lane, int m, float depth, float cos, bool entry)
        {
            var share = entry == (_t._beam.Detector == Detector.InLens) ? 0.8 : 0.2;
            var freed = _t._secondary[m] / Math.Max(cos, 0.2f) * share;
            if (entry) freed *= Math.Exp(-depth * _t._voxel.Z / 100);
            else freed *= _t._table.LossRatio(m, _left[lane]);
            _tally.Add(_pixel[lane], (long)(freed * 256 + 0.5));
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector256<float> Distance(Vector256<float> voxels, Vector256<float> direction, float edge) =>
            // a direction of exactly 0 meets no face
            Vector256.ConditionalSelect(Vector256.Equals(direction, Vector256<float>.Zero), Vector256.Create(1e9f), Vector256.Max(voxels * edge / direction, Vector256<float>.Zero));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector256<float> Move(
            Vector256<float> at, Vector256<float> direction, Vector256<float> length, float edge, Vector256<float> crosses, Vector256<float> face)
        {
            var beyond = face + ((direction & Vector256.Create(-0f)) | Vector256.Create(Nudge));
            return Vector256.ConditionalSelect(crosses, beyond, at + direction * length * (1 / edge));
        }
    }
}

/// <summary>One image of a stack.</summary>
/// <param name="Number">Its place, which numbers the electrons.</param>
/// <param name="Cut">Depth of the cut in voxels.</param>
/// <param name="Shift">Displacement of its content in pixels.</param>
internal readonly record struct ImagedSlice(int Number, double Cut, (double Y, double X) Shift);

/// <summary>What the pixels of a row got.</summary>
internal sealed class RowTally(int pixels)
{
    /// <summary>Signal in 1/256 of an electron, and the sum of its squares per incident electron.</summary>
    public readonly long[] Sum = new long[pixels], Squares = new long[pixels];

    /// <summary>Electrons that left the window elsewhere than through the cut.</summary>
    public long Lost;

    public void Count(int pixel) => Add(pixel, 256);

    /// <summary>Mean signal per electron and its standard error; a pixel that got nothing has the error of one that got a single electron.</summary>
    public void Write(int electrons, Span<float> mean, Span<float> error)
    {
        for (var i = 0; i < mean.Length; i++)
        {
            var average = Sum[i] / 256.0 / electrons;
            var variance = Squares[i] / 65536.0 / electrons - average * average;
            (mean[i], error[i]) = ((float)average, (float)Math.Sqrt(Math.Max(variance, 1.0 / electrons) / electrons));
        }
    }

    public void Add(int pixel, long value)
    {
        Sum[pixel] += value;
        Squares[pixel] += value * value;
    }
}
