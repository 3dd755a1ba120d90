#!/usr/bin/env bash
# Loads a server on a private PostgreSQL (or on the one that DATABASE_URL names) with a release build for 30 minutes,
# while runs go three minutes after their end. Prints by how much of it what is kept grows in ten minutes, over the last
# 20, and fails where a mark is missed.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

need_cargo
cargo build --locked --quiet --release -p stepwell-server
exec "$target_dir/release/stepwell" bench all --store "${DATABASE_URL:-postgres}" --only soak
