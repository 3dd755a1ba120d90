// @vitest-environment happy-dom

import { cleanup, fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Run } from "../model/run.ts";
import { meAs, run, step } from "../model/testing.ts";
import { Acts } from "./acts.tsx";
import { acts, press, problem, serve, show, type } from "./testing.tsx";

const connection = vi.hoisted(() => ({ state: "live", asOf: 0, retryAt: null }));
vi.mock("../live/stream.ts", () => ({ useConnection: () => connection }));

const done = () => Response.json({ id: "run_new", created: true }, { status: 201 });
const nothing = () => Response.json({ workflows: [] });

beforeEach(() => {
  localStorage.clear();
  localStorage.setItem("stepwell.by", "ann");
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  history.replaceState(null, "", "/");
});

function open(one: Run, query: string) {
  history.replaceState(null, "", `/runs/${one.id}?${query}`);
  return show(<Acts run={one} />);
}

const failed = run(
  [
    step("reserve", 0, 1, { output: { id: "r_1" } }),
    step("ship", 1, 2, { position: 1, after: ["reserve"], status: "failed" }),
  ],
  { status: "failed", input: { order: 7 } },
);
const waiting = run(
  [
    step("approval", 0, null, {
      kind: "waitForEvent",
      status: "waiting",
      input: { event: "approval.decided", match: { order: 7 } },
    }),
  ],
  { status: "waiting" },
);

describe("a delete", () => {
  test("is done once the name was typed, and leaves the page of what is gone", async () => {
    const asked = serve(() => Response.json({ id: failed.id, deleted: true }));
    open(failed, "act=delete&step=ship");
    type("Reason", "test order");
    expect(
      screen.getByText(`stepwell runs delete ${failed.id} --reason 'test order'`),
    ).toBeTruthy();
    press(/^Delete the run/);
    expect(await screen.findByText("This is not its name")).toBeTruthy();
    expect(asked).toEqual([]);
    type(/^Type/, failed.workflow);
    press(/^Delete the run/);
    await waitFor(() => expect(location.pathname).toBe("/runs"));
    expect(asked.map(({ path }) => path)).toEqual([`/api/v1/runs/${failed.id}?reason=test+order`]);
  });

  test("that is refused stays, and so does the page", async () => {
    serve(() => problem(409, "SW2005", "the run has not ended"));
    open(failed, "act=delete");
    type("Reason", "test order");
    type(/^Type/, failed.workflow);
    press(/^Delete the run/);
    expect(await screen.findByText("Not done: the run has not ended.")).toBeTruthy();
    press("Keep it");
    expect(location.pathname).toBe(`/runs/${failed.id}`);
    expect(location.search).toBe("");
  });

  test("is not offered for what goes on", async () => {
    const asked = serve(done);
    open(waiting, "act=delete");
    expect(await screen.findByText(/not possible while the run is waiting/)).toBeTruthy();
    type("Reason", "test order");
    type(/^Type/, waiting.workflow);
    press(/^Delete the run/);
    expect(asked).toEqual([]);
  });
});

describe("an act", () => {
  test("is not performed by its link, and not without a reason", async () => {
    const asked = serve(done);
    open(waiting, "act=pause");
    press("Pause the run Ctrl ↵");
    expect(await screen.findByText("The reason needs 3 characters or more")).toBeTruthy();
    expect(acts(asked)).toEqual([]);
  });

  test("is sent with who and why, and leaves the address once it is durable", async () => {
    const asked = serve(done);
    open(waiting, "act=pause&step=approval");
    type("Reason", "  stock count ");
    expect(screen.getByText(/--reason 'stock count' --by ann/)).toBeTruthy();
    press(/Pause the run/);
    await waitFor(() => expect(location.search).toBe("?step=approval"));
    expect(acts(asked)).toEqual([
      {
        path: `/api/v1/runs/${waiting.id}/pause`,
        body: '{"by":"ann","reason":"stock count"}',
      },
    ]);
    expect(JSON.parse(localStorage.getItem("stepwell.reasons") ?? "")).toEqual(["stock count"]);
  });

  test("is refused within its dialog, with nothing lost of what was typed", async () => {
    serve(() => problem(409, "SW2005", "the run has ended: completed"));
    open(waiting, "act=cancel");
    type("Reason", "customer left");
    fireEvent.keyDown(screen.getByLabelText("Reason"), { key: "Enter", ctrlKey: true });
    expect(await screen.findByText("Not done: the run has ended: completed.")).toBeTruthy();
    expect(screen.getByText("SW2005")).toBeTruthy();
    expect(screen.getByLabelText<HTMLInputElement>("Reason").value).toBe("customer left");
    expect(location.search).toBe("?act=cancel");
  });

  test("does not claim to be undone where no answer came", async () => {
    serve(() => Promise.reject(new TypeError("failed")));
    open(waiting, "act=pause");
    type("Reason", "stock count");
    press(/Pause the run/);
    expect(await screen.findByText(/Whether it was done is not known/)).toBeTruthy();
  });

  test("asks for a name once, and offers the last reasons", async () => {
    localStorage.removeItem("stepwell.by");
    localStorage.setItem("stepwell.reasons", '["stock count"]');
    const asked = serve(done);
    open(waiting, "act=pause");
    type("Your name", "mara.k");
    press("stock count");
    press(/Pause the run/);
    await waitFor(() => expect(location.search).toBe(""));
    expect(acts(asked)[0]?.body).toBe('{"by":"mara.k","reason":"stock count"}');
    cleanup();
    open(waiting, "act=pause");
    expect(screen.queryByLabelText("Your name")).toBeNull();
    expect(screen.getByText("mara.k")).toBeTruthy();
  });

  test("is signed with what the key is called where no name was given", async () => {
    localStorage.removeItem("stepwell.by");
    const asked = serve(done);
    history.replaceState(null, "", "/?act=pause");
    show(<Acts run={waiting} />, meAs("operator"));
    expect(screen.queryByLabelText("Your name")).toBeNull();
    type("Reason", "stock count");
    press(/Pause the run/);
    await waitFor(() => expect(location.search).toBe(""));
    expect(acts(asked)[0]?.body).toBe('{"by":"operator key","reason":"stock count"}');
  });

  test("is not offered to a key that may not do it, and says what it needs", () => {
    const asked = serve(done);
    history.replaceState(null, "", "/?act=pause");
    show(<Acts run={waiting} />, meAs("client"));
    type("Reason", "stock count");
    const button = screen.getByRole<HTMLButtonElement>("button", { name: /Pause the run/ });
    expect(button.disabled).toBe(true);
    expect(screen.getByRole("alert").textContent).toBe(
      "Your key has the role client; pausing needs operator.",
    );
    fireEvent.keyDown(button, { key: "Enter", ctrlKey: true });
    expect(acts(asked)).toEqual([]);
  });

  test("cannot be done in a state that does not offer it, and says why", () => {
    const asked = serve(done);
    open({ ...failed, endedAt: failed.createdAt }, "act=cancel");
    type("Reason", "too late");
    const button = screen.getByRole<HTMLButtonElement>("button", { name: /Cancel the run/ });
    expect(button.disabled).toBe(true);
    expect(screen.getByText(/The run has ended: failed/)).toBeTruthy();
    fireEvent.keyDown(screen.getByLabelText("Reason"), { key: "Enter", metaKey: true });
    expect(acts(asked)).toEqual([]);
  });

  test("that cannot be taken back wants the workflow's name", async () => {
    const asked = serve(done);
    open(waiting, "act=terminate");
    type("Reason", "runaway");
    press(/Terminate the run/);
    expect(await screen.findByText("This is not its name")).toBeTruthy();
    expect(acts(asked)).toEqual([]);
    type(/to go on/, "checkout");
    press(/Terminate the run/);
    await waitFor(() => expect(acts(asked)).toHaveLength(1));
  });

  test("is left by Escape, and gives the focus back", async () => {
    const button = document.body.appendChild(document.createElement("button"));
    button.focus();
    open(waiting, "act=pause");
    expect(document.activeElement).toBe(screen.getByLabelText("Reason"));
    fireEvent.keyDown(screen.getByLabelText("Reason"), { key: "Escape" });
    await waitFor(() => expect(location.search).toBe(""));
    await waitFor(() => expect(document.activeElement).toBe(button));
    button.remove();
  });
});

describe("while the server is away", () => {
  afterEach(() => {
    connection.state = "live";
  });

  test.each([
    [11_000, true],
    [5_000, false],
  ])("for %i ms, an act waits: %j", (ago, waits) => {
    connection.state = "away";
    connection.asOf = Date.now() - ago;
    serve(done);
    open(waiting, "act=pause");
    const button = screen.getByRole<HTMLButtonElement>("button", { name: /Pause the run/ });
    expect(button.disabled).toBe(waits);
    expect(screen.queryByText(/has not been heard since/) !== null).toBe(waits);
  });
});

describe("a fork", () => {
  test("sends only what was edited, and goes to the new run", async () => {
    const asked = serve(done);
    open(failed, "act=fork&step=ship");
    press("Edit the output of reserve");
    type("Output of reserve", '{"id": "r_2"}');
    expect(screen.getAllByText("1 change")).toHaveLength(2);
    type("Reason", "address corrected");
    press(/Fork the run/);
    await waitFor(() => expect(location.pathname).toBe("/runs/run_new"));
    expect(JSON.parse(acts(asked)[0]?.body ?? "")).toEqual({
      step: "ship",
      outputs: { reserve: { id: "r_2" } },
      by: "ann",
      reason: "address corrected",
    });
  });

  test("is not sent while something is no JSON, and says where", async () => {
    const asked = serve(done);
    open(failed, "act=fork&step=ship");
    type("Input", '{"order": }');
    type("Reason", "address corrected");
    press(/Fork the run/);
    expect(await screen.findByText("Line 1, column 11: expected a value")).toBeTruthy();
    expect(screen.getByText("What was edited is no JSON yet.")).toBeTruthy();
    expect(acts(asked)).toEqual([]);
  });

  test("of an open run wants the workflow's name, for that run is cancelled without clean-up", () => {
    serve(done);
    open(waiting, "act=fork&step=approval");
    expect(screen.getByText("This run is cancelled, without clean-up.")).toBeTruthy();
    expect(screen.getByLabelText(/to go on/)).toBeTruthy();
  });
});

describe("a rerun", () => {
  test("leaves an input that was not edited to the server", async () => {
    const asked = serve(({ body }) => (body === null ? nothing() : done()));
    open(failed, "act=rerun");
    type("Reason", "once more");
    press(/Start it again/);
    await waitFor(() => expect(location.pathname).toBe("/runs/run_new"));
    expect(acts(asked)[0]?.body).toBe('{"by":"ann","reason":"once more"}');
  });

  test("has a form where the workflow says what it takes, and shows errors at their fields", async () => {
    const inputSchema = {
      type: "object",
      required: ["order"],
      properties: { order: { type: "integer" }, note: { type: "string" } },
    };
    const workflows = [
      { app: "shop", name: "checkout", version: "1", inputSchema, inputSchemaError: null },
    ];
    const refused = {
      errors: [
        { path: "/order", message: "is over 5" },
        { path: "/gone", message: "is needed" },
      ],
    };
    const asked = serve(({ body }) =>
      body === null
        ? Response.json({ workflows })
        : problem(422, "SW2006", "the input does not fit", refused),
    );
    open(failed, "act=rerun");
    const order = await screen.findByLabelText<HTMLInputElement>(/^order/);
    expect(order.value).toBe("7");
    type(/^order/, "8");
    expect(screen.getByLabelText<HTMLTextAreaElement>("As JSON").value).toBe('{\n  "order": 8\n}');
    type("As JSON", '{"order": 9}');
    expect(order.value).toBe("9");
    type("Reason", "once more");
    press(/Start it again/);
    expect(await screen.findByText("is over 5")).toBeTruthy();
    const about = document.getElementById(order.getAttribute("aria-describedby") ?? "");
    expect(about?.textContent).toContain("is over 5");
    expect(screen.getByText("/gone")).toBeTruthy();
    expect(JSON.parse(acts(asked)[0]?.body ?? "")).toMatchObject({ input: { order: 9 } });
  });
});

describe("sending the event that a wait waits for", () => {
  test("begins with what the wait asks for, and tells what the event would do", () => {
    serve(done);
    open(waiting, "act=send&step=approval");
    expect(screen.getByLabelText<HTMLInputElement>("Event").value).toBe("approval.decided");
    expect(screen.getByText(/Will wake 1 wait/)).toBeTruthy();
    type("Match", '{"order": 8}');
    expect(screen.getByText(/Will wake no wait/)).toBeTruthy();
    expect(screen.getByText("/order")).toBeTruthy();
  });

  test("sends it for this run, and says where it woke nothing", async () => {
    const asked = serve(() =>
      Response.json({ id: "e_1", accepted: true, delivered: 0, reason: "the run has ended" }),
    );
    open(waiting, "act=send&step=approval");
    type("Data", '{"approved": true}');
    press(/Send the event/);
    expect(
      await screen.findByText("The event is kept, but woke nothing: the run has ended."),
    ).toBeTruthy();
    expect(JSON.parse(acts(asked)[0]?.body ?? "")).toEqual({
      event: "approval.decided",
      data: { approved: true },
      match: { order: 7 },
      run: waiting.id,
    });
  });
});

describe("resolving an unknown step", () => {
  const unknown = run([step("wire", 0, 1, { status: "unknown", once: {} })], {
    status: "blocked",
    blocked: { kind: "outcomeUnknown", step: "wire" },
  });

  test.each([
    [
      "Done, with this value",
      () => type("Value", '{"id": "w_1"}'),
      { outcome: "completed", output: { id: "w_1" } },
    ],
    ["Done, with this value", () => undefined, { outcome: "completed" }],
    ["Not done, start it again", () => undefined, { outcome: "notDone" }],
    [
      "Failed, with an error",
      () => type("Message of the error", "bounced"),
      { outcome: "failed", error: { name: "Error", message: "bounced" } },
    ],
  ])("%s", async (choice, fill, body) => {
    const asked = serve(done);
    open(unknown, "act=resolve&step=wire");
    fireEvent.click(screen.getByLabelText(choice));
    fill();
    type("Reason", "seen at the bank");
    fireEvent.keyDown(screen.getByLabelText("Reason"), { key: "Enter", ctrlKey: true });
    await waitFor(() => expect(acts(asked)).toHaveLength(1));
    expect(JSON.parse(acts(asked)[0]?.body ?? "")).toEqual({
      step: "wire",
      ...body,
      by: "ann",
      reason: "seen at the bank",
    });
  });
});
