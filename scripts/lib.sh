# Shared by the scripts: finding the root, cargo, and telling people what happens.
# Sourced, not run. The sourcing script has set -euo pipefail.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

say() { printf '%s\n' "$*"; }

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# The least toolchain, as Cargo.toml says it.
needed_rust=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)

need_cargo() {
    command -v cargo >/dev/null 2>&1 || fail "cargo is not installed.
  Stepwell is built with Rust $needed_rust or newer: see https://rustup.rs, then open a new shell."
    command -v cc >/dev/null 2>&1 || fail "a C compiler is not installed (SQLite is built with it).
  On Debian and Ubuntu: apt-get install build-essential"
    local found
    found=$(cargo --version | awk '{ print $2 }')
    local least
    least=$(printf '%s\n%s\n' "$needed_rust" "$found" | sort -V | head -n 1)
    [ "$least" = "$needed_rust" ] || fail "cargo $found is too old; Rust $needed_rust or newer is needed.
  With rustup: rustup update stable"
}

# Where cargo puts what it builds.
target_dir=${CARGO_TARGET_DIR:-$root/target}

# The least Node, as the TypeScript SDK says it.
needed_node=$(sed -nE 's/.*"node": ">=([0-9.]+)".*/\1/p' sdk/typescript/package.json)

has_node() {
    command -v npm >/dev/null 2>&1 && command -v node >/dev/null 2>&1 || return 1
    local found least
    found=$(node --version)
    least=$(printf '%s\n%s\n' "$needed_node" "${found#v}" | sort -V | head -n 1)
    [ "$least" = "$needed_node" ]
}

# npm_install FOLDER installs what the lock file there says, unless that was done before.
npm_install() {
    [ "$1/node_modules/.package-lock.json" -nt "$1/package-lock.json" ] \
        || npm --prefix "$1" ci --silent --no-audit --no-fund
}

# await WHAT COMMAND... repeats a command for up to 30 s until it works, and shows the logs of
# the caller's $folder where it does not.
await() {
    local what=$1 until=$((SECONDS + 30))
    shift
    until "$@" >/dev/null 2>&1; do
        if [ "$SECONDS" -ge "$until" ]; then
            sed 's/^/  /' "$folder"/*.log >&2
            fail "$what"
        fi
        sleep 0.1
    done
}

# install_program FROM TO copies a program as it is given to others: without symbols, which are an eighth of it. A panic
# says its file and line without them.
install_program() {
    install -m 755 "$1" "$2"
    strip "$2" 2>/dev/null || say "strip is not installed: $(basename "$2") stays large"
}

# url_in LOG prints the address at which the server listens that writes this log as JSON.
url_in() { sed -nE 's|.*"listening".*"address":"([^"]+)".*|http://\1|p' "$1" | head -n 1; }
