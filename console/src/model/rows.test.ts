import { expect, test } from "vitest";
import { contentsOf } from "./contents.ts";
import { type Row, rowsOf } from "./rows.ts";
import { fan, iso, run, step, ZERO } from "./testing.ts";

const ALL = { text: "", failuresOnly: false };
const none: ReadonlySet<string> = new Set();

function short(row: Row): string {
  if (row.type === "step") return `${row.step.id} ${row.bracket}`;
  if (row.type === "fanOut") return `${row.fanOut.prefix}* x${row.fanOut.steps.length}`;
  if (row.type === "idle") return `idle ${row.ms}`;
  return row.type === "act" ? row.note.what : row.type;
}

const MINUTE = 60_000;
const steps = [
  step("load", 0, 90),
  step("a", 100, 200, { after: ["load"] }),
  step("b", 100, 200, { after: ["load"] }),
  step("nap", 200, 200 + MINUTE, { kind: "sleep", attempts: [], after: ["a", "b"] }),
  step("ship", 200 + MINUTE, 300 + MINUTE, { after: ["nap"], status: "failed" }),
  step("compensate\u001fa", 400 + MINUTE, 500 + MINUTE, { kind: "compensate", after: ["ship"] }),
];

test("idle time, acts and clean-up stand at their time between the steps", () => {
  const history = [
    { at: iso(30_000), what: "paused", by: "ann", detail: "stock count" },
    { at: iso(MINUTE + 350), what: "failed", by: null, detail: null },
  ];
  const rows = rowsOf(contentsOf(run(steps, { history })), ALL, none, ZERO + 2 * MINUTE);
  expect(rows.map(short)).toEqual([
    "load none",
    "a begin",
    "b end",
    "nap none",
    "paused",
    "idle 60000",
    "ship none",
    "cleanUp",
    "compensate\u001fa none",
  ]);
});

test("a filter by name shows matching steps alone", () => {
  const rows = rowsOf(contentsOf(run(steps)), { text: "SHI", failuresOnly: false }, none, ZERO);
  expect(rows.map(short)).toEqual(["ship none"]);
});

test("failures only shows what failed, also inside of a fan-out", () => {
  const all = [step("load", 0, 90), ...fan("charge:", 1000, [7, 900])];
  const rows = rowsOf(contentsOf(run(all)), { text: "", failuresOnly: true }, none, ZERO);
  expect(rows.map(short)).toEqual(["charge:7 none", "charge:900 none"]);
});

test("a fan-out is one row, and opens in place with what failed first", () => {
  const contents = contentsOf(run([step("load", 0, 90), ...fan("charge:", 1000, [7])]));
  const closed = rowsOf(contents, ALL, none, ZERO);
  expect(closed.map(short)).toEqual(["load none", "charge:* x1000"]);
  const key = closed[1]?.type === "fanOut" ? closed[1].fanOut.key : "";
  const open = rowsOf(contents, ALL, new Set([key]), ZERO);
  expect(open).toHaveLength(1002);
  expect(open.slice(2, 4).map(short)).toEqual(["charge:7 none", "charge:0 none"]);
});

test("every row has a key of its own", () => {
  const contents = contentsOf(run([...steps, ...fan("charge:", 20)]));
  const fanOut = [...contents.fanOuts.keys()];
  const rows = rowsOf(contents, ALL, new Set(fanOut), ZERO + 2 * MINUTE);
  expect(new Set(rows.map((row) => row.key)).size).toBe(rows.length);
});
