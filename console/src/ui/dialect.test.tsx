// @vitest-environment happy-dom

import { act, cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { show } from "../acts/testing.tsx";
import { step } from "../model/testing.ts";
import { SettingsDialog } from "../palette/settings-dialog.tsx";
import { goQuery } from "../route.ts";
import { setDialect, useDialect, useDialectOfAddress } from "./dialect.ts";
import { StepGlyph, StepWord } from "./step-status.tsx";

beforeEach(() => {
  setDialect("stepwell");
});
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
  localStorage.clear();
  history.replaceState(null, "", "/");
});

const SLEEPING = step("nap", 0, null, { kind: "sleep", status: "sleeping" });

function Shown(): ReactNode {
  useDialectOfAddress();
  return (
    <p title={useDialect()}>
      <StepGlyph status={SLEEPING.status} />
      <StepWord step={SLEEPING} />
    </p>
  );
}

const sign = () => screen.getByRole("img").getAttribute("aria-label");
const written = () => document.querySelector(".step-word")?.textContent ?? null;
const kept = () => localStorage.getItem("stepwell.dialect");

/** §13.2 */
test("the setting gives steps the words of a system, and this browser keeps it", () => {
  show(
    <>
      <Shown />
      <SettingsDialog onClose={() => undefined} />
    </>,
  );
  expect([sign(), written()]).toEqual(["sleeping", null]);
  const field = screen.getByLabelText("Status words");
  const offered = within(field).getAllByRole("option");
  expect(offered.map((option) => option.textContent)).toEqual([
    "Stepwell",
    "Failpath",
    "Loops",
    "Durablex",
    "QUESTPIE",
  ]);
  fireEvent.change(field, { target: { value: "loops" } });
  expect([sign(), written(), kept()]).toEqual(["running (sleeping)", "running", "loops"]);
  fireEvent.change(field, { target: { value: "questpie" } });
  expect([sign(), written(), kept()]).toEqual(["sleeping", "sleeping", "questpie"]);
  fireEvent.change(field, { target: { value: "stepwell" } });
  expect([sign(), written(), kept()]).toEqual(["sleeping", null, "stepwell"]);
});

test("an address that names a system chooses it, and follows what is chosen then", () => {
  history.replaceState(null, "", "/runs?dialect=failpath&q=a");
  render(<Shown />);
  expect([sign(), written(), kept()]).toEqual(["running (sleeping)", "running", "failpath"]);
  act(() => goQuery({ dialect: "loops" }));
  expect(kept()).toBe("loops");
  act(() => setDialect("durablex"));
  expect(location.search).toBe("?dialect=durablex&q=a");
  act(() => goQuery({ dialect: null }));
  expect(kept()).toBe("durablex");
  act(() => setDialect("stepwell"));
  expect(location.search).toBe("?q=a");
});

test("an address that names nobody changes nothing", () => {
  act(() => setDialect("loops"));
  history.replaceState(null, "", "/runs?dialect=temporal");
  render(<Shown />);
  expect([sign(), kept()]).toEqual(["running (sleeping)", "loops"]);
});

test("words are there where storage is refused", () => {
  vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
    throw new Error("refused");
  });
  render(<Shown />);
  act(() => setDialect("failpath"));
  expect(sign()).toBe("running (sleeping)");
});

test("a word stands where the row does not say it already", () => {
  act(() => setDialect("loops"));
  const all = [
    step("a", 0, 1),
    step("b", 0, 1, { kind: "skip", status: "skipped" }),
    step("c", 0, null, { status: "retrying" }),
  ];
  render(all.map((one) => <StepWord key={one.id} step={one} />));
  const words = [...document.querySelectorAll(".step-word")];
  expect(words.map((word) => [word.textContent, word.getAttribute("title")])).toEqual([
    ["succeeded", "succeeded (completed)"],
    ["succeeded", "succeeded (skipped)"],
    ["running", "running (retrying)"],
  ]);
  // It keeps the hue of the status that it has here.
  expect(words.map((word) => word.className)).toEqual([
    "step-word",
    "step-word",
    "step-word in-hue hue-amber",
  ]);
});
