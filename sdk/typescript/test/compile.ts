/** Asks the compiler about files, of which some may be nowhere but in a test. */

import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = fileURLToPath(new URL("..", import.meta.url));

/** What `stepwell` and its subpaths are for the files that are compiled. */
export type Modules = Readonly<Record<string, readonly string[]>>;

/** The package as its source has it. */
export const SOURCE: Modules = { stepwell: [`${root}src/index.ts`] };

/** The package as it is built, which is what people get. */
export const BUILT: Modules = {
  stepwell: [`${root}dist/index.d.ts`],
  "stepwell/test": [`${root}dist/test/index.d.ts`],
  "stepwell/telemetry": [`${root}dist/telemetry/index.d.ts`],
  "stepwell/dialects/failpath": [`${root}dist/dialects/failpath/index.d.ts`],
  "stepwell/dialects/loops": [`${root}dist/dialects/loops/index.d.ts`],
  "stepwell/dialects/durablex": [`${root}dist/dialects/durablex/index.d.ts`],
  "stepwell/dialects/questpie": [`${root}dist/dialects/questpie/index.d.ts`],
};

/** Compiles files as the package is compiled; `virtual` are texts by the paths that they would have. */
export function program(
  paths: readonly string[],
  virtual: ReadonlyMap<string, string> = new Map(),
  modules: Modules = SOURCE,
): ts.Program {
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  const all: ts.CompilerOptions = {
    ...options,
    declaration: false,
    isolatedDeclarations: false,
    noUnusedLocals: false,
    paths: Object.fromEntries(Object.entries(modules).map(([name, files]) => [name, [...files]])),
  };
  const host = ts.createCompilerHost(all);
  const { fileExists, getSourceFile } = host;
  host.fileExists = (path) => virtual.has(path) || fileExists(path);
  host.getSourceFile = (path, language, ...rest) => {
    const text = virtual.get(path);
    if (text === undefined) return getSourceFile(path, language, ...rest);
    return ts.createSourceFile(path, text, language, true);
  };
  return ts.createProgram([...paths, ...virtual.keys()], all, host);
}

/** Returns what the compiler has against a program. */
export function problems(of: ts.Program): string[] {
  return ts.getPreEmitDiagnostics(of).map((one) => {
    const line = one.file?.getLineAndCharacterOfPosition(one.start ?? 0).line ?? -1;
    const text = ts.flattenDiagnosticMessageText(one.messageText, "\n");
    return `${one.file?.fileName}:${line + 1}: ${text}`;
  });
}

/** Returns what a module of a program exports: names, and whether they are values or types only. */
export function exportsOf(of: ts.Program, path: string): Map<string, "value" | "type"> {
  const checker = of.getTypeChecker();
  const source = of.getSourceFile(path);
  const symbol = source && checker.getSymbolAtLocation(source);
  if (symbol === undefined) throw new Error(`${path} is no module`);
  const kindOf = (one: ts.Symbol): "value" | "type" => {
    const isAlias = (one.flags & ts.SymbolFlags.Alias) !== 0;
    const flags = (isAlias ? checker.getAliasedSymbol(one) : one).flags;
    return (flags & ts.SymbolFlags.Value) === 0 ? "type" : "value";
  };
  return new Map(checker.getExportsOfModule(symbol).map((one) => [one.name, kindOf(one)]));
}
