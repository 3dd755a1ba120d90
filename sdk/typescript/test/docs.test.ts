import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { BUILT, exportsOf, problems, program } from "./compile.js";
import { moduleOf, type Snippet, snippets, snippetsOf } from "./docs/snippets.js";

const folder = fileURLToPath(new URL("docs/", import.meta.url));

/** Returns what the compiler has against snippets, with the page and the line of it. */
function faults(all: readonly Snippet[]): string[] {
  // Snippets of the dialects import them themselves: several have names that `stepwell` has.
  const files = Object.entries(BUILT).flatMap(([name, paths]) =>
    name.includes("/dialects/") ? [] : paths.map((path): [string, string] => [name, path]),
  );
  const built = program(files.map(([, path]) => path));
  const modules = new Map(files.map(([name, path]) => [name, exportsOf(built, path)]));
  modules.set("zod", new Map([["z", "value"]]));
  const places = new Map<string, Snippet>();
  const virtual = new Map<string, string>();
  for (const [n, one] of all.entries()) {
    const path = `${folder}snippet-${n}.ts`;
    places.set(path, one);
    virtual.set(path, moduleOf(one, modules));
  }
  return problems(program([`${folder}world.ts`], virtual, BUILT)).map((problem) => {
    const [, path = "", line = ""] = /^(.*?\.ts):(\d+): /.exec(problem) ?? [];
    const place = places.get(path);
    if (place === undefined) return problem;
    const text = problem.slice(path.length + line.length + 3);
    return `${place.page}:${place.line + Number(line) - 1}: ${text}`;
  });
}

it("what the pages show in TypeScript compiles against the built package", () => {
  const all = snippets();
  expect(all.length).toBeGreaterThan(30);
  expect(faults(all)).toEqual([]);
}, 120_000);

it("a snippet that does not compile is told with its page and line", () => {
  const text = [
    "# Page",
    "```ts",
    'await step.sleep("a", "5 parsecs");',
    "```",
    "",
    "```ts",
    "const saved = await step.run(",
    '  "at", () => ({ at: new Date(0) }),',
    ");",
    "saved.at.getTime();",
    "const one = unchecked<string>();",
    'import { workflow } from "stepwell";',
    'workflow({ name: "w", input: one }, ({ input }) => input.length);',
    "```",
  ].join("\n");
  const seen = faults(snippetsOf("page.md", text)).map((fault) => fault.split(": ")[0]);
  expect(seen).toEqual(["page.md:3", "page.md:10"]);
}, 120_000);
