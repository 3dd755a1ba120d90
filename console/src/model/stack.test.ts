import { expect, test } from "vitest";
import { stackOf } from "./stack.ts";
import { cliOf, curlOf } from "./take.ts";
import { run } from "./testing.ts";

test("frames of libraries and the runtime are told from the owner's", () => {
  const stack = [
    "PaymentError: 502",
    "    at capture (src/payments/acquirer.ts:88:11)",
    "    at Step.execute (/app/node_modules/stepwell/dist/x.js:1:1)",
    "    at process.processTimers (node:internal/timers:516:9)",
    "    at async charge (src/checkout.ts:41:20)",
  ].join("\n");
  const { own, others } = stackOf(stack);
  expect(own).toEqual([
    "at capture (src/payments/acquirer.ts:88:11)",
    "at async charge (src/checkout.ts:41:20)",
  ]);
  expect(others).toHaveLength(2);
});

test("a stack of another language is shown as it is", () => {
  expect(stackOf("error\n  0: shop::charge\n  1: main").own).toEqual([
    "  0: shop::charge",
    "  1: main",
  ]);
});

test("commands to copy quote what a shell would read", () => {
  const hostile = run([], { id: "run_'; rm -rf ~" });
  expect(cliOf(hostile, "http://127.0.0.1:7878")).toBe(
    "stepwell runs show 'run_'\\''; rm -rf ~' --url http://127.0.0.1:7878",
  );
  expect(curlOf(run([], { id: "run_01" }), "http://127.0.0.1:7878")).toBe(
    "curl -s http://127.0.0.1:7878/api/v1/runs/run_01",
  );
});
