/** Workflows that are named and not held (§9.2). */

import { checkName } from "./name.js";
import type {
  KnownName,
  NameOf,
  WorkflowInput,
  WorkflowOutput,
  WorkflowRef,
} from "./types/reference.js";

/**
 * Makes a reference to a workflow by its name, with the types of one that is imported as a type only:
 *
 * ```ts
 * import type { fraud } from "./fraud.js";
 *
 * await step.invoke("check", { workflow: ref<typeof fraud>("fraud"), input: { order } });
 * ```
 *
 * @throws `ArgumentError` for a name that is not accepted.
 */
export function ref<W extends WorkflowRef>(
  name: KnownName<W>,
): WorkflowRef<NameOf<W>, WorkflowInput<W>, WorkflowOutput<W>>;
/**
 * Makes a reference to a workflow of which only the name is known, such as one in another language.
 * Where its types are known, say them: `ref<WorkflowRef<"ship", Order, Parcel>>("ship")`.
 */
export function ref(name: string): WorkflowRef;
export function ref(name: string): WorkflowRef {
  checkName("a workflow's name", name);
  return Object.freeze({ kind: "workflow", name });
}
