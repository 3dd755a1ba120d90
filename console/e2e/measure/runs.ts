/**
 * Measures the first page of every pair of filters over many stored runs, over HTTP: `npm run measure:runs`.
 * It fails where a page took longer than it may. `--runs 200000`, `--each 5`, and `--url` with what a server
 * holds already are for trying out.
 */

import { parseArgs } from "node:util";
import { Server } from "../harness/server.ts";
import { type Made, makeRuns } from "./many.ts";

/** Most time for a page, in milliseconds. */
const PAGE_MS_MAX = 100;

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "200000" },
    each: { type: "string", default: "5" },
  },
});

interface Filter {
  readonly kind: string;
  readonly name: string;
  readonly value: string;
}

interface Figure {
  readonly pair: string;
  readonly found: number;
  readonly p50: number;
  readonly max: number;
}

const server = await Server.start();
try {
  process.exitCode = await measure(server.url);
} finally {
  await server.end();
}

async function measure(url: string): Promise<number> {
  const begin = performance.now();
  const made = await makeRuns(url, Number(values.runs), say);
  const seconds = ((performance.now() - begin) / 1000).toFixed(0);
  say(`${made.runs.toLocaleString("en")} runs made in ${seconds} s`);
  const figures: Figure[] = [];
  for (const [a, b] of pairs(filters(made))) figures.push(await pageOf(url, [a, b]));
  figures.push(await pageOf(url, []));
  figures.sort((a, b) => b.max - a.max);
  for (const { pair, found, p50, max } of figures) {
    const mark = max > PAGE_MS_MAX ? "missed" : "";
    say(
      `${pair.padEnd(58)} ${String(found).padStart(3)} rows  p50 ${ms(p50)}  max ${ms(max)} ${mark}`,
    );
  }
  const missed = figures.filter(({ max }) => max > PAGE_MS_MAX);
  say(`${figures.length} pairs, ${missed.length} over ${PAGE_MS_MAX} ms`);
  return missed.length === 0 ? 0 : 1;
}

/** Filters of each kind, of which some find much, some little, and some nothing beside another one. */
function filters({ parent, middle, window }: Made): readonly Filter[] {
  const one = (kind: string, value: string, name = kind): Filter => ({ kind, name, value });
  return [
    one("app", "shop"),
    one("app", "finance"),
    one("workflow", "order-eu"),
    one("workflow", "payout-us"),
    one("workflow", "import"),
    one("status", "completed"),
    one("status", "failed"),
    one("status", "cancelled"),
    one("status", "waiting"),
    one("status", "failed,cancelled,timed_out"),
    one("key", "key-70001"),
    one("key", "key-none"),
    one("parent", parent),
    one("time", middle, "from"),
    one("time", middle, "to"),
    one("time", "1d", "from"),
    one("window", window.join(" ")),
    one("exact", "country=DE", "search"),
    one("exact", "country=PL", "search"),
    one("exact", "vip=true", "search"),
    one("exact", "half=1", "search"),
    one("range", "cents>=50000", "search"),
    one("range", "cents<500", "search"),
    one("range", "cents>=1000000", "search"),
  ];
}

function pairs(all: readonly Filter[]): readonly (readonly [Filter, Filter])[] {
  return all.flatMap((a, at) =>
    all
      .slice(at + 1)
      // Two times of one name, or two exact values of one name, are one filter.
      .filter((b) => a.kind !== b.kind || (a.name === "search" && a.value !== b.value))
      .filter((b) => !(a.kind === "time" && b.kind === "window"))
      .map((b) => [a, b] as const),
  );
}

async function pageOf(url: string, some: readonly Filter[]): Promise<Figure> {
  const query = new URLSearchParams();
  for (const { kind, name, value } of some) {
    const [from = "", to = ""] = value.split(" ");
    if (kind === "window") {
      query.set("from", from);
      query.set("to", to);
    } else query.set(name, [query.get(name), value].filter(Boolean).join(","));
  }
  const took: number[] = [];
  let found = 0;
  for (let n = 0; n < Number(values.each); n++) {
    const begin = performance.now();
    const answer = await fetch(`${url}/api/v1/runs?${query}`);
    const text = await answer.text();
    took.push(performance.now() - begin);
    if (!answer.ok) throw new Error(`${query}: ${text}`);
    found = (JSON.parse(text) as { runs: unknown[] }).runs.length;
  }
  took.sort((a, b) => a - b);
  const pair = some.map(({ name, value }) => `${name} ${short(value)}`).join(" + ") || "no filter";
  return { pair, found, p50: took[took.length >> 1] ?? 0, max: took.at(-1) ?? 0 };
}

function short(value: string): string {
  return value.length > 24 ? `${value.slice(0, 10)}…${value.slice(-8)}` : value;
}

function ms(value: number): string {
  return `${value.toFixed(1).padStart(7)} ms`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
