import { afterEach, expect, it, vi } from "vitest";
import { bodyText, fork, JsonText, operate } from "./act.ts";
import { AskError } from "./ask.ts";

afterEach(() => vi.unstubAllGlobals());

function answering(status: number, body: unknown) {
  const fetched = vi.fn(async (_path: string, _request: RequestInit) =>
    Response.json(body, { status }),
  );
  vi.stubGlobal("fetch", fetched);
  return fetched;
}

const signed = { by: "ann", reason: "late" };
const signal = new AbortController().signal;

it("sends what was typed as it was typed: no digit is rounded", () => {
  const text = bodyText({
    step: "a",
    input: new JsonText('{"n": 12345678901234567890}'),
    key: undefined,
  });
  expect(text).toBe('{"step":"a","input":{"n": 12345678901234567890}}');
  expect(bodyText({ outputs: { 'a"b': new JsonText("[1]") }, list: [1, "x", null] })).toBe(
    '{"outputs":{"a\\"b":[1]},"list":[1,"x",null]}',
  );
});

it("posts an act with who and why", async () => {
  const fetched = answering(200, { id: "run_1", status: "paused" });
  await operate("run_1", "pause", signed, signal);
  const [path, request] = fetched.mock.calls[0] ?? [];
  expect(path).toBe("/api/v1/runs/run_1/pause");
  expect(request).toMatchObject({ method: "POST", body: '{"by":"ann","reason":"late"}' });
  expect(new Headers(request?.headers).get("content-type")).toBe("application/json");
});

it("returns the run that a fork made", async () => {
  answering(201, { id: "run_2", created: true });
  expect(await fork("run_1", { step: "ship" }, signed, signal)).toBe("run_2");
});

it("tells which places of an input the server refuses", async () => {
  const errors = [{ path: "/order", message: "is not a number" }, { path: 7 }];
  answering(422, { code: "SW2006", detail: "the input does not fit", errors });
  const refused = operate("run_1", "pause", signed, signal);
  await expect(refused).rejects.toMatchObject({
    status: 422,
    code: "SW2006",
    message: "the input does not fit",
    places: [{ path: "/order", message: "is not a number" }],
  });
});

it("tells a server that is away from one that refuses", async () => {
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("failed")));
  const error = await operate("run_1", "pause", signed, signal).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(AskError);
  expect(error).toMatchObject({ status: 0, message: "the server cannot be reached" });
});
