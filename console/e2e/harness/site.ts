/** A server with its console: the server's own pages where it has them, else those of the last build. */

import { Crew } from "../workshop/crew.ts";
import { type Stage, stageOn } from "../workshop/story.ts";
import { Pages } from "./pages.ts";
import { Server, type Start } from "./server.ts";

/** A server, its console, and the runners that were started for it. */
export class Site {
  readonly stage: Stage;

  private constructor(
    readonly server: Server,
    readonly pages: Pages | null,
  ) {
    this.stage = stageOn(new Crew(server.url));
  }

  /** Starts one; resolves once both answer. */
  static async start(start: Start = {}): Promise<Site> {
    const server = await Server.start(start);
    const own = await servesPages(server.url);
    return new Site(server, own ? null : await Pages.start(server.url));
  }

  /** Where the console is. */
  get url(): string {
    return this.pages?.url ?? this.server.url;
  }

  async end(): Promise<void> {
    await this.stage.crew.end();
    await this.pages?.end();
    await this.server.end();
  }
}

/**
 * Tells whether a server serves the console itself; one that was built without says in a page how to build it. With
 * `CONSOLE_PAGES=dist` the last build is looked at, whatever the server was built with.
 */
export async function servesPages(url: string): Promise<boolean> {
  if (process.env.CONSOLE_PAGES === "dist") return false;
  const answer = await fetch(url, { headers: { accept: "text/html" } });
  const text = await answer.text();
  return answer.ok && text.includes('id="console"');
}
