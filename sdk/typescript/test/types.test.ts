import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const hover = `${root}test/types/hover.ts`;
const files = [hover, `${root}test/types/refused.ts`];

function program(): ts.Program {
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  return ts.createProgram(files, { ...options, declaration: false, isolatedDeclarations: false });
}

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

describe("types", () => {
  /** §2, §11: wrong durations, missing inputs and unknown workflows are errors of the compiler. */
  it("refuse what is to be refused, and show what is said", () => {
    const checked = program();
    const problems = ts.getPreEmitDiagnostics(checked).map((one) => {
      const line = one.file?.getLineAndCharacterOfPosition(one.start ?? 0).line ?? -1;
      return `${one.file?.fileName}:${line + 1}: ${ts.flattenDiagnosticMessageText(one.messageText, "\n")}`;
    });
    expect(problems).toEqual([]);
    /** §2.6: JSON round-trips are in the types, written out and not as names of conditional types. */
    const types = shown(checked, hover);
    expect(types).toHaveLength(readFileSync(hover, "utf8").split("; //=> ").length - 1);
    expect(types.map(({ line, shows }) => `${line} ${shows}`)).toEqual(
      types.map(({ line, says }) => `${line} ${says}`),
    );
  }, 60_000);
});
