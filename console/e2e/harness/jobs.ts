/** An act on many runs that changes none of them: each refuses to be deleted while it goes on. */

import { poster } from "./post.ts";

/** Plays it to its end. */
export async function playJobs(server: string): Promise<void> {
  const filter = { app: "shop", status: "waiting" };
  const body = { act: "delete", filter, by: "Hanna Okafor", reason: "clear the <b>shelf</b>" };
  const { id } = await poster(server)("/bulk", body);
  for (let tries = 0; tries < 600; tries++) {
    const answer = await fetch(`${server}/api/v1/bulk/${id}`);
    const { state } = (await answer.json()) as { readonly state: string };
    if (state === "done") return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`the act ${id} does not end`);
}
