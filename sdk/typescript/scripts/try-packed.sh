#!/usr/bin/env bash
# Installs packed tarballs in an empty folder and uses them as people do: the command, `import`, `require`,
# and the compiler with both ways of resolving. Called by scripts/dist-npm.sh of the repository.
#   scripts/try-packed.sh SDK.tgz SERVER.tgz
set -euo pipefail
sdk=$(realpath "$1") server=$(realpath "$2")
here=$(cd "$(dirname "$0")/.." && pwd)
tsc=$here/node_modules/typescript/bin/tsc
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

npm init -y >/dev/null
npm install --silent --no-audit --no-fund "$sdk" "$server"
env -u STEPWELL_BINARY npx --no-install stepwell --version

cat >use.mjs <<'JS'
import { StepError, workflow } from "stepwell";
import { TestServer } from "stepwell/test";
if (workflow({ name: "a" }, () => 1).name !== "a" || StepError.is(1)) throw new Error("import");
await (await TestServer.start()).stop();
JS
node use.mjs

cat >use.cjs <<'JS'
const { StepError, workflow } = require("stepwell");
if (workflow({ name: "a" }, () => 1).name !== "a" || StepError.is(1)) throw new Error("require");
JS
node use.cjs

cat >use.mts <<'TS'
import { client, type Duration, StepError, workflow } from "stepwell";
import { TestServer } from "stepwell/test";
const one = workflow({ name: "one" }, async ({ step }) => {
  const saved = await step.run("a", () => ({ at: new Date(0) }));
  saved.at satisfies string;
  // @ts-expect-error
  await step.sleep("b", "5 parsecs");
});
export const all = [client, StepError, TestServer, one, "1d12h" satisfies Duration];
TS

mkdir -p node_modules/@types && cp -r "$here/node_modules/@types/node" node_modules/@types/
cp -r "$here/node_modules/undici-types" node_modules/
for resolution in nodenext bundler; do
    module=$([ "$resolution" = bundler ] && echo preserve || echo nodenext)
    node "$tsc" --noEmit --strict --module "$module" --moduleResolution "$resolution" \
        --target es2022 --lib es2022,esnext.disposable --types node use.mts
    echo "types resolve with $resolution"
done
