#!/usr/bin/env bash
# Measures each workload with a release build: `stepwell bench` starts its own server on a temporary folder,
# with durability on, and a Rust runner in a second process. WORKLOADS chooses some of them.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

need_cargo
cargo build --locked --quiet --release -p stepwell-server
for workload in ${WORKLOADS:-sequential throughput noop fanout parked}; do
    "$target_dir/release/stepwell" bench "$workload"
done
