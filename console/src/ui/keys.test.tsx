// @vitest-environment happy-dom

import { cleanup, render } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { type Keys, useKeys } from "./keys.ts";

function Listener({ keys }: { readonly keys: Keys }) {
  useKeys(keys);
  return null;
}

function press(key: string, target: EventTarget = document.body): void {
  const code = /^[a-z]$/i.test(key) ? `Key${key.toUpperCase()}` : key;
  target.dispatchEvent(new KeyboardEvent("keydown", { key, code, bubbles: true }));
}

afterEach(() => {
  press("Escape");
  cleanup();
  document.body.replaceChildren();
});

test("two keys after each other do what neither does alone", () => {
  const [both, alone] = [vi.fn(), vi.fn()];
  render(<Listener keys={{ "g r": both, r: alone }} />);
  press("g");
  press("r");
  expect([both.mock.calls.length, alone.mock.calls.length]).toEqual([1, 0]);
  press("r");
  expect([both.mock.calls.length, alone.mock.calls.length]).toEqual([1, 1]);
});

test("a second key that belongs to no pair does what it does alone", () => {
  const down = vi.fn();
  render(<Listener keys={{ "g r": vi.fn(), j: down }} />);
  press("g");
  press("j");
  expect(down).toHaveBeenCalledOnce();
});

test("letters are off in a field, and behind a dialog", () => {
  const act = vi.fn();
  render(<Listener keys={{ j: act }} />);
  const field = document.body.appendChild(document.createElement("input"));
  press("j", field);
  const dialog = document.body.appendChild(document.createElement("dialog"));
  dialog.setAttribute("open", "");
  press("j");
  expect(act).not.toHaveBeenCalled();
  dialog.remove();
  press("j");
  expect(act).toHaveBeenCalledOnce();
});

test("who is deeper in the page is asked first", () => {
  const [inner, outer] = [vi.fn(), vi.fn()];
  function Outer() {
    useKeys({ r: outer });
    return <Listener keys={{ r: inner }} />;
  }
  render(<Outer />);
  press("r");
  expect([inner.mock.calls.length, outer.mock.calls.length]).toEqual([1, 0]);
});
