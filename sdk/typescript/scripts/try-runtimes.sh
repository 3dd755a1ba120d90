#!/usr/bin/env bash
# Runs the packed package on every runtime that it is for, and prints a line per runtime and case.
#   scripts/try-runtimes.sh SDK.tgz [RUNTIME...]
# RUNTIME is node20.19, node20, node22, node24, bun or deno; without one, all of them. They are installed from npm
# into a temporary folder, each at the version below. The server is STEPWELL_BINARY.
#
# What runs is test/runtimes: programs without a test framework, with the app of the end-to-end tests. The suites of
# vitest run on the Node that npm is of. Not run: TypeScript as it is on Node 20, and `using` on Node 20 and 22, which
# have no such thing.
set -euo pipefail
tarball=$(realpath "$1")
shift
here=$(cd "$(dirname "$0")/.." && pwd)
declare -A packages=(
    [node20.19]=node@20.19.0 [node20]=node@20.20.2 [node22]=node@22.23.3 [node24]=node@24.21.0
    [bun]=bun@1.4.5 [deno]=deno@2.9.6
)
[ $# -gt 0 ] || set -- node20.19 node20 node22 node24 bun deno
[ -x "${STEPWELL_BINARY:-}" ] || {
    echo "error: STEPWELL_BINARY names no server that can be run: \`${STEPWELL_BINARY:-}\`" >&2
    exit 1
}
STEPWELL_BINARY=$(realpath "$STEPWELL_BINARY")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# What a case that fails leaves behind goes with the folder.
export STEPWELL_BINARY TMPDIR=$folder/tmp NO_COLOR=1 DENO_DIR=$folder/deno DENO_NO_UPDATE_CHECK=1
mkdir "$TMPDIR"

# Installs a package into a new folder; more arguments are npm's.
install() {
    mkdir "$folder/$1"
    (cd "$folder/$1" && npm init -y && npm install --no-audit --no-fund "${@:2}") >"$folder/npm.log" 2>&1 ||
        { cat "$folder/npm.log" >&2 && return 1; }
}

# The server is that of STEPWELL_BINARY, not one from a registry.
install app "$tarball" --omit=optional
cp "$here"/test/runtimes/*.{mjs,cjs,mts} "$here/test/e2e/app.mjs" "$folder/app/"
cd "$folder/app"
failed=0

# A program on the runtime: its name, the program, then the runtime's command.
try() {
    export RUNTIME=$1
    local program=$2
    shift 2
    # A program that hangs after its last case has left a thread or a socket behind.
    timeout --kill-after=5 300 "$@" "$program" || {
        echo "$RUNTIME: $program: FAILED with exit code $?"
        failed=1
    }
}

for runtime in "$@"; do
    package=${packages[$runtime]:?there is no such runtime; there are: ${!packages[*]}}
    install "$runtime" "$package"
    binary=$(readlink -f "$folder/$runtime/node_modules/.bin/${package%@*}")
    command=("$binary")
    export RUNTIME_ARGS=""
    case $runtime in
        node*) name="Node $("$binary" --version | tr -d v)" ;;
        bun) name="Bun $("$binary" --version)" ;;
        deno)
            name="Deno $("$binary" --version | sed -n 's/^deno \([^ ]*\).*/\1/p')"
            export RUNTIME_ARGS="run --allow-all"
            # shellcheck disable=SC2206 # words of the command
            command+=($RUNTIME_ARGS)
            ;;
    esac
    try "$name" kit.mjs "${command[@]}"
    try "$name" server.mjs "${command[@]}"
    try "$name" telemetry.mjs "${command[@]}"
    case $runtime in
        node20*) echo "$name: typed: not run: this runtime does not run TypeScript" ;;
        *) try "$name" typed.mts "${command[@]}" ;;
    esac
    case $runtime in
        node20* | node22) echo "$name: using: not run: this runtime has no \`using\`" ;;
        *) try "$name" using.mts "${command[@]}" ;;
    esac
    try "$name" required.cjs "${command[@]}"
done
exit $failed
