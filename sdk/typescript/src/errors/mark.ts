/**
 * Errors are told apart by a mark on them and not by `instanceof`: a process may hold two copies of
 * this package.
 */

const MARK: unique symbol = Symbol.for("stepwell.error");

/** Marks an error with its names, its own first, then those of what it also is. */
export function mark(error: Error, names: readonly string[]): void {
  Object.defineProperty(error, MARK, { value: names, enumerable: false, configurable: true });
}

/** Tells whether a value is an error that was marked with this name; what cannot be asked is none. */
export function isMarked(value: unknown, name: string): boolean {
  if (typeof value !== "object" || value === null) return false;
  try {
    const names: unknown = Reflect.get(value, MARK);
    return Array.isArray(names) && names.includes(name);
  } catch {
    return false;
  }
}
