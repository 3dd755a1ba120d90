/** A tab of the console that remembers everything that must not happen in it. */

import type {
  Browser,
  BrowserContext,
  BrowserContextOptions,
  ConsoleMessage,
  Page,
} from "playwright-core";

/** How long a tab is waited for: long enough for a machine that is busy with something else. */
const PATIENCE_MS = 30_000;

/** How a tab is opened. */
export interface TabOptions {
  readonly theme?: "light" | "dark";
  readonly width?: number;
  readonly height?: number;
  readonly reducedMotion?: boolean;
  /** What the browser remembers, by the console's names: `{ density: "compact" }`. */
  readonly stored?: Readonly<Record<string, string>>;
  readonly touch?: boolean;
}

/** A tab; it is its own window unless it was opened by {@link Tab.beside}. */
export class Tab {
  readonly #faults: string[] = [];
  readonly #allowed: RegExp[] = [];

  private constructor(
    readonly origin: string,
    readonly context: BrowserContext,
    readonly page: Page,
  ) {
    page.on("pageerror", (error) => this.#fault(`error: ${error.stack ?? error.message}`));
    page.on("console", (message) => this.#said(message));
    page.on("dialog", (dialog) => {
      this.#fault(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on("request", (request) => {
      const url = new URL(request.url());
      const isOwn = url.origin === this.origin || ["data:", "blob:"].includes(url.protocol);
      if (!isOwn) this.#fault(`asked another host: ${url}`);
    });
  }

  /** Opens an empty tab in a window of its own. */
  static async open(browser: Browser, origin: string, options: TabOptions = {}): Promise<Tab> {
    const context = await browser.newContext(contextOf(options));
    context.setDefaultTimeout(PATIENCE_MS);
    await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin });
    await context.addInitScript(watch);
    await context.addInitScript(remember, options.stored ?? {});
    return new Tab(origin, context, await context.newPage());
  }

  /** Opens another tab of the same window: it shares what the browser remembers. */
  async beside(): Promise<Tab> {
    return new Tab(this.origin, this.context, await this.context.newPage());
  }

  /** Goes to an address of the console, and waits for its first answer to be shown. */
  async go(path: string): Promise<void> {
    await this.page.goto(this.origin + path);
    await this.page
      .getByRole("main")
      .and(this.page.locator(":not([aria-busy=true])"))
      .first()
      .waitFor();
  }

  /** Waits until the page says that it is live, or `Reconnecting`, or `Connecting`. */
  async says(state: "Live" | "Reconnecting"): Promise<void> {
    await this.page.getByRole("status").filter({ hasText: state }).first().waitFor();
  }

  /** Resolves once the dialog that is open has closed. */
  async dialogGone(): Promise<void> {
    await this.page.getByRole("dialog").waitFor({ state: "detached" });
  }

  /** What the address says, without the origin. */
  get address(): string {
    return this.page.url().slice(this.origin.length);
  }

  /** Lets messages pass that a test brings about, such as a connection that is refused. */
  allow(pattern: RegExp): void {
    this.#allowed.push(pattern);
  }

  /** Ends the tab's window and returns what must not have happened. */
  async end(): Promise<readonly string[]> {
    const hits = await Promise.all(this.context.pages().map(hasHit));
    if (hits.some(Boolean)) this.#faults.push("a script of a payload ran");
    await this.context.close();
    return this.#faults;
  }

  #said(message: ConsoleMessage): void {
    if (["error", "warning"].includes(message.type())) {
      this.#fault(`console ${message.type()}: ${message.text()} (${message.location().url})`);
    }
  }

  #fault(text: string): void {
    if (!this.#allowed.some((pattern) => pattern.test(text))) this.#faults.push(text);
  }
}

function contextOf(options: TabOptions): BrowserContextOptions {
  const {
    theme = "light",
    width = 1440,
    height = 900,
    reducedMotion = false,
    touch = false,
  } = options;
  return {
    viewport: { width, height },
    colorScheme: theme,
    reducedMotion: reducedMotion ? "reduce" : "no-preference",
    hasTouch: touch,
    locale: "en-GB",
    timezoneId: "Europe/Berlin",
  };
}

/** Runs in the page: a violated policy is an error of the page. */
function watch(): void {
  addEventListener("securitypolicyviolation", (event) => {
    // biome-ignore lint/suspicious/noConsole: the tab listens to it
    console.error(
      `policy: ${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile ?? ""}`,
    );
  });
}

/** Runs in the page before the console does. */
function remember(stored: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(stored)) {
    // Only what nothing is remembered for: a reload keeps what was chosen meanwhile.
    localStorage.setItem(`stepwell.${name}`, localStorage.getItem(`stepwell.${name}`) ?? value);
  }
}

async function hasHit(page: Page): Promise<boolean> {
  const frames = page.frames().map(async (frame) => await frame.evaluate(() => "__hit" in window));
  return (await Promise.all(frames)).some(Boolean);
}
