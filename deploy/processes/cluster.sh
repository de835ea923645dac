# What deploy/cluster does otherwise with --processes. Sourced, never run.
# shellcheck shell=bash disable=SC2154

# The supervisor in place of an engine; docker-compose reads the file all the same.
compose() {
    case $1 in
        config) docker_compose "$@" ;;
        *) "$root/deploy/processes/engine" --data "$data" --config <(docker_compose config) "$@" ;;
    esac
}
ask() { "$root/deploy/processes/engine" --data "$data" "$@"; }
containers() { ask states; }
restart_container() { ask restart "$1"; }
engine_answers() { ask states >/dev/null 2>&1; }

# The process of our supervisor, where it runs.
engine() {
    local pid
    pid=$(cat "$data/processes/pid" 2>/dev/null) || return 0
    [ -e "/proc/$pid/cmdline" ] || return 0
    case $(tr '\0' ' ' <"/proc/$pid/cmdline") in *"/processes/engine --data $data serve "*) echo "$pid" ;; esac
}

up_ends() {
    local status=$?
    trap - EXIT
    [ "$status" -eq 0 ] || { say "stopping what was started; logs: $data/processes"; stop_engine; }
    exit "$status"
}

start_engine() {
    install docker-compose debootstrap iproute2 python3 python3-yaml
    [ -z "$(engine)" ] || return 0
    # What is half up is taken down; a cluster that ran before stays.
    trap up_ends EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    mkdir -p "$data/processes"
    chmod 0700 "$data/processes"
    say "starting the supervisor of the processes; log: $data/processes/log"
    setsid "$root/deploy/processes/engine" --data "$data" serve >>"$data/processes/log" 2>&1 </dev/null &
    echo $! >"$data/processes/pid"
    for _ in $(seq 100); do
        ! engine_answers || return 0
        sleep 0.1
    done
    tail -5 "$data/processes/log" >&2
    fail "the supervisor did not answer within 10 seconds; log: $data/processes/log"
}

# It stops every process that it started, each as long as the file lets it take. Without it they end by themselves.
stop_engine() {
    local pid
    pid=$(engine)
    [ -n "$pid" ] || return 0
    ask down >/dev/null || true
    stop "$pid"
}

# Root folders of the processes, as images would have them: ours assembled as the Dockerfile does it, with a /tmp of its own for that.
images() {
    local context=$data/context name
    mkdir -p "$data/roots"
    system postgres
    system prometheus
    system nginx forky
    for name in postgres prometheus nginx; do ln -sfn "$layers/$name" "$data/roots/$name"; done
    image_context "$context"
    for name in forecastle forecastle-broker; do
        rm -rf "$data/roots/$name.new"
        unshare --mount sh -ec 'mount -t tmpfs tmpfs /tmp; exec "$@"' sh \
            "$context/source/deploy/assemble" "$data/roots/$name.new" "$context/out/$name"
        # Executables that are not linked statically look for the toolchain's libraries where it was; `assemble` has them below /usr.
        [ ! -d "$data/roots/$name.new/usr/opt" ] || ln -s usr/opt "$data/roots/$name.new/opt"
        # What runs keeps the folder that it has.
        if diff -rq "$data/roots/$name.new" "$data/roots/$name" >/dev/null 2>&1; then
            rm -rf "$data/roots/$name.new"
        else
            [ ! -e "$data/roots/$name" ] || mv "$data/roots/$name" "$data/roots/$name.$(date +%s)"
            mv "$data/roots/$name.new" "$data/roots/$name"
        fi
    done
    rm -rf "$context"
}
