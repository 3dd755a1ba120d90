/** Ids of steps as people spell them (§2.5). */

const SEPARATOR = "\u001f";

/**
 * Returns the id of a step as it is shown: of one that the engine made its space and its name, such as
 * `compensate charge` and `onFailure`.
 */
export function spelled(id: string): string {
  const at = id.indexOf(SEPARATOR);
  if (at < 0) return id;
  const [space, name] = [id.slice(0, at), id.slice(at + 1)];
  return space === name ? name : `${space} ${name}`;
}

/** Returns the id that is kept of a step that is shown as `id`. */
export function unspelled(kind: string, id: string): string {
  if (kind !== "namedWait") return id;
  // A server shows it as it is kept.
  return `wait${SEPARATOR}${id.replace(SEPARATOR, " ").replace(/^wait /, "")}`;
}
