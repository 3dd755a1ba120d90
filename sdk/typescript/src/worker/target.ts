/** Where a server is. */

import { ArgumentError } from "../errors.js";

/** Where a server listens unless told otherwise. */
export const DEFAULT_URL = "http://127.0.0.1:7878";

const ACCEPTED = "accepted: http://host:port, such as http://127.0.0.1:7878";

/**
 * Returns the URL of a path of the server.
 *
 * @throws ArgumentError where `url` is not the address of a server
 */
export function socketUrl(url: string, path: string): string {
  const refuse = (why: string): never => {
    throw new ArgumentError(`\`${url}\` is not the address of a server: ${why}; ${ACCEPTED}`);
  };
  const parsed = URL.canParse(url) ? new URL(url) : refuse("it is no URL");
  if (parsed.protocol === "https:" || parsed.protocol === "wss:") refuse("TLS is not built yet");
  if (parsed.protocol !== "http:" && parsed.protocol !== "ws:") {
    refuse("it does not begin with http://");
  }
  if (parsed.search !== "") refuse("it has a query");
  if (parsed.username !== "" || parsed.password !== "") refuse("it holds a user or password");
  if (parsed.host === "") refuse("it has no host");
  return `ws://${parsed.host}${parsed.pathname.replace(/\/+$/, "")}${path}`;
}
