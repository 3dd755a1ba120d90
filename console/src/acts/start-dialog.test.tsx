// @vitest-environment happy-dom

import { cleanup, screen, waitFor } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { StartDialog } from "./start-dialog.tsx";
import { acts, press, problem, serve, show, type } from "./testing.tsx";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

vi.mock("../live/stream.ts", () => ({
  useConnection: () => ({ state: "live", asOf: 0, retryAt: null }),
}));

const inputSchema = {
  type: "object",
  required: ["order"],
  properties: { order: { type: "integer", default: 7 } },
};
const workflows = [
  { app: "shop", name: "checkout", version: "2", inputSchema, inputSchemaError: null },
  { app: "shop", name: "broken", version: null, inputSchema, inputSchemaError: "no draft" },
  { app: "books", name: "checkout", version: "9", inputSchema: null, inputSchemaError: null },
];

function open(
  answer: () => Response,
  workflow: string | null = "checkout",
  app: string | null = "shop",
) {
  const asked = serve(({ body }) => (body === null ? Response.json({ workflows }) : answer()));
  const [onStarted, onClose] = [vi.fn(), vi.fn()];
  show(<StartDialog workflow={workflow} app={app} onClose={onClose} onStarted={onStarted} />);
  return { asked, onStarted, onClose };
}

const made = () => Response.json({ id: "run_1", created: true }, { status: 201 });

test("starts the workflow with its form's input, and tells its run", async () => {
  const { asked, onStarted, onClose } = open(made);
  expect((await screen.findByLabelText<HTMLInputElement>(/^order/)).value).toBe("7");
  type(/^order/, "8");
  type("Key", "order-8");
  type("Delay", "10m");
  type("Attributes", '{"country": "DE"}');
  expect(
    screen.getByText(/runs start checkout --app shop --input '\{"order":8\}' --key order-8/),
  ).toBeTruthy();
  press(/Start the run/);
  await waitFor(() => expect(onStarted).toHaveBeenCalledExactlyOnceWith("run_1", true));
  expect(onClose).toHaveBeenCalledOnce();
  expect(JSON.parse(acts(asked)[0]?.body ?? "")).toEqual({
    workflow: "checkout",
    app: "shop",
    input: { order: 8 },
    key: "order-8",
    delay: "10m",
    search: { country: "DE" },
  });
});

test("tells one app's workflow from another's of the same name", async () => {
  const { asked } = open(made, "checkout", "books");
  await screen.findByText("books", { selector: "bdi" });
  expect(screen.queryByLabelText(/^order/)).toBeNull();
  press(/Start the run/);
  await waitFor(() => expect(acts(asked)[0]?.body).toBe('{"workflow":"checkout","app":"books"}'));
});

test("makes no form of a schema that the server cannot use", async () => {
  open(made, "broken");
  await screen.findByText("broken", { selector: "bdi" });
  expect(screen.getByLabelText("Input").tagName).toBe("TEXTAREA");
});

test("stays with what was typed where the start is refused", async () => {
  const errors = [{ path: "/order", message: "is over 5" }];
  const { onStarted } = open(() => problem(422, "SW2006", "the input does not fit", { errors }));
  await screen.findByLabelText(/^order/);
  type(/^order/, "9");
  press(/Start the run/);
  expect(await screen.findByText("is over 5")).toBeTruthy();
  expect(screen.getByLabelText<HTMLInputElement>(/^order/).value).toBe("9");
  expect(onStarted).not.toHaveBeenCalled();
});

test("says that a workflow is not known", async () => {
  const { asked } = open(made, "gone");
  expect(await screen.findByText(/No workflow/)).toBeTruthy();
  press(/Start the run/);
  expect(await screen.findByText("Choose a workflow.")).toBeTruthy();
  expect(acts(asked)).toEqual([]);
});
