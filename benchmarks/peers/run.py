#!/usr/bin/env python3
"""Times Kerf's work against the same work by other tools: same data, same threads, in turns. Usage: run.py [NAME ...] [--quick] [--threads N] [--edge N] [--rounds N].

An entry is a module NAME.py with peer(stack, threads) beside this file and a line of that name in Kerf.Benchmarks/Program.cs; it may have its own
DATA = (slices, rows, columns), ROUNDS, stack(shape) → (voxels, truth), and check(ours, drift), which gets what Kerf's side left as "facts" and the drift that the stack was made with. Results go to benchmarks/results/main-job-peers.{json,md}; entries that were not run keep their old lines. A module with row(run, folder, threads, quick) measures both sides by itself; its line goes to the results that it names.
"""
import argparse, datetime, importlib, json, os, pathlib, platform, statistics, subprocess, sys, tempfile, time

here = pathlib.Path(__file__).resolve().parent
root = here.parent.parent
results = root / "benchmarks" / "results" / "main-job-peers"
SEED = 1


def stack_of(shape):
    """Noisy, striped, drifting slices of soft blobs."""
    import numpy as np
    from scipy import ndimage
    random = np.random.default_rng(SEED)
    depth, height, width = shape
    field = ndimage.gaussian_filter(random.standard_normal((height + 64, width + 64)).astype(np.float32), 6)
    grey = np.choose(np.digitize(field / field.std(), [-0.8, 0.6]), [40, 100, 180]).astype(np.float32)
    grey = ndimage.gaussian_filter(grey, 1)
    drift = np.vstack([np.zeros(2), np.cumsum(0.8 * random.standard_normal((depth - 1, 2)), axis=0)]).clip(-28, 28)
    stack = np.empty(shape, np.uint8)
    for k in range(depth):
        image = ndimage.shift(grey, drift[k], order=1, mode="nearest")[32:32 + height, 32:32 + width]
        stripes = ndimage.gaussian_filter1d(random.standard_normal(width), 2) * 10
        stack[k] = np.clip(np.rint(image + stripes + 10 * random.standard_normal((height, width))), 0, 255)
    return stack, drift


def said(name, stack, threads, out, build):
    """What Kerf's side printed: seconds of processors first, seconds on the wall last."""
    pathlib.Path(out).unlink(missing_ok=True)
    return subprocess.run(["dotnet", str(build), "peers", name, "--stack", stack, "--threads", str(threads), "--out", out], check=True, stdout=subprocess.PIPE, text=True).stdout


def ours(name, stack, threads, out, build):
    return float(said(name, stack, threads, out, build).split()[-1])


def alone(module, name, build, options):
    """A module that measures both sides: rounds in turns, the median of each number."""
    rounds = []
    for _ in range(1 if options.quick else getattr(module, "ROUNDS", 3)):
        with tempfile.TemporaryDirectory() as folder:
            rounds.append(module.row(lambda *call: said(*call, build), folder, options.threads, options.quick))
    # the best of all rounds is what is left when others do not disturb
    row = {key: (min if "_best_" in key else statistics.median)(r[key] for r in rounds) for key in rounds[0]}
    row |= getattr(module, "ratios", lambda row: {})(row)
    row |= {"ratio": row["peer_s"] / row["kerf_s"], "ratio_by_processor_time": row["peer_processor_s"] / row["kerf_processor_s"], "rounds": len(rounds), "threads": options.threads,
            "peer": module.__doc__, "date": datetime.date.today().isoformat(), "machine": cpu(), "load": os.getloadavg()[0], "kerf": git()}
    print(f"{name}: kerf {row['kerf_s']:.3f} s, peer {row['peer_s']:.3f} s, {row['ratio']:.1f} times ({row['ratio_by_processor_time']:.1f} by processor time); {row}")
    if options.quick:
        return
    path = results.with_name(module.RESULTS)
    rows = json.loads(path.with_suffix(".json").read_text()) if path.with_suffix(".json").exists() else {}
    rows[name] = row
    path.with_suffix(".json").write_text(json.dumps(rows, indent=2) + "\n")
    lines = [f"# {getattr(module, 'TITLE', 'Forests beside other tools')}", "", "Medians of rounds in turns, made by `benchmarks/peers/run.py`; the load was that of a shared machine: times of processors are the steadier ones.", ""]
    for key, r in sorted(rows.items()):
        lines += [f"## {key}: {r['ratio']:.1f} times faster, {r['ratio_by_processor_time']:.1f} by processor time", "", r["peer"], ""]
        lines += [f"- {k.replace('_', ' ')}: {v:.4g}" if isinstance(v, float) else f"- {k.replace('_', ' ')}: {v}" for k, v in r.items() if k != "peer"] + [""]
    path.with_suffix(".md").write_text("\n".join(lines))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="entries; all if none")
    parser.add_argument("--quick", action="store_true", help="a quarter of the slices, two rounds, nothing written")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--edge", type=int, help="cubes of this edge instead of the entry's own stack")
    parser.add_argument("--rounds", type=int, help="rounds instead of the entry's own number")
    options = parser.parse_args()
    names = options.names or sorted(p.stem for p in here.glob("*.py") if p.stem not in ("run", "blobs") and not p.stem.startswith("_"))
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[variable] = str(options.threads)
    import numpy as np, scipy, skimage
    sys.path.insert(0, str(here))
    subprocess.run(["dotnet", "build", str(root / "benchmarks/Kerf.Benchmarks"), "-c", "Release", "-v", "q", "--nologo"], check=True, stdout=subprocess.DEVNULL)
    build = root / "artifacts/bin/Kerf.Benchmarks/release/Kerf.Benchmarks.dll"
    rows = json.loads(results.with_suffix(".json").read_text()) if results.with_suffix(".json").exists() else {}
    for name in names:
        module = importlib.import_module(name.replace("-", "_"))
        if hasattr(module, "row"):
            alone(module, name.replace("_", "-"), build, options)
            continue
        shape = getattr(module, "DATA", (64, 768, 1024))
        shape = (options.edge,) * 3 if options.edge else (max(1, shape[0] // 4), *shape[1:]) if options.quick else shape
        stack, drift = getattr(module, "stack", stack_of)(shape)
        with tempfile.TemporaryDirectory() as folder:
            path, out = f"{folder}/stack.npy", f"{folder}/out.npy"
            np.save(path, stack)
            module.peer(stack[:2], options.threads)  # warm-up; ours warms up by itself
            mine, theirs = [], []
            for _ in range(options.rounds or (2 if options.quick else getattr(module, "ROUNDS", 5))):
                mine.append(ours(name, path, options.threads, out, build))
                start = time.perf_counter()
                other = module.peer(stack, options.threads)
                theirs.append(time.perf_counter() - start)
            facts = json.loads(pathlib.Path(out + ".json").read_text()) if pathlib.Path(out + ".json").exists() else {}
            checked = module.check(facts, drift) if hasattr(module, "check") else {}
            difference = np.abs(np.load(out).astype(np.float32) - other.astype(np.float32))[:, 32:-32, 32:-32]
        row = {
            "kerf_s": statistics.median(mine), "peer_s": statistics.median(theirs), "ratio": statistics.median(theirs) / statistics.median(mine),
            "rounds": len(mine), "kerf_all_s": mine, "peer_all_s": [round(t, 4) for t in theirs],
            "difference_median": float(np.median(difference)), "difference_99": float(np.percentile(difference, 99)),
            **checked, "load": os.getloadavg()[0], "shape": shape, "seed": SEED, "threads": options.threads, "peer": (module.__doc__ or "").splitlines()[0],
            "date": datetime.date.today().isoformat(), "machine": cpu(), "versions": {
                "kerf": git(), "python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__, "skimage": skimage.__version__},
        }
        print(f"{name}: kerf {row['kerf_s']:.3f} s, peer {row['peer_s']:.3f} s, {row['ratio']:.1f} times; grey levels apart: "
              f"median {row['difference_median']:.2f}, 99 % {row['difference_99']:.2f}; {checked}; load {row['load']:.1f}")
        if not options.quick:
            rows[name] = row
    if not options.quick:
        results.parent.mkdir(exist_ok=True)
        results.with_suffix(".json").write_text(json.dumps(rows, indent=2) + "\n")
        results.with_suffix(".md").write_text(table(rows))


def table(rows):
    lines = ["# The main jobs beside other tools", "", "Medians of rounds in turns on the same data and threads; made by `benchmarks/peers/run.py`.", "",
             "| job | stack | threads | Kerf s | peer s | times faster | grey levels apart (median, 99 %) | error in px (Kerf, peer) | peer | date, machine, load |", "|---|---|---|---|---|---|---|---|---|---|"]
    for name, r in sorted(rows.items()):
        lines.append(f"| {name} | {'×'.join(map(str, r['shape']))} | {r['threads']} | {r['kerf_s']:.3f} | {r['peer_s']:.3f} | **{r['ratio']:.1f}** | "
                     f"{r['difference_median']:.2f}, {r['difference_99']:.2f} | {errors(r)} | {r['peer']} | {r['date']}, {r['machine']}, {r['load']:.1f} |")
    return "\n".join(lines) + "\n"


def errors(row):
    return f"{row['kerf_error_px']:.3f}, {row['peer_error_px']:.3f}" if "kerf_error_px" in row else ""


def cpu():
    model = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), platform.processor())
    return f"{model}, {os.cpu_count()} cores"


def git():
    return subprocess.run(["git", "-C", str(root), "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    main()
