namespace Kerf.Simulation;

public sealed partial class Electrode
{
    // one row of one slice: the fields that decide between the phases
    private sealed class Row
    {
        private readonly Electrode _e;
        private readonly double _z;
        private readonly Particle[] _here;
        private readonly int[] _index;
        private readonly float[][] _planes;
        private readonly float[] _first, _second, _distance, _rough, _bumps, _voids, _inner;

        public Row(Electrode electrode, int z)
        {
            _e = electrode;
            _z = z * electrode._voxel.Z;
            _index = [.. Enumerable.Range(0, electrode._particles.Length).Where(i => Math.Abs(electrode._particles[i].Z - _z) < electrode._particles[i].ReachZ)];
            _here = [.. _index.Select(i => electrode._particles[i])];
            _planes = [.. electrode._noises.Select(noise => noise.Slice(z))];
            float[] New() => new float[electrode._canvas.X];
            (_first, _second, _distance, _rough, _bumps, _voids, _inner) = (New(), New(), New(), New(), New(), New(), New());
            (Solid, Film, Grains, Fine) = (New(), New(), New(), New());
            (Owner, Hole) = (new int[electrode._canvas.X], new bool[electrode._canvas.X]);
        }

        public float[] Solid { get; }
        public float[] Film { get; }
        public float[] Grains { get; }
        public float[] Fine { get; }
        public int[] Owner { get; }
        public bool[] Hole { get; }

        public void Evaluate(int y)
        {
            float[][] rows = [_rough, _bumps, Film, _voids, Grains, Fine, _inner];
            for (var i = 0; i < rows.Length; i++) _e._noises[i].Row(_planes[i], y, rows[i]);
            _first.AsSpan().Fill(1e6f);
            _second.AsSpan().Fill(1e6f);
            Owner.AsSpan().Clear();
            Hole.AsSpan().Clear();
            var yNm = y * _e._voxel.Y;
            for (var i = 0; i < _here.Length; i++) Add(_here[i], _index[i], yNm);
            for (var x = 0; x < Solid.Length; x++)
            {
                // where two particles press on each other a film of electrolyte stays between them, here thick, there none
                var film = 14 + 22 * Film[x] - (_second[x] - _first[x]);
                Solid[x] = Math.Max(_first[x], film) + 9 * _rough[x] + 22 * _bumps[x];
            }
            for (var i = 0; i < _here.Length; i++) Damage(_here[i], _index[i], yNm);
        }

        /// <summary>High where a pore is likely: between grains, and along the particles.</summary>
        public float Void(int x, float activeLevel)
        {
            var gap = (Solid[x] - activeLevel) * (1f / 70);
            return _voids[x] + 0.3f * Grains[x] + 0.05f * Fine[x] + 0.8f / (1 + gap * gap);
        }

        private (int From, int To) Span(Particle particle)
        {
            var x = particle.X + particle.LeanX * (_z - particle.Z);
            return (Math.Max(0, (int)((x - particle.Reach) / _e._voxel.X)), Math.Min(Solid.Length, (int)((x + particle.Reach) / _e._voxel.X) + 1));
        }

        private void Add(Particle particle, int index, double y)
        {
            double dz = _z - particle.Z, dy = y - particle.Y;
            var (from, to) = Span(particle);
            if (to <= from || Math.Abs(dy - particle.LeanY * dz) > particle.Reach) return;
            particle.Distances(dz, dy, from * _e._voxel.X - particle.X, _e._voxel.X, _distance.AsSpan(from, to - from));
            for (var x = from; x < to; x++)
            {
                var d = _distance[x];
                if (d < _first[x]) (_second[x], _first[x], Owner[x]) = (_first[x], d, index);
                else if (d < _second[x]) _second[x] = d;
            }
        }

        // cracks wander through the particle along z and close towards its rim; inner pores keep away from the rim
        private void Damage(Particle particle, int index, double y)
        {
            double dz = _z - particle.Z, dy = y - particle.Y - particle.LeanY * dz;
            if ((!particle.Porous && particle.CrackWidth == 0) || Math.Abs(dy) > particle.Reach) return;
            var (from, to) = Span(particle);
            var (sine, cosine) = Math.SinCos(particle.CrackAngle);
            for (var x = from; x < to; x++)
            {
                if (Owner[x] != index || _first[x] >= 0) continue;
                var depth = -_first[x] / (float)particle.Radius;
                if (particle.Porous && depth > 0.12f && _inner[x] > 2.1f) Hole[x] = true;
                if (particle.CrackWidth == 0) continue;
                var dx = x * _e._voxel.X - particle.X - particle.LeanX * dz;
                var off = (float)(dy * cosine + dx * sine - particle.CrackOffset) + 34 * _bumps[x] + 5 * _rough[x];
                if (Math.Abs(off) < particle.CrackWidth * Math.Min(1.2f, 0.35f + 1.6f * depth)) Hole[x] = true;
            }
        }
    }
}
