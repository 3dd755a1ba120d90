/** What becomes of types when their values are saved as JSON and read back (§2.6). */

/** A JSON value, or what JSON.stringify makes one of. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [name: string]: Json | undefined };

/** Values that JSON cannot hold, and that the SDK refuses with a `SerializationError`. */
type NoJson =
  | ((...args: never[]) => unknown)
  | (abstract new (
      ...args: never[]
    ) => unknown)
  | bigint
  | symbol
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | WeakMap<WeakKey, unknown>
  | WeakSet<WeakKey>
  | PromiseLike<unknown>
  | ArrayBuffer;

type IsAny<T> = 0 extends 1 & T ? true : false;

/** What JSON gives back as it is, member by member; `never` where it does not. */
type Native<T> =
  IsAny<T> extends true
    ? T
    : unknown extends T
      ? T
      : T extends string | number | boolean | null
        ? T
        : T extends undefined | NoJson
          ? never
          : { [K in keyof T]: K extends symbol ? never : Native<T[K]> };

/** How JSON treats a member: it keeps it, it may leave it out, or it always leaves it out. */
type Treated<T> =
  IsAny<T> extends true
    ? "kept"
    : unknown extends T
      ? "kept"
      : [Exclude<T, undefined>] extends [(...args: never[]) => unknown]
        ? "dropped"
        : undefined extends T
          ? "optional"
          : "kept";

type Kept<T> = {
  [K in keyof T as K extends symbol ? never : Treated<T[K]> extends "kept" ? K : never]: Jsonify<
    T[K]
  >;
};

type Optional<T> = {
  [K in keyof T as K extends symbol
    ? never
    : Treated<T[K]> extends "optional"
      ? K
      : never]?: Jsonify<Exclude<T[K], undefined>>;
};

/** Elements of arrays that are undefined become null, as JSON.stringify has it. */
type Element<T> = IsAny<T> extends true ? T : unknown extends T ? T : ElementOf<T>;
type ElementOf<T> = T extends undefined ? null : Jsonify<T>;

type Items<T extends readonly unknown[]> = { [K in keyof T]: Element<T[K]> };

/** Written out, so that a hover shows the members and not the names of these types. */
type Members<T> = Kept<T> & Optional<T> extends infer M ? { [K in keyof M]: M[K] } : never;

/**
 * The type of a value after it was saved as JSON and read back (§2.6).
 *
 * Literals, unions, `unknown` and `any` stay what they are; `toJSON` gives its own type (a `Date`
 * becomes `string`); methods and members that are undefined are dropped; a type that JSON keeps as
 * it is keeps its name. What JSON cannot hold is `never`. No value (`undefined`, `void`) stays so.
 */
export type Jsonify<T> = IsAny<T> extends true ? T : unknown extends T ? T : JsonifyKnown<T>;

type JsonifyKnown<T> = T extends string | number | boolean | null | undefined
  ? T
  : // biome-ignore lint/suspicious/noConfusingVoidType: a function may return nothing
    [T] extends [void]
    ? T
    : T extends { toJSON(...args: never[]): infer J }
      ? Jsonify<J>
      : T extends NoJson
        ? never
        : T extends Native<T>
          ? T
          : T extends readonly unknown[]
            ? Items<T>
            : T extends object
              ? Members<T>
              : never;
