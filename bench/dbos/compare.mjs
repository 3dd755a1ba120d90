/**
 * Shows what `stepwell bench` and DBOS measured on the same PostgreSQL, from a file with an object of JSON a line.
 * Fails where a mark is missed, or something was not measured.
 */

import { readFileSync } from "node:fs";

const lines = readFileSync(process.argv[2], "utf8").trim().split("\n").map((line) => JSON.parse(line));
const summary = lines.find((line) => line.rows !== undefined);
const measured = lines.filter((line) => line.workload !== undefined);
const missed = [...(summary?.missed ?? ["`stepwell bench all` told nothing"])];

const database = measured.find((line) => line.database !== undefined)?.database;
const settings = Object.entries(database?.settings ?? {}).map(([name, value]) => `${name} ${value}`);
console.log(`PostgreSQL ${database?.version}: ${settings.join(", ")}\n`);

const median = (workload, figure) =>
  summary?.rows.find((row) => row.workload === workload && row.figure === figure)?.median;
const dbos = measured.filter((line) => line.system === "dbos");
const best = dbos
  .filter((line) => line.workload === "throughput")
  .reduce((one, other) => (other.steps_per_s > one.steps_per_s ? other : one), { steps_per_s: 0 });
const onNode = measured.find((line) => line.runner === "node" && line.workload === "throughput");
const figures = {
  "steps/s, one node": median("throughput", "steps_per_s"),
  "steps/s, one node, runner on Node": onNode?.steps_per_s,
  "steps/s, two nodes": median("nodes", "steps_per_s"),
  "two nodes to one": median("nodes", "share"),
  "ms a step after another, p50": median("sequential", "step_p50_ms"),
  [`DBOS: steps/s (the best of ${dbos.length - 1}, with ${best.pool} connections)`]: best.steps_per_s,
  "DBOS: ms a step after another, p50": dbos.find((line) => line.workload === "sequential")?.step_p50_ms,
};
for (const [name, value] of Object.entries(figures)) {
  console.log(`${name}: ${shown(value)}`);
  if (!(value > 0)) {
    missed.push(`${name}: not measured`);
  }
}
const ratio = (ours) => (ours / best.steps_per_s).toFixed(1);
console.log(
  `to DBOS: ${ratio(figures["steps/s, one node"])} times as many steps/s, with the runner on Node` +
    ` ${ratio(onNode?.steps_per_s)} times`,
);
for (const line of measured.filter((line) => line.does_not_count !== undefined)) {
  missed.push(`${line.workload}: does not count: ${line.does_not_count}`);
}
if (missed.length > 0) {
  console.error(`not reached:\n  ${[...new Set(missed)].join("\n  ")}`);
  process.exit(1);
}

function shown(value) {
  return value === undefined ? "not measured" : value >= 100 ? value.toFixed(0) : value.toFixed(2);
}
