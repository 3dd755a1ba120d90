/** The key that a program shows to a server. */

import { ArgumentError } from "./errors/base.js";

/** Most characters of a key: a server takes some kilobytes of headers altogether. */
const LENGTH_MAX = 512;

const ACCEPTED = "accepted: one as the server made it, such as sw_4hx2…";

/**
 * Takes the key that the program gives, else that of `STEPWELL_KEY`, if there is one.
 *
 * @param where - what it is for, such as "client"
 * @param option - what it is called there
 * @throws `ArgumentError` where it cannot be a key; the message does not hold it
 */
export function keyOf(
  where: string,
  given: string | undefined,
  option = "key",
): string | undefined {
  // A variable that is empty is one that is not set: files of deployments have such.
  const value: unknown = given ?? (process.env.STEPWELL_KEY || undefined);
  if (value === undefined) return undefined;
  const place = given === undefined ? "STEPWELL_KEY" : `${where}: \`${option}\``;
  const refuse = (why: string): never => {
    throw new ArgumentError(`${place} ${why}; ${ACCEPTED}`);
  };
  if (typeof value !== "string") return refuse("is no text");
  // What is read from a file ends with a line break.
  const key = value.trim();
  if (key === "") refuse("is empty");
  if (key.length > LENGTH_MAX) refuse(`has ${key.length} characters`);
  if (!/^[\x21-\x7e]+$/.test(key)) refuse("holds what is no letter, digit or sign of ASCII");
  return key;
}

/** Returns the headers that show the key (RFC 6750 §2.1). */
export function keyHeaders(key: string | undefined): Record<string, string> {
  return key === undefined ? {} : { authorization: `Bearer ${key}` };
}
