/** The address of the server, as programs and their environment give it. */

import { ArgumentError } from "./errors/base.js";

/** Returns the server's address. Throws `ArgumentError` for what is none. */
export function serverUrl(given: string | undefined): URL {
  const text = given ?? (process.env.STEPWELL_URL || "http://127.0.0.1:7878");
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "http:" || url?.protocol === "https:") return url;
  const from = given === undefined ? "STEPWELL_URL" : "url";
  throw new ArgumentError(
    `${from} is \`${text}\`; accepted: the address of a server, such as http://127.0.0.1:7878`,
  );
}
