#!/usr/bin/env bash
# Does what somebody does who has the archive of `make dist` and nothing else: in an empty folder, without cargo, Node or
# settings of the one who runs this. A server and its first key, keys, the runner, a run by curl, a backup of the live
# server, a restore into another folder, and the run in there. Prints how long each step took; fails where something is
# not as it should be, or where all of it takes longer than its mark.
#
# ARCHIVE=target/dist/stepwell-….tar.gz    the archive; without it, the one that `make dist` has made for this machine
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

# Mark for all of it.
readonly LONGEST_S=120

archive=${ARCHIVE:-$(find "$target_dir/dist" -name "stepwell-*-$(uname -m)-*-linux-gnu.tar.gz" 2>/dev/null | head -n 1)}
[ -f "$archive" ] || fail "there is no archive ${archive:+$archive; }\`make dist\` makes one"
archive=$(realpath "$archive")
folder=$(mktemp -d)
started=()
clean_up() {
    [ ${#started[@]} = 0 ] || kill -9 "${started[@]}" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$folder"
}
trap clean_up EXIT

# From here on there is what every Linux has, and curl.
mkdir "$folder/tools" "$folder/home" "$folder/tour"
for tool in awk basename cat chmod cmp curl cut date find grep gzip head ls mkdir mv rm sed sha256sum sleep sort tail tar \
    timeout wc xargs; do
    place=$(type -P "$tool") || fail "$tool is not installed"
    ln -s "$place" "$folder/tools/$tool"
done
for name in $(compgen -e); do
    unset "$name" 2>/dev/null || true
done
export PATH=$folder/tools HOME=$folder/home LC_ALL=C
hash -r
for tool in cargo rustc cc node npm docker stepwell; do
    ! command -v "$tool" >/dev/null || fail "$tool is on the search path"
done
cd "$folder/tour"

now_ms() { date +%s%3N; }
begun=$(now_ms)
last=$begun
# done_with STEP says how long a step took.
done_with() {
    local at
    at=$(now_ms)
    awk -v ms=$((at - last)) -v step="$1" 'BEGIN { printf "%8.2f s  %s\n", ms / 1000, step }'
    last=$at
}

# Nothing here may hang.
stepwell() { timeout 60 "$folder"/tour/stepwell-*/bin/stepwell "$@"; }

# start NAME COMMAND... runs a command beside this script, its output in files.
start() {
    local name=$1
    shift
    # A group of its own lets a child hear signals.
    set -m
    "$@" >"$folder/$name.out" 2>"$folder/$name.log" </dev/null &
    set +m
    started+=("$!")
}

# serve NAME DATA OPTION... starts a server on a free port, and sets its address.
serve() {
    local name=$1 data=$2
    shift 2
    start "$name" "$bin/stepwell" start --data "$data" --listen 127.0.0.1:0 --log-format json "$@"
    await "the server does not listen" grep -q '"listening"' "$folder/$name.log"
    STEPWELL_URL=$(url_in "$folder/$name.log")
    export STEPWELL_URL
    await "the server is not healthy" stepwell health
}

# stop_all stops what runs, the last first, and fails where something does not end in order.
stop_all() {
    local at pid
    for ((at = ${#started[@]} - 1; at >= 0; at--)); do
        pid=${started[at]}
        kill -INT "$pid"
        await "a process does not stop" is_gone "$pid"
        wait "$pid" || fail "a process did not end in order: $(tail -n 5 "$folder"/*.log)"
    done
    started=()
}
is_gone() { ! kill -0 "$1"; }

# connect NAME starts the runner with its key, and waits until the server knows its workflow.
connect() {
    start "$1" "$bin/checkout" --url "$STEPWELL_URL" --key-file worker.key --orders /dev/null
    await "the runner is not connected" is_connected
}
is_connected() { stepwell runners --json | grep -q '"checkout"'; }

# ask PATH... asks the API as a client does who has curl.
ask() {
    local path=$1
    shift
    curl --silent --show-error --fail-with-body --max-time 60 --header "Authorization: Bearer $(cat client.key)" \
        "$STEPWELL_URL$path" "$@"
}

# order NUMBER starts a run for an order, waits until it is completed, and sets $run.
order() {
    local body='{"workflow": "checkout", "key": "'$1'", "input": {"id": "'$1'", "customer": "Ada", "gift": true,
        "lines": [{"sku": "SKU-PEN", "pieces": 2, "cents": 250}, {"sku": "SKU-INK", "pieces": 1, "cents": 900}]}}'
    ask /api/v1/runs --header 'Content-Type: application/json' --data "$body" >"$folder/answer" \
        || fail "no run was started: $(cat "$folder/answer")"
    run=$(sed -nE 's/.*"id":"(run_[0-9a-f]+)".*/\1/p' "$folder/answer")
    [ -n "$run" ] || fail "the answer names no run: $(cat "$folder/answer")"
    ask "/api/v1/runs/$run/result?wait=30s" >"$folder/answer" || fail "the run has no result: $(cat "$folder/answer")"
    grep -q '"cents":1400' "$folder/answer" || fail "its result is another: $(cat "$folder/answer")"
    ask "/api/v1/runs/$run" >"$folder/answer"
    grep -q '"status":"completed"' "$folder/answer" || fail "it is not completed: $(cat "$folder/answer")"
}

# tell_all prints everything that the server tells of its runs.
tell_all() {
    local id
    for id in $(stepwell runs list --json | sed -nE 's/.*"id":"(run_[0-9a-f]+)".*/\1/p' | sort); do
        stepwell runs show "$id" --json
        stepwell runs history "$id" --json
    done
}

tar xzf "$archive"
bin=$(echo "$folder"/tour/stepwell-*/bin)
[ "$(ls)" = "$(basename "$archive" .tar.gz)" ] || fail "the archive has not one folder of its name: $(ls)"
(cd "$bin/.." && sha256sum --quiet --strict --check SHA256SUMS)
done_with "unpacked $(basename "$archive"); its checksums are right"

umask 077
serve first data --backup-dir backups
await "the first key is not printed" grep -q '^sw_' "$folder/first.out"
[ "$(wc -l <"$folder/first.out")" = 1 ] || fail "more than one key is printed"
cat "$folder/first.out" >admin.key
export STEPWELL_KEY_FILE=$PWD/admin.key
done_with "\`stepwell start\` serves, and has printed the first key"

stepwell keys create --name checkout --role worker --out worker.key 2>"$folder/keys.log"
stepwell keys create --name shop --role client --out client.key 2>>"$folder/keys.log"
done_with "made a key for the runner and one for curl"

connect runner
done_with "the runner \`checkout\` is connected"

order tour-1
first=$run
done_with "curl has started $run, and it is completed"

stepwell backup --json >"$folder/backup.json"
backup=backups/$(sed -nE 's/.*"name":"([^"]+)".*/\1/p' "$folder/backup.json")
[ -d "$backup" ] || fail "there is no backup: $(cat "$folder/backup.json")"
stepwell backup verify "$backup" >"$folder/verified"
done_with "made a backup of the live server, and verified it"

tell_all >"$folder/before.json"
[ "$(grep -c . "$folder/before.json")" -ge 4 ] || fail "the order and its shipping are not both told of"
stop_all
mv data lost
done_with "stopped runner and server, and took the data folder away"

stepwell restore "$backup" --data restored >"$folder/restored"
done_with "restored the backup into another folder"

serve second restored --resume
[ ! -s "$folder/second.out" ] || fail "another first key is printed: keys are not in the backup"
tell_all >"$folder/after.json"
grep -q "$first" "$folder/after.json" || fail "the run is not in the restored server"
cmp "$folder/before.json" "$folder/after.json" || fail "a run in the restored server is another"
done_with "the restored server has $first and its child, equal to the byte"

connect runner-again
order tour-2
[ "$run" != "$first" ] || fail "the second order is the run of the first"
stop_all
done_with "it goes on: $run is completed there, with the same keys"

total_ms=$(($(now_ms) - begun))
awk -v ms=$total_ms -v most=$LONGEST_S 'BEGIN { printf "%8.2f s  from the archive alone (mark: %d s)\n", ms / 1000, most }'
[ $total_ms -le $((LONGEST_S * 1000)) ] || fail "it took longer than $LONGEST_S s"
