#!/usr/bin/env bash
# Installs packed tarballs in an empty folder and uses them as people do: the command, `import`, `require`,
# and the compiler with both ways of resolving; then looks at what was installed. Each check says a line, and the
# first that fails ends the script. Called by scripts/dist-npm.sh of the repository.
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
echo "the command says: $(env -u STEPWELL_BINARY npx --no-install stepwell --version 2>/dev/null)"

cat >use.mjs <<'JS'
import { StepError, workflow } from "stepwell";
import { createFailpathClient } from "stepwell/dialects/failpath";
import { loop } from "stepwell/dialects/loops";
import * as durablex from "stepwell/dialects/durablex";
import * as questpie from "stepwell/dialects/questpie";
import { createTelemetryClient } from "stepwell/telemetry";
import { TestServer } from "stepwell/test";
if (createFailpathClient({ enabled: false }).stats.recorded !== 0) throw new Error("failpath");
if (loop({ name: "a", run: () => 1 }).kind !== "workflow") throw new Error("loops");
if (durablex.workflow({ name: "a" }, () => 1).kind !== "workflow") throw new Error("durablex");
if (questpie.workflow({ name: "a", handler: () => 1 }).kind !== "workflow") throw new Error("questpie");
if ((await createTelemetryClient({ enabled: false }).run("a", { runId: "1" }).step("s", () => 7)) !== 7) {
  throw new Error("telemetry");
}
if (workflow({ name: "a" }, () => 1).name !== "a" || StepError.is(1)) throw new Error("import");
await (await TestServer.start()).stop();
JS
node use.mjs
echo "import works on Node $(node --version)"

cat >use.cjs <<'JS'
const { StepError, workflow } = require("stepwell");
if (typeof require("stepwell/test").Test !== "function") throw new Error("require of the test kit");
if (typeof require("stepwell/telemetry").createTelemetryClient !== "function") throw new Error("telemetry");
for (const name of ["failpath", "loops", "durablex", "questpie"]) {
  if (require(`stepwell/dialects/${name}`).stepStatus("running") !== "running") throw new Error(name);
}
if (workflow({ name: "a" }, () => 1).name !== "a" || StepError.is(1)) throw new Error("require");
JS
node use.cjs
echo "require works on Node $(node --version)"

cat >use.mts <<'TS'
import { client, type Duration, StepError, workflow } from "stepwell";
import { createFailpathClient } from "stepwell/dialects/failpath";
import { loop } from "stepwell/dialects/loops";
import * as durablex from "stepwell/dialects/durablex";
import * as questpie from "stepwell/dialects/questpie";
import { createTelemetryClient } from "stepwell/telemetry";
import { TestServer } from "stepwell/test";
const two = loop({ name: "two", run: async ({ step }) => (await step.waitForScan()).gate as number });
const three = durablex.workflow({ name: "three" }, async ({ step }) => {
  const n: number = await step.run("a", { n: 1 }, (input) => input.n);
  return n;
});
const four = questpie.workflow({
  name: "four",
  handler: async ({ step }) => {
    const made = await step.run("a", { compensate: async () => void made.id }, async () => ({ id: 7 }));
    made.id satisfies number;
  },
});
const one = workflow({ name: "one" }, async ({ step }) => {
  const saved = await step.run("a", () => ({ at: new Date(0) }));
  saved.at satisfies string;
  // @ts-expect-error
  await step.sleep("b", "5 parsecs");
});
const observed: Promise<number> = createTelemetryClient().run("a", { runId: "1" }).step("s", () => 7);
const failpath = createFailpathClient().run("a", { runId: "1" });
export const all = [client, StepError, TestServer, observed, failpath, one, two, three, four, "1d12h" satisfies Duration];
TS

cat >use.cts <<'TS'
import stepwell = require("stepwell");
export const one = stepwell.workflow({ name: "one" }, () => 1);
TS

# Before the compiler's own needs are there: what people get who install the package.
installed=$(npm ls --all --parseable 2>/dev/null | tail -n +2)
for path in $installed; do
    name=$(node -p 'const p = require(process.argv[1]); `${p.name} ${p.version}`' "$path/package.json")
    echo "installed: $name, $(find "$path" -type f -printf '%s\n' | awk '{ n += $1 } END { print int(n / 1024) }') KiB unpacked"
done
names=$(for path in $installed; do echo "${path##*/node_modules/}"; done | sort | xargs)
wanted="@stepwell/linux-x64 stepwell ws"
[ "$names" = "$wanted" ] || { echo "error: installed are $names; wanted: $wanted" >&2 && exit 1; }
echo "dependencies: 1 (ws), and 1 that is optional (@stepwell/linux-x64)"

mkdir -p node_modules/@types && cp -r "$here/node_modules/@types/node" node_modules/@types/
cp -r "$here/node_modules/undici-types" node_modules/
for resolution in nodenext bundler; do
    module=$([ "$resolution" = bundler ] && echo preserve || echo nodenext)
    # A bundler has no `import = require`.
    files=(use.mts)
    [ "$resolution" = bundler ] || files+=(use.cts)
    node "$tsc" --noEmit --strict --module "$module" --moduleResolution "$resolution" \
        --target es2022 --lib es2022,esnext.disposable --types node "${files[@]}"
    echo "types resolve with $resolution: ${files[*]}, TypeScript $(node "$tsc" --version | cut -d ' ' -f 2)"
done
