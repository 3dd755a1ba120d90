/** Requests to the API of a server that asks for no key. */

/** What the API made, by its id. */
export interface Made {
  readonly id: string;
}

/** Returns what posts to a server; it throws where the server refuses. */
export function poster(server: string): (path: string, body: object) => Promise<Made> {
  return async (path, body) => {
    const headers = { "content-type": "application/json" };
    const request = { method: "POST", headers, body: JSON.stringify(body) };
    const answer = await fetch(`${server}/api/v1${path}`, request);
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    // The API is trusted for its answers here; tests look at what is shown.
    return (await answer.json()) as Made;
  };
}
