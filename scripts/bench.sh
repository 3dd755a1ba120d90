#!/usr/bin/env bash
# Measures each workload with a release build: `stepwell bench` starts its own server on a temporary folder,
# with durability on, and a runner in a second process. Prints one table and fails where a mark is missed.
# WORKLOADS chooses some (sequential,noop), TIMES says how often, JSON=1 prints JSON; RUNNER=node measures
# the TypeScript SDK on Node in place of the Rust one.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

need_cargo
cargo build --locked --quiet --release -p stepwell-server

commit="commit unknown"
if found=$(git rev-parse --short HEAD 2>/dev/null); then
    commit="commit $found"
    [ -z "$(git status --porcelain -- crates Cargo.toml Cargo.lock)" ] || commit="$commit with changes"
fi

if [ "${RUNNER:-rust}" = node ]; then
    # The runner takes the package that it finds from the folder in which it is started.
    cd sdk/typescript
    npm ci --silent --no-audit --no-fund
    npm run --silent build
fi

exec "$target_dir/release/stepwell" bench all --commit "$commit" --runner "${RUNNER:-rust}" \
    ${WORKLOADS:+--only "$WORKLOADS"} ${TIMES:+--times "$TIMES"} ${JSON:+--json}
