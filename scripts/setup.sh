# Shared by ./kerf and ./test: sourced, not run.
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1 MSBUILDDISABLENODEREUSE=1
export HOME=${HOME:-/root}

command -v dotnet >/dev/null || { echo "kerf: the .NET SDK 10 is missing. Install it (package dotnet-sdk-10.0), then run this again." >&2; exit 1; }

# need_packages PACKAGE:THING…   THING is a shared library, a command, or a path that the package brings
need_packages() {
  local missing=() item thing
  for item in "$@"; do
    thing=${item#*:}
    case $thing in
      /*) [ -e "$thing" ] ;;
      *.so.*) compgen -G "/usr/lib/*/$thing" >/dev/null || compgen -G "/lib/*/$thing" >/dev/null || compgen -G "/usr/lib*/$thing" >/dev/null ;;
      *) command -v "$thing" >/dev/null ;;
    esac || missing+=("${item%%:*}")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "kerf: installing ${missing[*]}" >&2
    (
      flock 9
      export DEBIAN_FRONTEND=noninteractive
      apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null 2>&1 \
        || { apt-get update -qq >/dev/null 2>&1 && apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null 2>&1; }
    ) 9>"${TMPDIR:-/tmp}/kerf-packages.lock" && return 0
  fi
  echo "kerf: please install the Debian packages ${missing[*]} (as root: apt-get install ${missing[*]})." >&2
  return 1
}

# build_once FOLDER   publishes the program there; a second caller waits for the first
build_once() {
  local log=$here/artifacts/build.log
  mkdir -p "$here/artifacts"
  (
    flock 9
    if [ -f "$1/kerf.dll" ] && [ -z "$(find "$here/src" "$here/recipes" "$here/models" "$here"/Directory.* -newer "$1/kerf.dll" -type f -print -quit)" ]; then exit 0; fi
    echo "kerf: building (once; about a minute on a new machine)" >&2
    # a compiler that stays behind must not keep the lock
    dotnet publish "$here/src/Kerf.App/Kerf.App.csproj" -c Release -o "$1" -v quiet --nologo >"$log" 2>&1 9>&- \
      || { grep -E 'error|warn' "$log" | sort -u | head -n 20 >&2; echo "kerf: the build failed; the whole log is in artifacts/build.log" >&2; exit 1; }
    touch "$1/kerf.dll"
  ) 9>"$here/artifacts/.build.lock"
}
