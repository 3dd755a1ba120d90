# Shared by the scripts that keep programs running beside them: starting, awaiting and ending them.
# Sourced after lib.sh, not run. Logs are in $logs; what is started is in `started`, in this order.

started=()

# end_all ends what was started, the last first: so servers see their runners go, and drain.
end_all() {
    local pid at
    for ((at = ${#started[@]} - 1; at >= 0; at--)); do
        pid=${started[at]}
        kill -INT "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
}

# launch NAME COMMAND... runs a command beside this script, its output in a file.
launch() {
    local name=$1
    shift
    # A shell without job control lets its children ignore INT; in a group of its own a child hears only us.
    set -m
    : >"$logs/$name.log"
    "$@" </dev/null >>"$logs/$name.log" 2>&1 &
    set +m
    started+=("$!")
}

alive() { kill -0 "$1" 2>/dev/null; }

# await_of SECONDS WHAT PID LOG COMMAND... repeats a command until it works, while a process lives.
await_of() {
    local until=$((SECONDS + $1)) what=$2 pid=$3 log=$4
    shift 4
    while ! "$@" >/dev/null 2>&1; do
        if ! alive "$pid" || [ "$SECONDS" -ge "$until" ]; then
            sed 's/^/  /' "$log" | tail -n 20 >&2
            fail "$what; its log is $log"
        fi
        sleep 0.1
    done
}

# build_console builds the web console, or says why there is none; sets `console`.
build_console() {
    console=
    if ! has_node; then
        say "the web console is skipped: it needs Node $needed_node or newer, with npm"
    elif scripts/console.sh; then
        console=yes
    elif [ -n "${RUN_FOR:-}" ]; then
        fail "the web console could not be built"
    else
        say "the web console is skipped: it could not be built"
    fi
}
