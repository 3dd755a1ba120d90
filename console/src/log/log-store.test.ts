import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Change } from "../live/stream.ts";
import type { LogRecord } from "../model/log.ts";
import { LogStore } from "./log-store.ts";

const listeners = vi.hoisted(() => new Set<(change: Change) => void>());
vi.mock("../live/stream.ts", () => ({
  onChanges: (listener: (change: Change) => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
}));

const PAGE = 500;
let journal = 0;
let away = false;
const asked: string[] = [];

const record = (n: number): LogRecord => ({
  n,
  at: null,
  kind: "woken",
  content: {},
  journalBytes: n,
});

beforeEach(() => {
  vi.useFakeTimers();
  [journal, away] = [0, false];
  asked.length = 0;
  vi.stubGlobal("fetch", async (path: string) => {
    asked.push(path);
    if (away) throw new TypeError("failed");
    const after = Number(new URLSearchParams(path.split("?")[1]).get("cursor") ?? 0);
    const length = Math.min(PAGE, journal - after);
    const records = Array.from({ length }, (_, at) => record(after + at + 1));
    return Response.json({ records, next: after + length < journal ? `${after + length}` : null });
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function open() {
  const store = new LogStore("run_1");
  return { store, end: store.subscribe(() => undefined) };
}

const settle = async () => await vi.advanceTimersByTimeAsync(1000);
const change = (run: string): Change => ({
  runs: new Map([[run, 1]]),
  others: false,
  events: false,
  runners: false,
  flows: false,
});
const hear = (run: string) => {
  for (const listener of listeners) listener(change(run));
};
const numbers = (store: LogStore) => store.state().records.map(({ n }) => n);

test("pages join without a gap, and are asked for when they are wanted", async () => {
  journal = 1200;
  const { store, end } = open();
  await settle();
  expect(store.state()).toMatchObject({ behind: "more", error: null });
  expect(numbers(store)).toHaveLength(500);
  store.more();
  await settle();
  store.more();
  await settle();
  expect(numbers(store)).toEqual(Array.from({ length: 1200 }, (_, at) => at + 1));
  expect(store.state().behind).toBe("end");
  store.more();
  await settle();
  expect(asked).toHaveLength(3);
  end();
});

test("what is written later comes behind what was read, and nothing is read twice", async () => {
  journal = 2;
  const { store, end } = open();
  await settle();
  journal = 4;
  hear("run_2");
  await settle();
  expect(numbers(store)).toEqual([1, 2]);
  hear("run_1");
  hear("run_1");
  await settle();
  expect(numbers(store)).toEqual([1, 2, 3, 4]);
  expect(asked.map((path) => /cursor=\d+/.exec(path)?.[0])).toEqual([undefined, "cursor=2"]);
  end();
  journal = 5;
  hear("run_1");
  await settle();
  expect(asked).toHaveLength(2);
});

test("what is written while it is asked for is asked for once more", async () => {
  journal = 1;
  const { store, end } = open();
  hear("run_1");
  journal = 2;
  await settle();
  expect(numbers(store)).toEqual([1, 2]);
  end();
});

test("a question without an answer is told, keeps what was read, and is asked again", async () => {
  journal = 600;
  const { store, end } = open();
  await settle();
  away = true;
  store.more();
  await settle();
  expect(store.state()).toMatchObject({ behind: "failed", error: { status: 0 } });
  expect(numbers(store)).toHaveLength(500);
  away = false;
  store.again();
  await settle();
  expect(store.state()).toMatchObject({ behind: "end", error: null });
  expect(numbers(store)).toHaveLength(600);
  end();
});
