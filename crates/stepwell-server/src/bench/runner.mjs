// The bench's workflows on Node; `workflows.rs` has the same in Rust.
import { app, unchecked, workflow } from "stepwell";

const [url, name] = process.argv.slice(1);

const us = (from) => Math.round((performance.now() - from) * 1e3);
const nowUs = () => Math.round((performance.timeOrigin + performance.now()) * 1e3);
const define = (name, handler) => workflow({ name, input: unchecked() }, handler);

const steps = define("steps", async ({ input: count, step }) => {
  const took = [];
  let value = 0;
  for (let number = 0; number < count; number++) {
    const begun = performance.now();
    value = await step.run(`step-${number}`, () => value + 1);
    took.push(us(begun));
  }
  return took;
});

const noop = define("noop", ({ input }) => Promise.resolve(input));

const fanout = define("fanout", async ({ input: count, step }) => {
  const begun = performance.now();
  const branch = (_, number) => step.run(`branch-${number}`, () => number);
  await Promise.all(Array.from({ length: count }, branch));
  return us(begun);
});

const parked = define("parked", async ({ step }) => {
  await step.sleep("park", "1h");
});

const replayed = define("replayed", async ({ input: count, step }) => {
  const begun = performance.now();
  let called = 0;
  for (let number = 0; number < count; number++) {
    await step.run(`step-${number}`, () => {
      called += 1;
      return number;
    });
  }
  const took = us(begun);
  await step.waitForEvent("wait", { event: "go-on" });
  return { us: took, called };
});

// As `wanted` in `events.rs`.
const wanted = (number) =>
  [
    { order: number },
    { order: { customer: { number } } },
    { kind: "paid", order: number },
  ][number % 3];

const awaiting = define("awaiting", async ({ input: number, step }) => {
  const event = await step.waitForEvent("wait", { event: "bench", match: wanted(number) });
  return Math.max(0, nowUs() - event.at_us);
});

const tally = { runs: 0, last_us: 0 };

const herd = define("herd", async ({ step }) => {
  await step.waitForEvent("wait", { event: "herd" });
  tally.runs += 1;
  tally.last_us = nowUs();
});

const woken = define("woken", () => Promise.resolve({ ...tally }));

const workflows = [steps, noop, fanout, parked, replayed, awaiting, herd, woken];
const runner = await app(name, { workflows }).serve({ url, slots: 4096 });
// The bench holds the other end of the standard input: this ends however the bench does.
process.stdin.resume().on("end", () => void runner.stop({ timeout: "1s" }));
await runner.closed;
