import { describe, expect, test } from "vitest";
import { contentsOf } from "./contents.ts";
import { graphOf } from "./graph.ts";
import { questionOf, shapeOf } from "./graph-view.ts";
import { observedContents, stepsOfObserved, withBeside } from "./observed-run.ts";
import { place } from "./placement.ts";
import { rowsOf } from "./rows.ts";
import { sentenceOf } from "./sentence.ts";
import { spansOf, tookOf } from "./spans.ts";
import { kindWords } from "./step-words.ts";
import { iso, run, step, ZERO } from "./testing.ts";
import { BROKEN, call, observed, seen } from "./testing-observed.ts";
import { timesOf } from "./timeline.ts";

const ALL = { text: "", failuresOnly: false };
const contents = observedContents(BROKEN);
const byKey = (key: string) => {
  const found = contents.byId.get(key);
  if (found === undefined) throw new Error(`no step ${key}`);
  return found;
};

describe("an observed run as the views take it", () => {
  test("declared steps come in the order of the declaration, the others behind them", () => {
    const keys = contents.steps.map(({ id }) => id);
    expect(keys).toEqual(["fetch", "dedupe", "write", "audit", "publish", "map-sku"]);
  });

  /** §10.5: what was left out, forgotten, or not come to is told apart. */
  test("a step says how often it was called, or why it was not", () => {
    expect(contents.steps.map((one) => kindWords(one).replaceAll("\u00a0", " "))).toEqual([
      "1 call",
      "missing: not called, not skipped",
      "3 calls, the last failed",
      "skipped",
      "not reached, behind write",
      "1 call",
    ]);
  });

  test("a failed step has the error of its last call, another has none", () => {
    expect(byKey("write").error?.name).toBe("TimeoutError");
    expect(byKey("fetch").error).toBeNull();
  });

  test("its sentence is the server's, word for word", () => {
    const text = sentenceOf(contents.run).map((part) => ("text" in part ? part.text : ""));
    expect(text.join("")).toBe(BROKEN.why.replaceAll("`", ""));
  });

  test("steps that did not change stay the same objects", () => {
    const known = new WeakMap();
    const [first] = stepsOfObserved(BROKEN, known);
    const [again] = stepsOfObserved({ ...BROKEN, lastAt: iso(5000) }, known);
    expect(again).toBe(first);
  });

  test("calls may overlap: each is a span, and nothing is known of the time between", () => {
    expect(spansOf(byKey("write"), ZERO).map((span) => span.kind)).toEqual(["work", "work", "end"]);
    expect(spansOf(byKey("dedupe"), ZERO)).toEqual([]);
    expect(spansOf(byKey("audit"), ZERO).map((span) => span.kind)).toEqual(["point"]);
  });

  test("an open step has been open since its oldest open call", () => {
    const [open] = stepsOfObserved(
      observed([seen("charge", [call(1, 0, 50), call(2, 100, null), call(3, 200, null)])]),
    );
    expect(open && tookOf(open, ZERO + 700)).toEqual({ ms: 600, open: true, from: ZERO + 100 });
  });

  test("many calls took from the first to the last, a failed step what its last call took", () => {
    const took = (one: ReturnType<typeof stepsOfObserved>[number] | undefined) =>
      one && tookOf(one, ZERO)?.ms;
    const [many] = stepsOfObserved(observed([seen("parse", [call(1, 0, 40), call(2, 20, 90)])]));
    expect([took(many), took(byKey("write")), took(byKey("fetch"))]).toEqual([90, 300, 100]);
    expect(took(byKey("dedupe"))).toBeUndefined();
  });

  test("nothing is said to be idle between steps of code that runs outside", () => {
    const later = observed([seen("a", [call(1, 0, 10)]), seen("b", [call(1, 90_000, 90_010)])]);
    const rows = rowsOf(observedContents(later), ALL, new Set(), ZERO);
    expect(rows.map((row) => row.type)).toEqual(["step", "step"]);
  });

  test("the timeline ends with the last event, not when the run was counted as ended", () => {
    const ended = observed([seen("a", [call(1, 0, 10)])], {
      lastAt: iso(10),
      endedAt: iso(60_010),
    });
    const { whole } = timesOf(observedContents(ended), Number.POSITIVE_INFINITY);
    expect(whole).toEqual({ from: ZERO, to: ZERO + 10 });
  });
});

describe("its list", () => {
  test("a heading stands before steps that nobody declared", () => {
    const rows = rowsOf(contents, ALL, new Set(), ZERO);
    expect(rows.map((row) => row.type)).toEqual([...Array(5).fill("step"), "heading", "step"]);
  });

  test("no step stands out where nothing is declared", () => {
    const learned = observed([seen("a", [call(1, 0, 10)], { declared: false })], {
      declared: false,
    });
    const rows = rowsOf(observedContents(learned), ALL, new Set(), ZERO);
    expect(rows.map((row) => row.type)).toEqual(["step"]);
  });

  test("failures only shows what failed and what is missing", () => {
    const rows = rowsOf(contents, { text: "", failuresOnly: true }, new Set(), ZERO);
    expect(rows.map((row) => row.key)).toEqual(["dedupe", "write"]);
  });
});

describe("its graph", () => {
  const graph = graphOf(contents);

  test("has the declared edges, and shapes that say what was not called", () => {
    expect(graph.edges).toEqual([
      { from: ["fetch"], to: ["dedupe"] },
      { from: ["dedupe"], to: ["write", "audit"] },
      { from: ["write"], to: ["publish"] },
    ]);
    const shapes = graph.nodes.map((node) => [node.id, shapeOf(node)]);
    expect(Object.fromEntries(shapes)).toEqual({
      fetch: "run",
      dedupe: "missing",
      write: "run",
      audit: "skip",
      publish: "notReached",
      "map-sku": "run",
    });
  });

  test("what nobody declared stands aside, at the right of all others", () => {
    const { places, asideX } = place(questionOf(graph, []));
    const aside = places.find((one) => one.id === "map-sku");
    const others = places.filter((one) => one.id !== "map-sku");
    const right = Math.max(...others.map((one) => one.x + one.width));
    expect(asideX).toBeGreaterThan(right);
    expect(aside?.x).toBeGreaterThan(asideX ?? Number.POSITIVE_INFINITY);
  });

  test("stays put: another run of the flow has its steps at the same places", () => {
    const done = observed(
      BROKEN.steps.filter((one) => one.declared).map((one) => ({ ...one, status: "completed" })),
      { edges: BROKEN.edges },
    );
    const at = (one: typeof BROKEN) =>
      place(questionOf(graphOf(observedContents(one)), []))
        .places.filter(({ id }) => id !== "map-sku")
        .map(({ id, x, y }) => [id, x, y]);
    expect(at(done)).toEqual(at(BROKEN));
  });

  test("where nothing is declared, steps stand below those that ended before they began", () => {
    const learned = observed(
      [
        seen("load", [call(1, 0, 10)], { declared: false }),
        seen("a", [call(1, 20, 60)], { declared: false }),
        seen("b", [call(1, 30, 50)], { declared: false }),
        seen("end", [call(1, 70, 80)], { declared: false }),
      ],
      { declared: false },
    );
    expect(graphOf(observedContents(learned)).edges).toEqual([
      { from: ["load"], to: ["a", "b"] },
      { from: ["a", "b"], to: ["end"] },
    ]);
  });
});

describe("beside a durable run", () => {
  const durable = contentsOf(run([step("fetch", 0, 10)]));
  const own = withBeside(durable, [BROKEN]);

  test("observed steps are a group with a heading, and do not mix with its own of the same name", () => {
    const rows = rowsOf(own, ALL, new Set(), ZERO);
    expect(rows.map((row) => row.type)).toEqual([...["step", "heading"], ...Array(6).fill("step")]);
    expect(rows[2]?.key).toBe("observed import-orders req_1\u001ffetch");
    expect(own.byId.get("fetch")).toBe(durable.byId.get("fetch"));
    expect(own.byId.has("observed import-orders req_1\u001ffetch")).toBe(true);
  });

  test("the timeline begins with what began first", () => {
    const earlier = observed([seen("a", [call(1, -5000, -4000)])], { startedAt: iso(-5000) });
    expect(timesOf(withBeside(own, [earlier]), ZERO).whole.from).toBe(ZERO - 5000);
  });
});
