// @vitest-environment happy-dom

import { cleanup, fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { problem, serve, show } from "../acts/testing.tsx";
import type { Me } from "../model/rights.ts";
import { meAs, run, step } from "../model/testing.ts";
import { useTellHere } from "./here.ts";
import { openPalette } from "./open.ts";
import { Overlays } from "./overlays.tsx";

vi.mock("../live/stream.ts", () => ({
  useConnection: () => ({ state: "live", asOf: null, retryAt: null }),
}));

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  history.replaceState(null, "", "/");
});

const shown = run([step("charge", 0, 1), step("ship", 1, null)]);

function Page() {
  useTellHere(shown);
  return <Overlays />;
}

async function open(me?: Me) {
  show(<Page />, me);
  openPalette();
  return screen.findByRole("combobox");
}

const options = () => screen.getAllByRole("option").map((option) => option.textContent);
const current = () => screen.getByRole("option", { selected: true });
const type = (field: HTMLElement, value: string) => fireEvent.change(field, { target: { value } });

test("offers acts, steps, views, pages and settings of where it is opened", async () => {
  serve(() => Response.json({ runs: [] }));
  const field = await open();
  const groups = screen.getAllByRole("group").map((group) => group.getAttribute("aria-label"));
  expect(groups).toEqual(["Acts on this run", "Steps of this run", "Views", "Pages", "Settings"]);
  type(field, "canc");
  await waitFor(() => expect(options()).toEqual(["Cancelcheckout⇧C"]));
});

test("arrows choose, the field keeps the focus, Enter opens", async () => {
  serve(() => Response.json({ runs: [] }));
  const field = await open();
  type(field, "charge");
  await waitFor(() => expect(current().textContent).toContain("charge"));
  expect(field.getAttribute("aria-activedescendant")).toBe(current().id);
  fireEvent.keyDown(field, { key: "ArrowDown" });
  fireEvent.keyDown(field, { key: "Enter" });
  await waitFor(() => expect(location.search).toBe("?step=charge"));
  expect(screen.queryByRole("combobox")).toBeNull();
});

test("finds runs by what the server knows of them", async () => {
  const row = {
    id: "run_0193b5e40000700080000000000abcde",
    app: "shop",
    workflow: "order",
    status: "failed",
  };
  const asked = serve(() => Response.json({ runs: [row] }));
  const field = await open();
  type(field, "ord_5fK2");
  expect(await screen.findByText("order …0abcde")).toBeTruthy();
  expect(asked.map((one) => one.path)).toEqual(["/api/v1/runs?q=ord_5fK2&limit=8"]);
  fireEvent.click(screen.getByText("order …0abcde"));
  await waitFor(() => expect(location.pathname).toBe(`/runs/${row.id}`));
});

test("says that runs could not be searched, and offers the rest", async () => {
  serve(() => problem(503, "SW1001", "the node is away"));
  const field = await open();
  type(field, "ship");
  expect(await screen.findByText(/could not be searched: the node is away/)).toBeTruthy();
  expect(options()[0]).toContain("ship");
});

test("what a key may not do is there, says why, and is not done", async () => {
  serve(() => Response.json({ runs: [] }));
  const field = await open(meAs("viewer"));
  type(field, "canc");
  const why = "Your key has the role viewer; cancelling needs client or operator.";
  await waitFor(() => expect(options()).toEqual([`Cancel${why}⇧C`]));
  expect(current().getAttribute("aria-disabled")).toBe("true");
  fireEvent.keyDown(field, { key: "Enter" });
  expect(screen.queryByRole("combobox")).not.toBe(null);
  expect(location.search).toBe("");
});
