// @vitest-environment happy-dom

import { cleanup, fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { session } from "../api/session.ts";
import { LOCAL, meAs } from "../model/testing.ts";
import { flowRow } from "../model/testing-observed.ts";
import { FlowsPage } from "./flows-page.tsx";
import { serve, show } from "./testing.tsx";

vi.mock("../live/stream.ts", () => ({
  onChanges: () => () => undefined,
  useConnection: () => ({ state: "live", asOf: null, retryAt: null }),
}));

beforeEach(() => {
  session.assume(LOCAL);
  history.replaceState(null, "", "/flows");
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const FLOWS = [
  flowRow({ flow: "checkout", name: "Checkout", now: { running: 12, stuck: 1 } }),
  flowRow({ flow: "<b>night</b>", name: "<b>night</b>", declared: false, steps: 3 }),
];

test("a flow is a row with its runs of a day, and what is running and stuck now", async () => {
  serve({ "/flows": { flows: FLOWS } });
  show(<FlowsPage />);
  const row = await screen.findByRole("row", { name: /Checkout/ });
  const cells = [...row.querySelectorAll("td")].map((cell) => cell.textContent);
  expect(cells[0]).toBe("Checkoutcheckout");
  expect([cells[1], ...cells.slice(3)]).toEqual(["7 declared", "312", "14", "12", "1"]);
  expect(row.querySelector("a")?.getAttribute("href")).toBe("/flows/checkout");
});

test("one that nobody declared says so, and its name is text whatever it looks like", async () => {
  serve({ "/flows": { flows: FLOWS } });
  show(<FlowsPage />);
  const row = await screen.findByRole("row", { name: /night/ });
  expect(row.textContent).toContain("<b>night</b>not declared");
});

test("keys go through the flows and open one", async () => {
  serve({ "/flows": { flows: FLOWS } });
  show(<FlowsPage />);
  await screen.findByRole("row", { name: /Checkout/ });
  fireEvent.keyDown(document.body, { key: "j", code: "KeyJ" });
  fireEvent.keyDown(document.body, { key: "Enter" });
  expect(location.pathname).toBe("/flows/checkout");
});

test("a text narrows them, and stands in the address", async () => {
  history.replaceState(null, "", "/flows?q=NIGHT");
  serve({ "/flows": { flows: FLOWS } });
  show(<FlowsPage />);
  await screen.findByRole("row", { name: /night/ });
  expect(screen.queryByRole("row", { name: /Checkout/ })).toBeNull();
  fireEvent.change(screen.getByRole("searchbox"), { target: { value: "nobody" } });
  await screen.findByText(/No flow is named/);
  expect(location.search).toBe("?q=nobody");
});

test("without flows the page teaches how code begins to tell, and how a flow is declared", async () => {
  session.assume(meAs("operator"));
  serve({ "/flows": { flows: [] } });
  show(<FlowsPage />);
  await screen.findByText("No flows yet.");
  expect(document.body.textContent).toContain('from "stepwell/telemetry"');
  expect(document.body.textContent).toContain("projectKey: process.env.STEPWELL_KEY");
  expect(document.body.textContent).toContain("stepwell flows init");
});

test("an answer that does not come is told, and asked for again", async () => {
  const asked = serve({});
  show(<FlowsPage />);
  const again = await screen.findByRole("button", { name: "Try again" });
  expect(screen.getByRole("alert").textContent).toContain("Could not read the flows");
  const before = asked.length;
  fireEvent.click(again);
  await waitFor(() => expect(asked.length).toBeGreaterThan(before));
});
