/**
 * A workflow as others name it: by its value, or by a reference.
 *
 * @typeParam Name - its name
 * @typeParam In - what a start takes
 * @typeParam Out - what its run gives
 * @typeParam Deps - what its app has to give
 */
export interface WorkflowRef<
  out Name extends string = string,
  out In = unknown,
  out Out = unknown,
  out Deps = unknown,
> {
  readonly kind: "workflow";
  readonly name: Name;
  /** Holds types only; there is no value. */
  readonly "~types"?: { readonly input: In; readonly output: Out; readonly deps: Deps };
}

/** The name of a workflow. */
export type NameOf<W extends WorkflowRef> = W["name"];

/** What a start of a workflow takes. */
export type WorkflowInput<W extends WorkflowRef> = NonNullable<W["~types"]>["input"];

/** What a run of a workflow gives, as it is read from JSON. */
export type WorkflowOutput<W extends WorkflowRef> = NonNullable<W["~types"]>["output"];

/** What the app of a workflow has to give it. */
export type WorkflowDeps<W extends WorkflowRef> = NonNullable<W["~types"]>["deps"];

/** The member `input` of a start: needed where the workflow takes an input. */
export type InputField<W extends WorkflowRef> =
  undefined extends WorkflowInput<W>
    ? { readonly input?: WorkflowInput<W> }
    : { readonly input: WorkflowInput<W> };

/** The name of a workflow whose type is told beside it; a plain `string` is none. */
export type KnownName<W extends WorkflowRef> = string extends NameOf<W> ? never : NameOf<W>;
