import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const source = new URL("../../src/", import.meta.url);

/** Returns the modules that are loaded with one, and what they take from outside. */
function loaded(from: URL): { readonly own: Set<string>; readonly others: Set<string> } {
  const own = new Set<string>();
  const others = new Set<string>();
  const visit = (module: URL): void => {
    const path = fileURLToPath(module).slice(fileURLToPath(source).length);
    if (own.has(path)) return;
    own.add(path);
    const text = readFileSync(module, "utf8");
    for (const [, name = ""] of text.matchAll(
      /^(?:import|export) (?!type\b)[^;]*?from "([^"]+)";/gms,
    )) {
      if (name.startsWith(".")) visit(new URL(name.replace(/\.js$/, ".ts"), module));
      else others.add(name);
    }
  };
  visit(from);
  return { own, others };
}

/** §10.1, §13.1: who observes loads no part of the workflows, and no dependency. */
it.each(["telemetry", "dialects/failpath"])(
  "`stepwell/%s` loads nothing that it does not need",
  (entry) => {
    const { own, others } = loaded(new URL(`${entry}/index.ts`, source));
    expect(
      [...own].filter((path) =>
        /^(worker|machine|session|steps|client|test|protocol)\//.test(path),
      ),
    ).toEqual([]);
    expect(own.size).toBeGreaterThan(20);
    expect(own.size).toBeLessThan(40);
    expect([...others].filter((name) => !name.startsWith("node:"))).toEqual([]);
    // The check sees what the package as a whole loads.
    expect(loaded(new URL("index.ts", source)).own).toContain("worker/worker.ts");
  },
);
