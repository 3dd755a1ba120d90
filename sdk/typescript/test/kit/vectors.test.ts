import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { parseDuration } from "../../src/index.js";
import { RETRY_DEFAULT, type RetryPolicy } from "../../src/retry.js";
import { matches } from "../../src/test/index.js";
import { activation } from "../../src/test/node/activation.js";
import { Node } from "../../src/test/node/node.js";
import { nextPause } from "../../src/test/node/pause.js";
import type { FromRunner } from "../../src/test/node/said.js";

type Word = Readonly<Record<string, { readonly step: string } & Readonly<Record<string, unknown>>>>;

interface Case {
  readonly name: string;
  readonly messages: readonly Word[];
}

interface ReplayCase extends Case {
  readonly then: "lost" | "released";
  readonly passMs?: number;
  readonly ended: readonly object[];
  readonly open: readonly { readonly step: string; readonly dueInMs?: number }[];
}

interface OrderCase extends Case {
  readonly ends: readonly object[];
  readonly positions: readonly string[];
}

function spec(name: string): string {
  return readFileSync(new URL(`../../../../spec/${name}.json`, import.meta.url), "utf8");
}

function casesOf<T>(name: string): readonly T[] {
  return JSON.parse(spec(name)).cases;
}

/** A stand-in whose process says what a vector says. */
class Told {
  readonly node: Node = new Node("shop", [{ name: "w", strict: false }], 5_000_000);
  readonly #opened: Set<string> = new Set();

  constructor() {
    this.node.connect("r");
    this.node.start("w", {});
  }

  pass(millis: number): void {
    this.node.now += millis * 1_000;
    this.node.onTime();
  }

  hear(word: Word): void {
    if (typeof word.passMs === "number") {
      this.pass(word.passMs);
      return;
    }
    const [name = "", said] = Object.entries(word)[0] ?? [];
    if (said === undefined) return;
    const { forMs, maxAttempts, ...rest } = said;
    const kind = name === "sleep" || name === "skip" ? name : "run";
    const isNew = !this.#opened.has(said.step);
    this.#opened.add(said.step);
    const body = {
      a: 1,
      agoUs: 0,
      startedAgoUs: 0,
      endedAgoUs: 0,
      ...rest,
      retry: { jitter: false, ...(maxAttempts !== undefined && { maxAttempts }) },
      ...(typeof forMs === "number" && { forUs: forMs * 1_000 }),
      ...(isNew && { open: { kind, after: 0, agoUs: 0 } }),
    };
    // A vector says it in the protocol's words.
    this.node.onMessage({ [name]: body } as FromRunner);
  }

  /** What the next process is given. */
  given(): ReturnType<typeof activation> {
    const [run] = this.node.runs.values();
    if (run === undefined) throw new Error("there is no run");
    return activation(run, 2, this.node.now);
  }
}

/** §4.2, §4.4, §6.1: what is given of a run to the process that takes it over. */
it.each(casesOf<ReplayCase>("replay"))("the stand-in gives: $name", (one) => {
  const told = new Told();
  for (const message of one.messages) told.hear(message);
  if (one.then === "lost") {
    told.node.disconnect();
  } else {
    const [run] = told.node.runs.values();
    told.node.onMessage({ released: { a: 1, seen: run?.ends.length ?? 0 } });
    told.pass(one.passMs ?? 0);
  }
  const { ended = [], open = [] } = told.given();
  expect(ended).toMatchObject(one.ended);
  expect(ended).toHaveLength(one.ended.length);
  const due = open.map(({ step, kind, attempts, dueInUs }) => {
    const wanted = one.open.find((known) => known.step === step)?.dueInMs;
    return {
      step,
      kind,
      attempts,
      ...(wanted !== undefined && { dueInMs: (dueInUs ?? 0) / 1_000 }),
    };
  });
  expect(due).toEqual(one.open);
});

/** §3.5, §5.4: ends and positions have the order that the server's core gives them. */
it.each(casesOf<OrderCase>("settle-order"))("the stand-in orders: $name", (one) => {
  const told = new Told();
  for (const message of one.messages) told.hear(message);
  const [run] = told.node.runs.values();
  const ends = told.given().ended?.map(({ step, status, output, error }) => {
    return { step, status, ...(output !== undefined && { output }), ...(error && { error }) };
  });
  expect(ends).toEqual(one.ends);
  expect(run?.steps.map((step) => step.id)).toEqual(one.positions);
});

/** §6.1: pauses have their greatest length. */
it("the stand-in pauses as the vectors say", () => {
  const cases: { policy: Partial<RetryPolicy>; pausesMs: number[] }[] = JSON.parse(spec("retry"));
  for (const { policy, pausesMs } of cases) {
    const whole = { ...RETRY_DEFAULT, ...policy };
    const pauses = Array.from({ length: 20 }, (_, at) => nextPause(whole, at + 1));
    expect(pauses.filter((pause) => pause !== undefined)).toEqual(pausesMs);
  }
});

/** §8.2, §11: waits and clocks of tests read what the vectors say. */
it("the stand-in matches and counts time as the vectors say", () => {
  const matching = casesOf<{ match: string; event: string; matches: boolean }>("matching");
  // Numbers that floats do not hold are looked at as texts, in the tests of matching itself.
  const plain = matching.filter(({ match, event }) => !/\d{16}|[eE][+-]?\d{3}/.test(match + event));
  expect(plain.length).toBeGreaterThan(30);
  for (const one of plain) {
    expect([one, matches(JSON.parse(one.match), JSON.parse(one.event))]).toEqual([
      one,
      one.matches,
    ]);
  }
  const { accepted }: { accepted: [string, number][] } = JSON.parse(spec("durations"));
  for (const [text, micros] of accepted) expect(parseDuration(text)).toBe(micros / 1_000);
});
