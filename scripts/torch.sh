#!/usr/bin/env bash
# Builds the C ABI over libtorch: torch.sh FOLDER. Called by the program when a network is first asked for. Debian's libtorch is installed if it is
# missing; KERF_LIBTORCH names another one. Its last line on standard error says what is wrong and what to do.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
. "$root/scripts/setup.sh"
out=$1
how='As root: apt-get install libtorch-dev libopenblas0-pthread cmake make g++; or set KERF_LIBTORCH to the folder of an unpacked libtorch.'
mkdir -p "$out"
exec 8>"$out/.lock"
flock 8
[ -f "$out/libkerf_torch.so" ] && [ -z "$(find "$root/src/Kerf.Networks/native" -newer "$out/libkerf_torch.so" -type f -print -quit)" ] && exit 0
if [ -n "${KERF_LIBTORCH:-}" ]; then
  [ -d "$KERF_LIBTORCH/share/cmake/Torch" ] || { echo "KERF_LIBTORCH: $KERF_LIBTORCH holds no libtorch (no share/cmake/Torch). Give the unpacked folder, or unset it to use Debian's." >&2; exit 1; }
  need_packages cmake:cmake make:make g++:g++ 2>/dev/null || { echo "libtorch needs cmake, make and g++ to be bound. As root: apt-get install cmake make g++." >&2; exit 1; }
else
  [ -e /usr/include/torch/script.h ] || echo "kerf: installing libtorch (500 MB, once)" >&2
  need_packages libtorch-dev:/usr/include/torch/script.h libopenblas0-pthread:libopenblas.so.0 cmake:cmake make:make g++:g++ 2>/dev/null \
    || { echo "libtorch is missing. $how" >&2; exit 1; }
fi
echo "kerf: binding libtorch (once; about a minute)" >&2
if ! { cmake -S "$root/src/Kerf.Networks/native" -B "$out/build" -DCMAKE_BUILD_TYPE=Release && cmake --build "$out/build"; } >"$out/build.log" 2>&1; then
  rm -rf "$out/build"
  echo "libtorch could not be bound; $out/build.log tells why. $how" >&2
  exit 1
fi
mv "$out/build/libkerf_torch.so" "$out/libkerf_torch.so"
rm -rf "$out/build"
