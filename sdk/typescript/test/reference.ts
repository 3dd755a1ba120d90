/**
 * Makes the API reference from the doc comments. A generator of our own, since it writes Markdown that is
 * read and reviewed beside the code, needs nothing but the compiler that is there, and fails where something
 * that is exported has no comment.
 */

import ts from "typescript";

/** The pages: the path that is imported, and its source. */
const ENTRIES = [
  ["stepwell", "src/index.ts"],
  ["stepwell/test", "src/test/index.ts"],
  ["stepwell/telemetry", "src/telemetry/index.ts"],
  ["stepwell/dialects/failpath", "src/dialects/failpath/index.ts"],
  ["stepwell/dialects/loops", "src/dialects/loops/index.ts"],
  ["stepwell/dialects/durablex", "src/dialects/durablex/index.ts"],
  ["stepwell/dialects/questpie", "src/dialects/questpie/index.ts"],
] as const;

const KINDS = ["Functions", "Classes", "Types"] as const;

interface Entry {
  readonly name: string;
  readonly kind: (typeof KINDS)[number];
  readonly prose: string;
  readonly code: string;
}

/** Returns the reference as Markdown. Throws where an export has no comment. */
export function reference(root: string): string {
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  const files = ENTRIES.map(([, path]) => root + path);
  const program = ts.createProgram(files, {
    ...options,
    noEmit: false,
    emitDeclarationOnly: true,
    stripInternal: true,
    rootDir: `${root}src`,
    outDir: `${root}dist`,
  });
  const declared = declarations(program, root);
  const lines = [
    "# API reference of the TypeScript SDK",
    "",
    "Made from the doc comments: `npx vitest run reference -u` makes it again. A test fails where it is not what",
    "the code says. § numbers are those of [the contract](../../../docs/semantics.md).",
  ];
  for (const [path, source] of ENTRIES) {
    lines.push("", `## \`${path}\``);
    const entries = exportsOf(program, root + source, declared);
    for (const kind of KINDS) {
      const some = entries.filter((entry) => entry.kind === kind);
      if (some.length > 0) lines.push("", `### ${kind}`);
      for (const { name, prose, code } of some) {
        lines.push("", `#### ${name}`, "", prose, "", "```ts", code, "```");
      }
    }
  }
  return `${lines.join("\n")}\n`;
}

/** Returns the statements of each declaration file by the source that it was made from. */
function declarations(program: ts.Program, root: string): Map<string, ts.SourceFile> {
  const found = new Map<string, ts.SourceFile>();
  program.emit(undefined, (path, text) => {
    const source = path.replace(`${root}dist`, `${root}src`).replace(/\.d\.ts$/, ".ts");
    found.set(source, ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true));
  });
  return found;
}

function exportsOf(
  program: ts.Program,
  path: string,
  declared: Map<string, ts.SourceFile>,
): Entry[] {
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(path);
  const module = source && checker.getSymbolAtLocation(source);
  if (module === undefined) throw new Error(`${path} is no module`);
  return checker
    .getExportsOfModule(module)
    .map((symbol) =>
      symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol,
    )
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((symbol) => entryOf(symbol, declared));
}

function entryOf(symbol: ts.Symbol, declared: Map<string, ts.SourceFile>): Entry {
  const from = symbol.declarations?.[0]?.getSourceFile().fileName ?? "";
  const file = declared.get(from);
  const statements = file?.statements.filter((one) => names(one).includes(symbol.name)) ?? [];
  if (file === undefined || statements.length === 0)
    throw new Error(`${symbol.name} is not declared in ${from}`);
  const comments = statements.map((one) => commentOf(one, file));
  if (comments[0] === undefined) throw new Error(`${symbol.name} in ${from} has no doc comment`);
  const code = statements.map((one) => one.getText(file).replace(/^export declare |^export /, ""));
  const first = statements[0];
  const isCall =
    first !== undefined && (ts.isFunctionDeclaration(first) || ts.isVariableStatement(first));
  const kind = isCall
    ? "Functions"
    : first !== undefined && ts.isClassDeclaration(first)
      ? "Classes"
      : "Types";
  const prose = comments.filter((one) => one !== undefined).join("\n\n");
  return { name: symbol.name, kind, prose, code: code.join("\n") };
}

function names(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map((one) => one.name.getText());
  }
  const { name } = statement as ts.Statement & { name?: ts.Identifier };
  return name === undefined ? [] : [name.text];
}

/** Returns a statement's doc comment as Markdown. */
function commentOf(statement: ts.Statement, file: ts.SourceFile): string | undefined {
  const range = ts.getLeadingCommentRanges(file.text, statement.pos)?.at(-1);
  const text = range && file.text.slice(range.pos, range.end);
  if (text === undefined || !text.startsWith("/**")) return undefined;
  return text
    .replace(/^\/\*\*\s?|\s*\*\/$/g, "")
    .replace(/^\s*\* ?/gm, "")
    .trim()
    .replace(/\{@link ([^}]+)\}/g, "`$1`")
    .replace(/^@typeParam (\w+) - /gm, "- `$1`: ")
    .replace(/^@param (\w+) - /gm, "- `$1`: ")
    .replace(/^@throws /gm, "Throws ");
}
