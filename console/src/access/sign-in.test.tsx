// @vitest-environment happy-dom

import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SignIn } from "./sign-in.tsx";

vi.mock("../live/stream.ts", () => ({ haltStream: vi.fn(), onConnection: vi.fn() }));

const KEY = `sw_a4dqobyha4_${"b".repeat(56)}`;
let answer: () => Response;
const sent: string[] = [];

beforeEach(() => {
  sent.length = 0;
  vi.stubGlobal("fetch", async (_path: string, { headers }: RequestInit) => {
    sent.push(new Headers(headers).get("authorization") ?? "");
    return answer();
  });
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const problem = (status: number, detail: string, headers = {}) =>
  Response.json({ status, detail, code: "SW1010" }, { status, headers });

function enter(key: string): void {
  fireEvent.change(screen.getByLabelText("Key"), { target: { value: key } });
  const form = screen.getByLabelText("Key").closest("form");
  if (form !== null) fireEvent.submit(form);
}

test("says where a key is, and hides the one that is typed", () => {
  render(<SignIn ended={null} />);
  expect(screen.getByText(/printed the first one/)).toBeTruthy();
  expect(screen.getByLabelText("Key").getAttribute("type")).toBe("password");
  fireEvent.click(screen.getByRole("button", { name: "Show" }));
  expect(screen.getByLabelText("Key").getAttribute("type")).toBe("text");
});

test("says why a session has ended", () => {
  render(<SignIn ended="the key was revoked" />);
  expect(screen.getByRole("alert").textContent).toBe(
    "Your session has ended. The key was revoked.",
  );
});

test("what is no key is not sent", () => {
  render(<SignIn ended={null} />);
  enter("my password");
  expect(screen.getByText("This is no key: keys begin with sw_")).toBeTruthy();
  enter("sw_höher");
  expect(screen.getByText("This is no key: keys begin with sw_")).toBeTruthy();
  enter("  ");
  expect(screen.getByText("A key is needed")).toBeTruthy();
  expect(sent).toEqual([]);
});

test("a key is sent without the blanks around it, and refused in the words of the server", async () => {
  answer = () => problem(401, "the key was mistyped or damaged: its checksum does not fit");
  render(<SignIn ended={null} />);
  enter(` ${KEY}\n`);
  await screen.findByText("The key was mistyped or damaged: its checksum does not fit.");
  expect(sent).toEqual([`Bearer ${KEY}`]);
});

test("too many tries are waited for, as long as the server says", async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  answer = () => problem(429, "wrong keys came from this address", { "retry-after": "12" });
  render(<SignIn ended={null} />);
  enter(KEY);
  await screen.findByText("There were too many tries. Wrong keys came from this address.");
  const button = screen.getByRole("button", { name: /Wait 1[012]\s/ });
  expect(button.hasAttribute("disabled")).toBe(true);
  enter(KEY);
  expect(sent).toHaveLength(1);
  await act(() => vi.advanceTimersByTimeAsync(14_000));
  expect(screen.getByRole("button", { name: /Sign in/ }).hasAttribute("disabled")).toBe(false);
});
