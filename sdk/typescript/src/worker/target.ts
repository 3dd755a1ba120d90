/** Where a server is. */

import { ArgumentError } from "../errors.js";

const ACCEPTED =
  "accepted: http://host:port or https://host:port, such as http://127.0.0.1:7878, or several";

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
  const isEncrypted = ["https:", "wss:"].includes(parsed.protocol);
  if (!isEncrypted && !["http:", "ws:"].includes(parsed.protocol)) {
    refuse("it does not begin with http:// or https://");
  }
  if (parsed.search !== "") refuse("it has a query");
  if (parsed.username !== "" || parsed.password !== "") refuse("it holds a user or password");
  if (parsed.host === "") refuse("it has no host");
  const scheme = isEncrypted ? "wss" : "ws";
  return `${scheme}://${parsed.host}${parsed.pathname.replace(/\/+$/, "")}${path}`;
}

/** Tells whether what is sent to this URL can be read by others on the way. */
export function isReadable(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  const isLoopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/i.test(hostname);
  return protocol !== "wss:" && protocol !== "https:" && !isLoopback;
}
