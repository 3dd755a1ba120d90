/**
 * Fills a server, so that people can look at the console by hand, and serves its runs until it is stopped:
 *
 * ```sh
 * npm run workshop -- --url http://127.0.0.1:7878 [--steps 9998] [--hostile] [--live]
 * ```
 *
 * `--live` goes on with some orders a second; `--steps` closes the books with so many steps; `--hostile` adds
 * runs whose names and payloads want to be more than text.
 */

import { parseArgs } from "node:util";
import { Crew } from "./crew.ts";
import { order } from "./people.ts";
import { ledger, play, playHostile, stageOn } from "./story.ts";

const { values } = parseArgs({
  options: {
    url: { type: "string", default: process.env.STEPWELL_URL ?? "http://127.0.0.1:7878" },
    steps: { type: "string" },
    hostile: { type: "boolean", default: false },
    live: { type: "boolean", default: false },
  },
});

const stopped = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stopped.abort());
const ended = new Promise<void>((resolve) => {
  stopped.signal.addEventListener("abort", () => resolve());
});

const crew = new Crew(values.url);
const stage = stageOn(crew);
try {
  await fill();
  say("Everything stands. The runners serve until this is stopped.");
  if (values.live) void goOn();
  await ended;
} finally {
  await crew.end();
}

/** Plays what was asked for, and says where it is found. */
async function fill(): Promise<void> {
  for (const [scene, run] of await play(stage)) say(`${scene.padEnd(14)} /runs/${run.id}`);
  if (values.steps !== undefined) {
    const { id } = await ledger(stage, Number(values.steps));
    say(`${"ledger".padEnd(14)} /runs/${id}`);
  }
  if (values.hostile)
    for (const id of await playHostile(stage)) say(`${"hostile".padEnd(14)} /runs/${id}`);
}

/** Starts orders, one after another, as long as the program runs. */
async function goOn(): Promise<void> {
  for (let n = 100; !stopped.signal.aborted; n++) {
    const more = n % 9 === 0 ? { carrier: "polar" } : { bankBusy: n % 4 };
    await stage.stepwell.start("checkout", order(n, more), { app: "shop" });
    await new Promise((resolve) => setTimeout(resolve, 700 + ((n * 37) % 900)));
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
