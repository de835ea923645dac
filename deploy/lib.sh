# Shared by the set-up commands. Sourced, never run.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
configuration=${FORECASTLE_BUILD:-release}

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

# A data folder of its own: short enough for a Unix socket and traversable for the user that PostgreSQL runs as.
data_folder() { printf '/var/tmp/forecastle-%s/%s\n' "$(id -u)" "$1"; }

# install NAME…: Debian packages that are missing, by apt; a clear list where that can't be done.
install() {
    local missing=() package
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null || true)" = "ii " ] || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
            as_root=(sudo)
        elif command -v sudo >/dev/null && [ -t 0 ]; then
            as_root=(sudo)
        else
            fail "these Debian packages are missing and can't be installed from here: ${missing[*]}
       run as root: apt-get install ${missing[*]}"
        fi
    fi
    command -v apt-get >/dev/null || fail "these packages are missing and there is no apt-get: ${missing[*]}"
    say "installing ${missing[*]}"
    # Without this, Debian's package starts a database server of its own.
    case " ${missing[*]} " in
        *" postgresql "*)
            "${as_root[@]}" mkdir -p /etc/postgresql-common
            [ -e /etc/postgresql-common/createcluster.conf ] ||
                echo 'create_main_cluster = false' | "${as_root[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
            ;;
    esac
    local log
    log=$(mktemp)
    if ! { "${as_root[@]}" apt-get update && DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y \
        --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
        tail -20 "$log" >&2
        fail "apt-get could not install ${missing[*]}; its whole output: $log"
    fi
    rm -f "$log"
}

need_swift() {
    command -v swift >/dev/null || fail "swift is not on the PATH; Forecastle builds with a Swift 6.2 or newer toolchain (swift.org/install)"
}

need_packages() { install ca-certificates pkg-config zlib1g-dev libpq-dev libssl-dev librdkafka-dev postgresql "$@"; }

# build [swift build's arguments]: quiet while it goes well, whole where it does not. Says nothing where nothing changed.
build() {
    need_swift
    local log="$root/.build/forecastle-build.log"
    mkdir -p "$root/.build"
    say "building ($configuration); the first time takes some minutes, log: $log"
    if ! (cd "$root" && swift build -c "$configuration" "$@") >"$log" 2>&1; then
        grep -E 'error:|warning: unre|fatal' "$log" >&2 || true
        tail -15 "$log" >&2
        fail "the build failed; its whole output: $log"
    fi
    bin=$(cd "$root" && swift build -c "$configuration" --show-bin-path)
}

# The official clients, in a virtual environment of the build folder.
clients_environment() {
    venv="$root/.build/clients-venv"
    [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
    "$venv/bin/pip" install -q --disable-pip-version-check -r "$root/Tests/Clients/requirements.txt"
}

# stop PID: asks, waits, then insists. Only ever for processes that we started.
stop() {
    local pid=$1 waited=0
    kill -TERM "$pid" 2>/dev/null || return 0
    while kill -0 "$pid" 2>/dev/null; do
        waited=$((waited + 1))
        [ "$waited" -lt 150 ] || { kill -KILL "$pid" 2>/dev/null || true; break; }
        sleep 0.1
    done
}

# bench NAME [PYTHON-PACKAGES] -- FLAGS…: builds (release), installs the peers that it can, measures, and writes docs/performance.md
# and what goes with it; with --quick it writes nothing there.
bench() {
    local name=$1 packages=() peers=() pages=() venv="$root/.build/bench-venv"
    shift
    while [ "$1" != -- ]; do packages+=("$1"); shift; done
    shift
    need_packages python3 python3-venv
    build --product forecastle
    build --product forecastle-broker
    if [ ${#packages[@]} -gt 0 ]; then
        # What cannot be installed is left out of the run.
        if { [ -x "$venv/bin/python" ] || python3 -m venv "$venv"; } >"$root/.build/bench-venv.log" 2>&1 &&
            "$venv/bin/pip" install -q --disable-pip-version-check "${packages[@]}" >>"$root/.build/bench-venv.log" 2>&1; then
            peers=(--python "$venv/bin/python")
        else
            say "without ${packages[*]}; why: $root/.build/bench-venv.log"
        fi
    fi
    case " $* " in
        *" --quick "*) ;;
        *)
            mkdir -p "$root/docs/performance" "$root/docs/images"
            pages=(--save "$root/docs/performance/$name.json" --chart "$root/docs/images/$name.svg" --page "$root/docs/performance.md")
            ;;
    esac
    exec "$bin/forecastle" bench "$name" "${peers[@]}" "${pages[@]}" "$@"
}
