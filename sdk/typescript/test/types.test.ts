import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { problems, program } from "./compile.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const hover = `${root}test/types/hover.ts`;
const telemetry = `${root}test/types/telemetry.ts`;
const dialects = `${root}test/types/dialects.ts`;
const files = [hover, telemetry, dialects, `${root}test/types/refused.ts`];

/** Returns what the comment behind each line says, and what the compiler shows for that line. */
function shown(from: ts.Program, name: string): { line: string; says: string; shows: string }[] {
  const source = from.getSourceFile(name);
  if (source === undefined) throw new Error(`${name} is not there`);
  const checker = from.getTypeChecker();
  const found: { line: string; says: string; shows: string }[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isExpressionStatement(node)) {
      const end = source.text.indexOf("\n", node.end);
      const says = source.text.slice(node.end, end).split("//=> ")[1];
      const flags = ts.TypeFormatFlags.NoTruncation;
      const shows = checker.typeToString(
        checker.getTypeAtLocation(node.expression),
        undefined,
        flags,
      );
      if (says !== undefined) found.push({ line: node.getText(source), says: says.trim(), shows });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/**
 * Writes a type with the members of its unions in order, however deep they stand: the compiler shows them in
 * the order in which it came to know them.
 */
function sorted(type: string): string {
  const source = ts.createSourceFile("t.ts", `type T = ${type};`, ts.ScriptTarget.Latest, true);
  const write = (node: ts.Node): string => {
    if (ts.isUnionTypeNode(node)) return node.types.map(write).sort().join(" | ");
    const children = node.getChildren(source);
    return children.length === 0 ? node.getText(source) : children.map(write).join(" ");
  };
  return write(source);
}

describe("types", () => {
  /** §2, §11: wrong durations, missing inputs and unknown workflows are errors of the compiler. */
  it("refuse what is to be refused, and show what is said", () => {
    const checked = program(files);
    expect(problems(checked)).toEqual([]);
    /** §2.6: JSON round-trips are in the types, written out and not as names of conditional types. */
    for (const file of [hover, telemetry, dialects]) {
      const types = shown(checked, file);
      expect(types).toHaveLength(readFileSync(file, "utf8").split("; //=> ").length - 1);
      expect(types.map(({ line, shows }) => `${line} ${sorted(shows)}`)).toEqual(
        types.map(({ line, says }) => `${line} ${sorted(says)}`),
      );
    }
  }, 60_000);
});
