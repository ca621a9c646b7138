# What the scripts here share: where things are, the environment, and sentences instead of tracebacks.
# Sourced, never run.

set -euo pipefail

HERE="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
VENV="${CANTEEN_VENV:-$HERE/.venv}"

say() { printf '%s\n' "$*" >&2; }
stop() { say "$*"; exit 1; }

# Print the first Python on the PATH that is new enough; stop with a sentence when there is none.
find_python() {
  local name
  for name in ${CANTEEN_PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$name"
      return
    fi
  done
  stop "Canteen needs Python 3.11 or newer, and there is none here. On Debian 12 or later: apt install python3"
}

# Install Debian packages when this is root with apt; say what is missing and stop when it is not.
# need_packages "what for" package...
need_packages() {
  local why="$1"
  shift
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    stop "$why missing here. As root, run once: apt install $*"
  fi
  say "Installing $* ..."
  if ! { apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"; } \
    >/dev/null 2>"$VENV.apt.log"; then
    cat "$VENV.apt.log" >&2
    rm -f "$VENV.apt.log"
    stop "$why missing here, and apt could not install: $*"
  fi
  rm -f "$VENV.apt.log"
}

# Make the virtual environment if it is not there or belongs to a Python that is gone.
make_venv() {
  if "$VENV/bin/python" -c 'import pip' 2>/dev/null; then return; fi
  local python
  python="$(find_python)" || exit 1
  if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    need_packages "Python's venv module is" "$(basename "$python")-venv"
  fi
  say "Making the virtual environment ..."
  rm -rf "$VENV"
  "$python" -m venv "$VENV" || stop "The virtual environment could not be made in $VENV."
}

# Install a lock file into the virtual environment, unless exactly this was installed before.
# A second start finds the mark and spends no time here.
# install_lock requirements.txt
install_lock() {
  local lock="$HERE/$1" mark sum
  make_venv
  mark="$VENV/.installed-$1"
  sum="$(cat "$lock" "$HERE/pyproject.toml" | sha256sum | cut -d' ' -f1) $HERE"
  if [ "$(cat "$mark" 2>/dev/null)" = "$sum" ]; then return; fi
  say "Installing the locked dependencies of $1 ..."
  rm -f "$mark"
  "$VENV/bin/python" -m pip install -qq --disable-pip-version-check --require-hashes \
    -r "$lock" || stop "The dependencies in $1 could not be installed; what pip said stands above."
  "$VENV/bin/python" -m pip install -qq --disable-pip-version-check --no-deps \
    --no-build-isolation -e "$HERE" || stop "The project itself could not be installed."
  printf '%s' "$sum" >"$mark"
}
