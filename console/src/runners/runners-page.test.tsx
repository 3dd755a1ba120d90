// @vitest-environment happy-dom

import { QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen, within } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { makeQueryClient } from "../api/query-client.ts";
import { session } from "../api/session.ts";
import { iso, meAs } from "../model/testing.ts";
import { RunnersPage } from "./runners-page.tsx";

vi.mock("../live/stream.ts", () => ({
  onChanges: () => () => undefined,
  useConnection: () => ({ state: "live", asOf: null, retryAt: null }),
}));

const runner = (more: object) => ({
  app: "shop",
  name: "blue",
  instance: "i-1",
  sdk: "rust/0.1.0",
  build: null,
  connectedAt: iso(0),
  seenAt: iso(0),
  slots: 8,
  busy: 3,
  held: 5,
  draining: false,
  workflows: ["checkout@1"],
  ...more,
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

function show(runners: readonly object[]): void {
  vi.stubGlobal("fetch", () => Promise.resolve(new Response(JSON.stringify({ runners }))));
  render(
    <QueryClientProvider client={makeQueryClient()}>
      <RunnersPage />
    </QueryClientProvider>,
  );
}

test("a runner is a row with its slots, a cell each, and what it holds", async () => {
  show([runner({ draining: true })]);
  const row = await screen.findByRole("row", { name: /blue/ });
  expect(row.textContent).toContain("3 of 8");
  expect(row.querySelectorAll(".slot")).toHaveLength(8);
  expect(row.querySelectorAll(".slot.used")).toHaveLength(3);
  expect(within(row).getByText("draining")).toBeDefined();
});

test("many slots are a bar, not a cell each", async () => {
  show([runner({ slots: 500, busy: 250 })]);
  const row = await screen.findByRole("row", { name: /blue/ });
  expect(row.querySelectorAll(".slot").length).toBeLessThan(3);
  expect(row.textContent).toContain("250 of 500");
});

test("versions that run side by side are marked, and lead to the runs of their workflow", async () => {
  show([
    runner({ name: "blue", workflows: ["checkout@1", "refund@1"] }),
    runner({ name: "green", workflows: ["checkout@2", "refund@1"] }),
  ]);
  const blue = await screen.findByRole("row", { name: /blue/ });
  expect([...blue.querySelectorAll(".mixed")].map((one) => one.textContent.trim())).toEqual(["1"]);
  const link = within(blue).getByRole("link", { name: /checkout/ });
  expect(link.getAttribute("href")).toBe("/runs?app=shop&wf=checkout");
});

test("without runners the page teaches how to connect one", async () => {
  show([]);
  await screen.findByText("No runner is connected.");
});

test("a runner is taught to show a key where one is asked for", async () => {
  session.assume(meAs("operator"));
  show([]);
  await screen.findByText(/takes one of the role worker from the variable STEPWELL_KEY/);
});
