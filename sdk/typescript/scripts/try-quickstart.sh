#!/usr/bin/env bash
# Does the README's quickstart in an empty folder, with packed tarballs and without cargo on the PATH, and says
# what each step took. Fails where the first run does not complete within two minutes from the beginning.
# Called by scripts/dist-npm.sh of the repository; npm takes `tsx` and `ws` from its registry.
#   scripts/try-quickstart.sh SDK.tgz SERVER.tgz
set -euo pipefail
sdk=$(realpath "$1") server=$(realpath "$2")
LONGEST_S=120

folder=$(mktemp -d)
dev=
clean_up() {
    if [ -n "$dev" ]; then
        # `npx`, the server and the program are one group of processes.
        kill -TERM -- "-$dev" 2>/dev/null || true
        wait "$dev" 2>/dev/null || true
    fi
    rm -rf "$folder"
}
trap clean_up EXIT
cd "$folder"

# What people have who have no Rust: the folder of node alone, and the system's.
PATH=$(dirname "$(command -v node)"):/usr/bin:/bin
export PATH
unset STEPWELL_BINARY
if command -v cargo >/dev/null 2>&1; then
    echo "error: cargo is on the PATH" >&2
    exit 1
fi
# A port of its own: the quickstart's commands are as they stand there.
port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => {
    console.log(s.address().port); s.close(); })')
export STEPWELL_LISTEN=127.0.0.1:$port STEPWELL_URL=http://127.0.0.1:$port

begun=$(date +%s%3N)
told() {
    printf '%6s s  %s\n' "$(awk -v ms=$(($(date +%s%3N) - begun)) 'BEGIN { printf "%.1f", ms / 1000 }')" "$1"
}
# until_true WHAT COMMAND... tries twenty times a second, as long as the whole may take.
until_true() {
    local what=$1
    shift
    until "$@" >/dev/null 2>&1; do
        if [ $(($(date +%s%3N) - begun)) -gt $((LONGEST_S * 1000)) ]; then
            echo "error: $what did not happen within $LONGEST_S s" >&2
            cat dev.log >&2 || true
            exit 1
        fi
        sleep 0.05
    done
}
# ask PATH CONDITION asks the API, and exits by a condition on `it`.
ask() {
    node -e "fetch(process.env.STEPWELL_URL + '$1').then((answer) => answer.json()).then((it) =>
        process.exit($2 ? 0 : 1), () => process.exit(1))"
}

npm init -y >/dev/null
npm pkg set type=module
npm install --silent --no-audit --no-fund "$sdk" "$server"
npm install --silent --no-audit --no-fund --save-dev tsx
told "installed the tarballs and tsx"

# The first program of the README that is in the package.
awk '/^```ts$/ { inside = 1; next } /^```$/ { if (inside) exit } inside' node_modules/stepwell/README.md >app.ts
grep -q 'app("quickstart"' app.ts || { echo "error: the README has no quickstart" >&2; exit 1; }
told "pasted the README's program, $(wc -l <app.ts) lines"

set -m
npx stepwell dev -- npx tsx app.ts >dev.log 2>&1 &
dev=$!
set +m
until_true "an answer of the server" ask /healthz true
told "the server answers"
until_true "the program's connection" ask /api/v1/runners "JSON.stringify(it).includes('quickstart')"
told "the program is connected"
npx stepwell runs start greet --input '"Ada"' >started.txt
told "started a run: $(head -n 1 started.txt)"
until_true "the end of the run" ask "/api/v1/runs?status=completed" "it.runs.length === 1"
told "the first run has completed"
npx stepwell runs list
