/** Standard Schema, version 1 (https://standardschema.dev): the part of it that is used here. */

/** A schema of any library that speaks Standard Schema: zod, valibot, arktype and others. */
export interface StandardSchema<Input = unknown, Output = Input> {
  /** What the library says of the schema. */
  readonly "~standard": StandardProps<Input, Output>;
}

/** See {@link StandardSchema}. */
export interface StandardProps<Input, Output> {
  readonly version: 1;
  /** Who made the schema, such as `zod`. */
  readonly vendor: string;
  readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
  /** Holds types only; there is no value. */
  readonly types?: { readonly input: Input; readonly output: Output } | undefined;
}

/** What a schema says of a value. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: ReadonlyArray<StandardIssue> };

/** What is wrong, and where. */
export interface StandardIssue {
  readonly message: string;
  readonly path?: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined;
}

/** The type that a schema takes. */
export type InputOf<S extends StandardSchema> = NonNullable<S["~standard"]["types"]>["input"];

/** The type that a schema gives. */
export type OutputOf<S extends StandardSchema> = NonNullable<S["~standard"]["types"]>["output"];
