/** The TypeScript that the project's pages show. */

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** A block of code of a page. */
export interface Snippet {
  /** The page, from the repository's root on. */
  readonly page: string;
  /** The line of the page at which the code begins, from 1. */
  readonly line: number;
  readonly code: string;
}

const repository = fileURLToPath(new URL("../../../..", import.meta.url));

/** Pages outside of `docs` that show TypeScript. */
const OTHERS = ["README.md", "sdk/typescript/README.md", "examples/checkout-ts/README.md"];

/** Returns the paths of the pages, from the repository's root on. */
export function pages(): string[] {
  const below = readdirSync(`${repository}docs`, { recursive: true, encoding: "utf8" });
  const docs = below.filter((path) => path.endsWith(".md")).map((path) => `docs/${path}`);
  return [...OTHERS, ...docs.sort()];
}

/** Returns the blocks of TypeScript in a page. */
export function snippetsOf(page: string, text: string): Snippet[] {
  const blocks = text.matchAll(/^```ts\n(.*?)^```$/gms);
  return [...blocks].map((block) => {
    const fence = text.slice(0, block.index).split("\n").length;
    return { page, line: fence + 1, code: block[1] ?? "" };
  });
}

/** Returns every block of TypeScript in the pages. */
export function snippets(): Snippet[] {
  return pages().flatMap((page) => snippetsOf(page, readFileSync(`${repository}${page}`, "utf8")));
}

/** Returns the names that code declares or imports itself. */
function ownNames(code: string): Set<string> {
  const lists = [...code.matchAll(/\b(?:import|const|let)\s+(?:type\s+)?\{([^}]*)\}/g)];
  const named = [...code.matchAll(/\b(?:const|let|function|class|interface|type)\s+(\w+)/g)];
  const inLists = lists.flatMap(([, list = ""]) =>
    [...list.matchAll(/\w+/g)].map(([name]) => name),
  );
  return new Set([...inLists, ...named.map(([, name = ""]) => name)]);
}

/**
 * Writes a snippet as a module. What it leaves out is put in front, on the line of its first line: imports of
 * the names that it uses and `modules` export.
 */
export function moduleOf(
  { code }: Snippet,
  modules: ReadonlyMap<string, ReadonlyMap<string, "value" | "type">>,
): string {
  const own = ownNames(code);
  const imports = [...modules].map(([from, names]) => {
    const used = [...names].filter(
      ([name]) => !own.has(name) && new RegExp(`\\b${name}\\b`).test(code),
    );
    const list = used.map(([name, kind]) => (kind === "type" ? `type ${name}` : name));
    return list.length === 0 ? "" : `import { ${list.join(", ")} } from "${from}"; `;
  });
  return `export {}; ${imports.join("")}${code}`;
}
