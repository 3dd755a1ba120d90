import { Writable } from "node:stream";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { consoleLog, pinoLog, storedText } from "./log.js";
import type { LogLine } from "./types/index.js";

const line: LogLine = {
  level: "warn",
  message: "slow",
  fields: { ms: 7 },
  from: { app: "shop", workflow: "checkout", run: "run_1", step: "charge", attempt: 2 },
};

describe("log bridges", () => {
  it("show lines on the console from a level on", () => {
    const shown: unknown[][] = [];
    const method =
      (level: string) =>
      (...args: unknown[]) =>
        void shown.push([level, ...args]);
    const to = {
      debug: method("debug"),
      info: method("info"),
      warn: method("warn"),
      error: method("error"),
    };
    const bridge = consoleLog({ level: "warn", to });
    bridge(line);
    bridge({ ...line, level: "info" });
    bridge({ level: "error", message: "gone", from: {} });
    expect(shown).toEqual([
      ["warn", "[checkout run_1 charge] slow", { ms: 7 }],
      ["error", "[stepwell] gone"],
    ]);
  });

  /** §2.2: lines keep what they say about themselves on their way to another logger. */
  it("give lines to pino with their place", () => {
    let written = "";
    const to = new Writable({
      write(chunk, _, done) {
        written += String(chunk);
        done();
      },
    });
    pinoLog(pino({ level: "debug" }, to))(line);
    expect(JSON.parse(written)).toMatchObject({
      level: 40,
      msg: "slow",
      ms: 7,
      app: "shop",
      workflow: "checkout",
      run: "run_1",
      step: "charge",
      attempt: 2,
    });
  });

  it("store a line's fields as text, whatever they are", () => {
    expect(storedText({ message: "a" })).toBe("a");
    expect(storedText({ message: "a", fields: {} })).toBe("a");
    expect(storedText({ message: "a", fields: { n: 1n, error: new TypeError("no") } })).toBe(
      'a {"n":"1","error":"TypeError: no"}',
    );
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    expect(storedText({ message: "a", fields: cycle })).toBe("a {…}");
  });
});
