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
