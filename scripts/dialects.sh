#!/usr/bin/env bash
# Runs code that was written for four other systems on what people get: installs the packed npm packages in an empty folder, checks the
# types of the programs of examples/dialects there, runs each of them against the packed server, and their tests. A line for each
# program, then the figures of the tables in docs/coming-from/. Fails where something is not as it should be.
#
# NPM=target/npm    the folder with the packages of `make dist`; where they are not there, they are packed first
# SERVER=path       the server to pack then; without it a release is built
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

has_node || fail "Node $needed_node or newer is not installed"
packages=${NPM:-$target_dir/npm}
version=$(node -p 'require("./sdk/typescript/package.json").version')
sdk=$packages/stepwell-$version.tgz
server=$packages/stepwell-linux-x64-$version.tgz
if [ ! -f "$sdk" ] || [ ! -f "$server" ]; then
    say "there are no packages in $packages: they are packed"
    scripts/dist-npm.sh "${SERVER:-}" "$packages"
fi
sdk=$(realpath "$sdk") server=$(realpath "$server")

folder=$(mktemp -d)
serves=
clean_up() {
    if [ -n "$serves" ]; then
        kill -TERM "$serves" 2>/dev/null || true
        wait "$serves" 2>/dev/null || true
    fi
    rm -rf "$folder"
}
trap clean_up EXIT
# The packages are what is tried, and not what the one who runs this has set.
unset STEPWELL_BINARY STEPWELL_KEY STEPWELL_PROJECT_KEY FAILPATH_PROJECT_KEY

example=$root/examples/dialects
wanted() { node -p "Object.entries(require('$example/package.json').$1).filter(([name]) => name !== 'stepwell').map((one) => one.join('@')).join(' ')"; }
read -ra with <<<"$(wanted dependencies) $(wanted devDependencies)"
cp -r "$example/src" "$example/.failpath" "$example/tsconfig.json" "$folder/"
cd "$folder"
npm init -y >/dev/null
npm pkg set type=module
npm install --silent --no-audit --no-fund "$sdk" "$server" "${with[@]}"
say "installed $(basename "$sdk") and $(basename "$server"), which is $(npx --no-install stepwell --version 2>/dev/null)"
npx --no-install tsc
say "the programs and their tests have the right types: TypeScript $(npx --no-install tsc --version 2>/dev/null | cut -d ' ' -f 2)"

"$folder/node_modules/@stepwell/linux-x64/bin/stepwell" start --data data --listen 127.0.0.1:0 --access loopback \
    --log-format json 2>server.log &
serves=$!
await "the server did not start" grep -q '"listening"' server.log
url=$(url_in server.log)
for name in failpath-runs failpath-events loops durablex questpie; do
    STEPWELL_URL=$url timeout 300 node dist/main.js "$name" >"$name.log" 2>&1 || {
        sed 's/^/  /' "$name.log" >&2
        fail "$name did not come to its end"
    }
    tail -n 1 "$name.log"
done

# The tables are read below, from the repository.
CI=true NO_COLOR=1 npx --no-install vitest run --dir src --exclude '**/statements.test.ts' --testTimeout 120000 --hookTimeout 120000 \
    --maxWorkers 2 >tests.log 2>&1 || {
    cat tests.log >&2
    fail "a test of the programs fails"
}
sed -nE 's/^ +Tests +([0-9]+) passed.*/tests on the packed server: \1 passed, 0 failed/p' tests.log
node dist/figures.js "$root"
