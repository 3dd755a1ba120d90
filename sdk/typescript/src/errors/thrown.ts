/** Reading what user code threw, whatever it is: nothing here throws. */

/** Most errors of one that stands for several. */
const BEHIND_MAX = 8;

/** Reads a member of something that user code threw, which may throw in turn. */
export function member(of: object, name: string): unknown {
  try {
    return Reflect.get(of, name);
  } catch {
    return undefined;
  }
}

/** Returns the name of an error. */
export function nameOf(thrown: object): string {
  const name = member(thrown, "name");
  return typeof name === "string" && name !== "" ? name : "Error";
}

/** Returns the message of an error, with those of the errors that it stands for; nothing where it has none. */
export function messageOf(thrown: object): string | undefined {
  const message = member(thrown, "message");
  if (typeof message !== "string") return undefined;
  const behind = behindOf(thrown);
  if (behind !== "") return message === "" ? behind : `${message}: ${behind}`;
  if (message !== "") return message;
  // Errors of Node that have no message of their own have this.
  const code = member(thrown, "code");
  return typeof code === "string" ? code : "";
}

function behindOf(thrown: object): string {
  try {
    const errors = member(thrown, "errors");
    const texts = (Array.isArray(errors) ? errors.slice(0, BEHIND_MAX) : []).map((one: unknown) => {
      const text = typeof one === "object" && one !== null ? member(one, "message") : textOf(one);
      return typeof text === "string" ? text : "";
    });
    return texts.filter((text) => text !== "").join("; ");
  } catch {
    return "";
  }
}

/** Says a value that is no error: what was thrown is told whatever it is. */
export function textOf(thrown: unknown): string {
  if (typeof thrown === "string") return thrown;
  try {
    return (typeof thrown === "object" ? JSON.stringify(thrown) : undefined) ?? String(thrown);
  } catch {
    return plainText(thrown);
  }
}

function plainText(thrown: unknown): string {
  try {
    return Object.prototype.toString.call(thrown);
  } catch {
    return `[${typeof thrown}]`;
  }
}
