// @vitest-environment happy-dom

import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Menu } from "./menu.tsx";

beforeEach(() => {
  // Popovers are the browser's; here it matters only what has the focus.
  HTMLElement.prototype.showPopover = vi.fn();
  HTMLElement.prototype.hidePopover = vi.fn();
});
afterEach(cleanup);

function open(off: string | null = null) {
  const chosen = vi.fn();
  const items = ["Pause", "Cancel", "Copy id"].map((name) => ({
    name,
    off: name === "Cancel" ? off : null,
    onChoose: () => chosen(name),
  }));
  render(
    <Menu label="More" items={items}>
      …
    </Menu>,
  );
  fireEvent.click(screen.getByRole("button", { name: "More" }));
  return chosen;
}

const key = (name: string) =>
  fireEvent.keyDown(document.activeElement ?? document.body, { key: name });
const focused = () => document.activeElement?.textContent;

test("arrows, Home, End and letters move among its items, round and round", () => {
  open();
  expect(focused()).toBe("Pause");
  const walked = ["ArrowUp", "ArrowDown", "End", "Home", "c", "c", "c"].map((name) => {
    key(name);
    return focused();
  });
  expect(walked).toEqual(["Copy id", "Pause", "Copy id", "Pause", "Cancel", "Copy id", "Cancel"]);
});

test("Escape gives the focus back", () => {
  open();
  key("Escape");
  expect(focused()).toBe("…");
});

test("an item is done once the focus is back, for what it opens takes it from there", () => {
  const chosen = open();
  fireEvent.click(screen.getByRole("menuitem", { name: "Pause" }));
  expect(chosen).toHaveBeenCalledExactlyOnceWith("Pause");
  expect(focused()).toBe("…");
});

test("what cannot be done now can be read, not done", () => {
  const chosen = open("the server is away");
  const item = screen.getByRole("menuitem", { name: "Cancel" });
  fireEvent.click(item);
  expect(chosen).not.toHaveBeenCalled();
  expect(item.title).toBe("the server is away");
});
