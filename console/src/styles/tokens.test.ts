import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

/** The tokens of one theme, by their names. */
function tokens(theme: "light" | "dark"): ReadonlyMap<string, string> {
  const css = readFileSync(`${import.meta.dirname}/tokens.css`, "utf8");
  const found = css.matchAll(/--([\w-]+): light-dark\((#\w+), (#\w+)\);/g);
  return new Map(
    [...found].map(([, name, light, dark]) => [
      name ?? "",
      (theme === "light" ? light : dark) ?? "",
    ]),
  );
}

/** Contrast by the formula of WCAG. */
function contrast(a: string, b: string): number {
  const [high = 0, low = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

function luminance(color: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

const HUES = ["blue", "violet", "amber", "red", "green", "grey"];
const GROUNDS = ["panel", "page", "select"];

const PAIRS: readonly (readonly [string, string, number])[] = [
  ...["ink", "ink-2", "ink-3"].flatMap((ink) =>
    GROUNDS.map((ground) => [ink, ground, 4.5] as const),
  ),
  ...GROUNDS.map((ground) => ["ink", ground, 12] as const),
  ...GROUNDS.map((ground) => ["line-strong", ground, 3] as const),
  ...HUES.flatMap((hue) =>
    ["panel", "select", `${hue}-tint`].map((ground) => [hue, ground, 4.5] as const),
  ),
  ...["panel", "select"].map((ground) => ["green-bar", ground, 3] as const),
];

test.each(["light", "dark"] as const)("every pair of %s that is used has its contrast", (theme) => {
  const colors = tokens(theme);
  const low = PAIRS.filter(([front, back, least]) => {
    const [a, b] = [colors.get(front), colors.get(back)];
    return a === undefined || b === undefined || contrast(a, b) < least;
  });
  expect(low).toEqual([]);
});
