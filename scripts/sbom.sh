#!/usr/bin/env bash
# Says what the server, its console and the checkout runner are built from: a bill of materials (CycloneDX 1.6) and the
# texts of all licences, in target/sbom or the folder that is given.
#   scripts/sbom.sh [FOLDER] [TARGET]
# TARGET is the platform that it is built for; without it, this machine's.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

need_cargo
has_node || fail "Node $needed_node or newer is needed, with npm: see https://nodejs.org"
out=${1:-$target_dir/sbom}
mkdir -p "$out"
# For the licences of what is in the console.
npm_install console
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
target=${2:-$(rustc -vV | sed -n 's/^host: //p')}
cargo metadata --locked --format-version 1 --filter-platform "$target" 2>/dev/null \
    | node scripts/sbom.mjs --roots stepwell-server,checkout --lock console/package-lock.json \
        --bill "$out/sbom.cdx.json" --licences "$out/THIRD-PARTY-LICENSES.txt"
say "in $out"
