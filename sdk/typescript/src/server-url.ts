/** The addresses of the server's nodes, as programs and their environment give them. */

import { ArgumentError } from "./errors/base.js";

/** Where a server listens unless told otherwise. */
const LOCAL = "http://127.0.0.1:7878";

/** The address of a server, or those of several of its nodes. */
export type Addresses = string | readonly string[];

/**
 * Returns the given addresses, else those of `STEPWELL_URL`, each as `read` reads it; there is one at least.
 *
 * @param read - throws `ArgumentError` with the reason where one is none
 * @throws `ArgumentError` with which of them is none
 */
export function addressesOf<T>(given: Addresses | undefined, read: (text: string) => T): T[] {
  const from = given === undefined ? "STEPWELL_URL" : "url";
  const value = given ?? (process.env.STEPWELL_URL || LOCAL);
  const texts = typeof value === "string" ? value.split(",") : value;
  if (!Array.isArray(texts) || texts.length === 0) {
    throw new ArgumentError(
      `${from} holds no address; accepted: such as ${LOCAL}, or a list of such`,
    );
  }
  return texts.map((text, at) => {
    try {
      return read(String(text).trim());
    } catch (error) {
      if (texts.length === 1 || !ArgumentError.is(error)) throw error;
      throw new ArgumentError(`${from}, number ${at + 1} of ${texts.length}: ${error.message}`);
    }
  });
}

/** Returns the addresses of a server's nodes. Throws `ArgumentError` for what is none. */
export function serverUrls(given: Addresses | undefined): URL[] {
  const from = given === undefined ? "STEPWELL_URL" : "url";
  return addressesOf(given, (text) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url?.protocol === "http:" || url?.protocol === "https:") return url;
    throw new ArgumentError(
      `${from} is \`${text}\`; accepted: the address of a server, such as ${LOCAL}, or several`,
    );
  });
}

/** Draws the place at which a list is begun with, so that programs are spread over the nodes. */
export function anyPlace(list: readonly unknown[]): number {
  return Math.floor(Math.random() * list.length);
}
