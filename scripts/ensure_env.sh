#!/bin/sh
# Makes .venv able to run this project: ensure_env.sh EXTRA...  Does only what is not done yet, and says what it does.
# Extras are those of pyproject.toml; an extra is installed anew when pyproject.toml changes. PYTHON names another Python.
set -eu
cd "$(dirname "$0")/.."
venv=.venv

say() { printf '== %s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

find_python() {
    # 3.11 first: the wheels of Blender 4.5 are made for it.
    for name in ${PYTHON:-python3.11 python3 python3.12 python3.13}; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    die "no Python 3.11 or newer found; on Debian 12: apt-get install python3 python3-venv; or say PYTHON=/path/to/python3"
}

install_packages() {
    if ! command -v apt-get >/dev/null; then
        say "please install what these Debian packages hold, by this system's own means: $*"
        return
    fi
    root=
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || die "please have root do: apt-get install $*"
        root=sudo
    fi
    say "installing Debian packages: $*"
    $root apt-get update -qq
    # shellcheck disable=SC2086  # empty where we are root
    $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

missing_packages() {
    # The sandbox, and what Blender's module is linked with (ldd of bpy's __init__.so).
    command -v bwrap >/dev/null || echo bubblewrap
    [ "$(uname -s)" = Linux ] || return 0
    libraries=$(PATH="$PATH:/sbin:/usr/sbin" ldconfig -p)
    for pair in libX11.so.6:libx11-6 libXrender.so.1:libxrender1 libXfixes.so.3:libxfixes3 libXi.so.6:libxi6 \
        libxkbcommon.so.0:libxkbcommon0 libSM.so.6:libsm6 libICE.so.6:libice6 libGL.so.1:libgl1; do
        case $libraries in
            *"${pair%%:*} "*) ;;
            *) echo "${pair#*:}" ;;
        esac
    done
}

missing_extras() {
    for extra in "$@"; do
        [ "$extra" = luxrender ] || cmp -s pyproject.toml "$venv/installed/$extra" || echo "$extra"
    done
}

packages=$(missing_packages)
# shellcheck disable=SC2086  # a list of words
[ -z "$packages" ] || install_packages $packages

if [ ! -x "$venv/bin/pip" ]; then
    python=$(find_python)
    "$python" -c 'import ensurepip, venv' 2>/dev/null || install_packages "python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
    say "making $venv with $("$python" --version)"
    "$python" -m venv --clear "$venv"
fi

extras=$(missing_extras "$@" | paste -sd, -)
if [ -n "$extras" ]; then
    say "installing golem[$extras] into $venv; the first time this takes minutes"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -e ".[$extras]"
    mkdir -p "$venv/installed"
    for extra in $(echo "$extras" | tr , ' '); do
        cp pyproject.toml "$venv/installed/$extra"
    done
fi

# The wheels of LuxCore and of Blender disagree about NumPy's major version; LuxCore runs with the one that Blender asks for.
case " $* " in
    *" luxrender "*)
        if ! cmp -s pyproject.toml "$venv/installed/luxrender"; then
            wheel=$(grep -o 'pyluxcore==[0-9.]*' pyproject.toml)
            say "installing $wheel into $venv"
            "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps "$wheel" \
                && cp pyproject.toml "$venv/installed/luxrender" || say "no $wheel: tests that need it are skipped"
        fi
        ;;
esac

# Foundry's chain, for the fault tests; they are skipped, and say so, where there is no npm.
anvil=@foundry-rs/anvil@1.7.1
case " $* " in
    *" testing "*)
        if [ ! -d "$venv/npm" ] && command -v npm >/dev/null; then
            say "installing $anvil into $venv/npm"
            npm install --silent --no-audit --no-fund --prefix "$venv/npm" "$anvil" || say "no anvil: tests that need it are skipped"
        fi
        ;;
esac
