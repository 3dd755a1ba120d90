// @vitest-environment happy-dom

import { cleanup, fireEvent, screen, within } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { problem, serve, show } from "../acts/testing.tsx";
import { meAs } from "../model/testing.ts";
import { API } from "../model/testing-reference.ts";
import { ReferencePage } from "./reference-page.tsx";

vi.mock("../live/stream.ts", () => ({
  useConnection: () => ({ state: "live", asOf: null, retryAt: null }),
}));

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  history.replaceState(null, "", "/");
});

function open(query = "", document: object = API) {
  const asked = serve(() => Response.json(document));
  history.replaceState(null, "", `/reference${query}`);
  show(<ReferencePage />, meAs("viewer"));
  return asked;
}

const operations = async () => await screen.findAllByRole("button", { name: /^(GET|POST) / });

test("operations stand by their parts with the right that they need", async () => {
  const asked = open();
  const shown = (await operations()).map((one) => one.textContent);
  expect(shown).toEqual([
    "GET/api/v1/runsLists runsread",
    "POST/api/v1/runs/{app}Starts a runstart, not yours",
    "GET/healthzpublic",
  ]);
  expect(asked.map(({ path }) => path)).toEqual(["/api/v1/openapi.json"]);
});

test("one is opened with all that it takes and answers, and the address says which", async () => {
  open();
  fireEvent.click((await operations())[1] as HTMLElement);
  expect(location.search).toBe("?op=startRun");
  expect(screen.getByText("It is durable when this answers.")).toBeTruthy();
  expect(screen.getByText(/^curl -X POST/)).toBeTruthy();
  const row = screen.getByRole("row", { name: /^workflow/ });
  expect(within(row).getByText("needed")).toBeTruthy();
  expect(within(row).getByText("string")).toBeTruthy();
  expect(screen.getByText("SW2003: taken.")).toBeTruthy();
  fireEvent.click((await operations())[1] as HTMLElement);
  expect(location.search).toBe("");
});

test("a link opens one, and words narrow them", async () => {
  open("?op=listRuns&q=list");
  expect(await operations()).toHaveLength(1);
  expect(
    screen.getByText("In the query. Most of them. 1 to 500, 50 where it is not given"),
  ).toBeTruthy();
});

test("words that nothing has say so", async () => {
  open("?q=teapot");
  expect(await screen.findByText("No operation has these words.")).toBeTruthy();
});

test("what the document says is text", async () => {
  const [script, path] = ["<script>window.__hit=1</script>", "/api/v1/<b>runs</b>"];
  open("", {
    openapi: "3.1.0",
    tags: [{ name: script }],
    paths: { [path]: { get: { tags: [script], operationId: "x", summary: script } } },
  });
  expect((await operations())[0]?.textContent).toContain(path);
  expect(document.querySelector("script, .operation-path b")).toBe(null);
});

test("a server without a document says what was asked", async () => {
  serve(() => problem(404, "SW1002", "there is nothing there"));
  show(<ReferencePage />, meAs("viewer"));
  expect(
    await screen.findByText(
      "Could not read what the server says of its API: there is nothing there.",
    ),
  ).toBeTruthy();
});
