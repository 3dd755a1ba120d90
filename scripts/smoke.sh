#!/usr/bin/env bash
# Does what the README tells a newcomer to do: starts the quickstart, kills server and program while a run
# sleeps, starts them again, and types the README's own commands to look around and to ask with SQL.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

need_cargo
cargo build --locked --quiet -p stepwell-server -p quickstart
PATH=$target_dir/debug:$PATH
folder=$(mktemp -d)
data=$folder/data
server=
program=
keyed=

# Job control gives each child a group of its own and lets it hear signals.
set -m
clean_up() {
    kill -9 ${server:+"$server"} ${program:+"$program"} ${keyed:+"$keyed"} 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$folder"
}
trap clean_up EXIT

# Starts server and program. The first server takes a free port, the second one the same again.
start_both() {
    # What the server before wrote must not be read as this one's.
    rm -f "$folder/server.log"
    stepwell dev --data "$data" --listen "${1:-127.0.0.1:0}" >"$folder/server.log" 2>&1 </dev/null &
    server=$!
    await "the server does not listen" grep -q 'serves at http' "$folder/server.log"
    STEPWELL_URL=$(sed -nE 's/.*serves at (http[^ ,]*).*/\1/p' "$folder/server.log" | head -n 1)
    export STEPWELL_URL
    quickstart >"$folder/quickstart.log" 2>&1 </dev/null &
    program=$!
    await "the quickstart does not register" is_there greet stepwell workflows --json
}

# is_there TEXT COMMAND... tells whether the command's output has the text.
is_there() {
    local text=$1
    shift
    "$@" | grep -q -e "$text"
}

begun=$SECONDS
start_both
run=$(stepwell runs start greet --input '"Ada"')
await "no step ended" is_there '"shout"' stepwell runs show "$run" --json
kill -9 "$server" "$program"
wait "$server" "$program" 2>/dev/null || true
start_both "${STEPWELL_URL#http://}"
await "the run did not complete" is_there '"status":"completed"' stepwell runs list --json --limit 1
await "its output is another" is_there '"output":"HELLO, ADA!"' stepwell runs show "$run" --json
say "quickstart: a run outlived its server and its program, $((SECONDS - begun)) s"

# The block of the README that looks around, with RUN filled in.
commands=$(sed -nE '/^```sh/,/^```/{ /^stepwell (runs (list|show|tail)|workflows|runners|doctor)/p }' README.md | sort -u)
[ "$(wc -l <<<"$commands")" -ge 5 ] || fail "the README's commands were not found"
while IFS= read -r command; do
    eval "${command//RUN/$run}" >"$folder/out" 2>&1 </dev/null || fail "the README's \`$command\` failed: $(cat "$folder/out")"
    [ -s "$folder/out" ] || fail "the README's \`$command\` printed nothing"
done <<<"$commands"
say "README: $(wc -l <<<"$commands") commands to look around"

# A server that wants keys, as `stepwell start` makes it: the first key, one for a program, and its end.
stepwell start --data "$folder/keyed" --listen 127.0.0.1:0 --log-format json >"$folder/first.key" 2>"$folder/keyed.log" </dev/null &
keyed=$!
await "the first key is not printed" grep -q '^sw_' "$folder/first.key"
here=$STEPWELL_URL
STEPWELL_URL=$(url_in "$folder/keyed.log")
chmod 600 "$folder/first.key"
! stepwell runs list >"$folder/out" 2>&1 || fail "runs are listed without a key"
grep -q SW1010 "$folder/out" || fail "a request without a key is refused so: $(cat "$folder/out")"
export STEPWELL_KEY_FILE=$folder/first.key
stepwell namespaces create shop >/dev/null
stepwell keys create --name program --role client --namespace shop --out "$folder/program.key" 2>/dev/null
stepwell --key-file "$folder/program.key" runs list >/dev/null
! stepwell --key-file "$folder/program.key" keys list >"$folder/out" 2>&1 || fail "a client lists keys"
grep -q SW1011 "$folder/out" || fail "a role without the right is refused so: $(cat "$folder/out")"
stepwell keys revoke "$(cut -c 4-13 "$folder/program.key")" >/dev/null
! stepwell --key-file "$folder/program.key" runs list >"$folder/out" 2>&1 || fail "a revoked key is taken"
stepwell audit verify >"$folder/out"
unset STEPWELL_KEY_FILE
STEPWELL_URL=$here
say "keys: made, used, revoked; $(cat "$folder/out")"

if ! command -v sqlite3 >/dev/null 2>&1; then
    say "README: the questions in SQL are not asked, since sqlite3 is not installed"
    exit 0
fi
await "the tables do not follow" is_there greet sqlite3 -readonly "$data/stepwell.db" "select workflow from runs"
questions=$(sed -nE '/^```sh/,/^```/{ /^sqlite3 /p }' README.md)
[ "$(wc -l <<<"$questions")" -ge 3 ] || fail "the README's questions were not found"
while IFS= read -r question; do
    eval "${question//.stepwell\/quickstart/$data}" >"$folder/out" 2>&1 || fail "\`$question\` failed: $(cat "$folder/out")"
    [ -s "$folder/out" ] || fail "\`$question\` has no answer"
done <<<"$questions"
say "README: $(wc -l <<<"$questions") questions in SQL while the server runs"
