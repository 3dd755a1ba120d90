/**
 * Reads the tables of docs/coming-from/: what the pages of four systems say, each with the tests that show it.
 *
 * A row is `| 7 | what it says | \`path › title\`<br>\`path › title\` |`; in place of tests it may have `open: the reason`. A path
 * without a slash is that of a file beside this one.
 */

import { existsSync, readFileSync } from "node:fs";

/** The systems; each has a page of that name. */
export const SYSTEMS = ["failpath", "loops", "durablex", "questpie"] as const;
export type System = (typeof SYSTEMS)[number];

/** Where this package is. */
const HERE = "examples/dialects/src/";

/** A test, by its file from the repository's root on, and its title. */
export interface TestName {
  readonly path: string;
  readonly title: string;
}

/** A statement of a page. */
export interface Statement {
  /** Its number in its table, from 1. */
  readonly n: number;
  readonly text: string;
  readonly tests: readonly TestName[];
  /** Why there is no test; null where there is one. */
  readonly open: string | null;
}

const ROW = /^\| (\d+) \| (.+) \| (.+) \|$/;
const TEST = /^`([^`›]+) › ([^`]+)`$/;
const OPEN = /^open: (.{10,})$/;

/**
 * Returns the tables of a page, each with its rows.
 *
 * @throws `Error` for a row that has neither tests nor a reason
 */
export function tablesOf(page: string): readonly (readonly Statement[])[] {
  const tables: Statement[][] = [];
  for (const line of page.split("\n")) {
    if (line === "| | what it says | shown by |") tables.push([]);
    const [, n, text, shown] = ROW.exec(line) ?? [];
    if (n === undefined || text === undefined || shown === undefined) continue;
    const table = tables.at(-1);
    if (table === undefined) throw new Error(`a row stands outside of the tables: ${line}`);
    table.push({ n: Number(n), text, ...shownBy(shown, line) });
  }
  return tables;
}

function shownBy(shown: string, line: string): Pick<Statement, "tests" | "open"> {
  const [, reason] = OPEN.exec(shown) ?? [];
  if (reason !== undefined) return { tests: [], open: reason };
  const tests = shown.split("<br>").map((text) => {
    const [, path, title] = TEST.exec(text) ?? [];
    if (path === undefined || title === undefined)
      throw new Error(`not a test: ${text} in ${line}`);
    return { path: path.includes("/") ? path : `${HERE}${path}`, title };
  });
  return { tests, open: null };
}

/** Tells whether a text of TypeScript has a test of a title: `it("…"` or `test("…"`. */
export function hasTest(text: string, title: string): boolean {
  const literal = title.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`\\b(?:it|test)\\(\\s*"${literal}",`).test(text);
}

/** What a page's tables come to. */
export interface Figures {
  readonly system: System;
  readonly statements: number;
  /** Different tests that are named. */
  readonly tests: number;
  /** Statements without a test. */
  readonly open: number;
  /** What is wrong with the tables. */
  readonly faults: readonly string[];
}

/** Reads the page of a system. `root` is the repository's root, as a URL that ends in a slash. */
export function figuresOf(system: System, root: URL): Figures {
  const page = readFileSync(new URL(`docs/coming-from/${system}.md`, root), "utf8");
  const tables = tablesOf(page);
  const statements = tables.flat();
  const faults = tables.flatMap((table, at) =>
    table.flatMap(({ n }, row) =>
      n === row + 1 ? [] : [`table ${at + 1}: row ${row + 1} is ${n}`],
    ),
  );
  const tests = new Map(
    statements.flatMap((one) => one.tests.map((test) => [`${test.path} › ${test.title}`, test])),
  );
  for (const [name, { path, title }] of tests) {
    const file = new URL(path, root);
    if (!existsSync(file)) faults.push(`there is no ${path}`);
    else if (!hasTest(readFileSync(file, "utf8"), title)) faults.push(`there is no test ${name}`);
  }
  const open = statements.filter((one) => one.tests.length === 0);
  return { system, statements: statements.length, tests: tests.size, open: open.length, faults };
}
