// @vitest-environment happy-dom

import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { JsonView } from "./json-view.tsx";

afterEach(cleanup);

const rows = Array.from({ length: 50 }, (_, at) => ({ id: `row-${at}`, ok: at % 10 === 0 }));

function search(text: string): HTMLElement {
  render(<JsonView value={rows} />);
  fireEvent.change(screen.getByLabelText("Search in this value"), { target: { value: text } });
  return screen.getByRole("status");
}

test("a small value has no search", () => {
  render(<JsonView value={{ a: 1 }} />);
  expect(screen.queryByLabelText("Search in this value")).toBeNull();
});

test("matches are counted, and gone through both ways", () => {
  const found = search("TRUE");
  expect(found.textContent).toBe("1 of 5");
  fireEvent.click(screen.getByRole("button", { name: "Next match" }));
  expect(found.textContent).toBe("2 of 5");
  fireEvent.click(screen.getByRole("button", { name: "Match before" }));
  fireEvent.click(screen.getByRole("button", { name: "Match before" }));
  expect(screen.getByRole("status").textContent).toBe("5 of 5");
  fireEvent.keyDown(screen.getByLabelText("Search in this value"), { key: "Enter" });
  expect(screen.getByRole("status").textContent).toBe("1 of 5");
});

test("what is not there is said", () => {
  expect(search("nowhere").textContent).toBe("none");
  expect(screen.getByRole("button", { name: "Next match" })).toHaveProperty("disabled", true);
});
