import { expect, it } from "vitest";
import { initialsOf, isByPerson, noteWords } from "./history.ts";

const note = (what: string, by: string | null = null) => ({ at: "", what, by, detail: null });

it("tells acts of people from what the engine did by itself", () => {
  expect(isByPerson(note("paused"))).toBe(true);
  expect(isByPerson(note("blocked"))).toBe(false);
  expect(isByPerson(note("something_new", "ann"))).toBe(true);
});

it("has words for what it does not know", () => {
  expect(noteWords(note("retried"))).toBe("asked to retry now");
  expect(noteWords(note("something_new"))).toBe("something new");
});

it.each([
  ["mara.k", "MK"],
  ["Ann", "AN"],
  ["Jo van der Berg", "JV"],
  ["👩‍🚀", "👩\u200d"],
  ["", "–"],
  [null, "–"],
])("shortens %j", (name, letters) => {
  expect(initialsOf(name)).toBe(letters);
});
