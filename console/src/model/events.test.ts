import { expect, test } from "vitest";
import { effectOf, readEvent, readEvents, scopeOf, sidesOf } from "./events.ts";

const plain = (text: string) => text.replaceAll("\u00a0", " ");

test.each([
  [1, 2, false, "started 1 run, woke 2 waits"],
  [0, 1, false, "woke 1 wait"],
  [1000, 0, true, "started 1,000 runs, and more"],
  [0, 0, false, "nothing"],
])(
  "an event that started %s runs and woke %s waits, more: %s, did %s",
  (runs, waits, more, did) => {
    expect(plain(effectOf(runs, waits, more))).toBe(did);
  },
);

test("an event is for all, or for who it names", () => {
  const all = { app: null, workflow: null, run: null, key: null };
  expect(scopeOf(all)).toBeNull();
  expect(scopeOf({ ...all, app: "shop", run: "run_00000000012345" })).toBe(
    "app shop and run …12345",
  );
});

test("a near miss shows the part that differs on both sides", () => {
  const miss = { run: "run_1", step: "pay", path: "orderId", expected: '"a"', found: '"b"' };
  expect(sidesOf(miss)).toEqual({ wanted: 'orderId "a"', had: 'orderId "b"' });
  expect(sidesOf({ ...miss, found: null }).had).toBe("no orderId");
});

test("answers of another kind are refused", () => {
  expect(() => readEvents({})).toThrow(TypeError);
  expect(() => readEvent({ id: "x" })).toThrow(TypeError);
});
