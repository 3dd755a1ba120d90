#!/usr/bin/env bash
# Holds the dashboard, the alerts and the documents against what a real server tells, and prints how many there are
# of each. Where promtool is installed, it reads rules and metrics too.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

need_cargo
told=$(mktemp)
trap 'rm -f "$told"' EXIT
cargo test --locked --quiet -p stepwell-metrics >"$told" 2>&1 || {
    cat "$told" >&2
    fail "the table of metrics and docs/metrics.md differ"
}
cargo test --locked --quiet -p stepwell-server --test it -- --nocapture monitoring:: metrics:: >"$told" 2>&1 || {
    cat "$told" >&2
    fail "something names a metric that no server tells"
}
grep -h '^metrics: ' "$told"
if command -v promtool >/dev/null 2>&1; then
    promtool check rules deploy/prometheus/alerts.yml
    (cd deploy/prometheus && promtool test rules alerts.test.yml)
else
    say "promtool is not installed (Debian: prometheus): the rules were not read by it"
fi
