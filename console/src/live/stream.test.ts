// @vitest-environment happy-dom

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Change, EVERYTHING, Live, readChange } from "./stream.ts";

/** A stream whose messages a test writes. */
class Source extends EventTarget {
  readyState = 1;
  onerror: (() => void) | null = null;
  constructor(readonly url: string) {
    super();
  }
  say(name: string, id: string, data = "{}"): void {
    this.dispatchEvent(new MessageEvent(name, { lastEventId: id, data }));
  }
  close(): void {
    this.readyState = 2;
  }
}

/** A browser of several tabs: one lock, one channel, the streams that were opened. */
class Browser {
  readonly sources: Source[] = [];
  readonly #channels: { onmessage: ((event: MessageEvent) => void) | null }[] = [];
  readonly #queue: (() => Promise<void>)[] = [];
  #held = false;

  tab(): { live: Live; heard: Change[]; leave: () => void } {
    let leave = () => {};
    const live = new Live({
      source: (url) => {
        const source = new Source(url);
        this.sources.push(source);
        return source as unknown as EventSource;
      },
      channel: () => {
        const channel = {
          onmessage: null,
          postMessage: (data: unknown) => {
            for (const other of this.#channels) {
              if (other !== channel) other.onmessage?.({ data } as MessageEvent);
            }
          },
        };
        this.#channels.push(channel);
        leave = () => {
          this.#channels.splice(this.#channels.indexOf(channel), 1);
          this.#held = false;
          this.#next();
        };
        return channel as unknown as BroadcastChannel;
      },
      lock: (_signal, lead) => {
        this.#queue.push(lead);
        this.#next();
        return new Promise(() => {});
      },
    });
    const heard: Change[] = [];
    live.onChange((change) => heard.push(change));
    return { live, heard, leave: () => leave() };
  }

  #next(): void {
    if (this.#held) return;
    const lead = this.#queue.shift();
    if (lead === undefined) return;
    this.#held = true;
    void lead();
  }
}

const DATA =
  '{"runs":[{"id":"run_1","journalBytes":7}],"others":false,"events":false,"runners":true}';
const CHANGE = readChange(DATA);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("the first tab reads the stream, and all hear of a change", () => {
  const browser = new Browser();
  const [first, second] = [browser.tab(), browser.tab()];
  expect(browser.sources).toHaveLength(1);
  browser.sources[0]?.say("hello", "1-0");
  browser.sources[0]?.say("changes", "1-1", DATA);
  expect(first.heard).toEqual([EVERYTHING, CHANGE]);
  expect(second.heard).toEqual([EVERYTHING, CHANGE]);
  expect(second.live.connection.state).toBe("live");
});

test("a tab that comes later is told how things stand", () => {
  const browser = new Browser();
  browser.tab();
  browser.sources[0]?.say("hello", "1-0");
  expect(browser.tab().live.connection.state).toBe("live");
});

test("where the reading tab closes, the next goes on from where it was", () => {
  const browser = new Browser();
  const [first] = [browser.tab(), browser.tab()];
  browser.sources[0]?.say("hello", "1-0");
  browser.sources[0]?.say("changes", "1-1", DATA);
  first.leave();
  expect(browser.sources[1]?.url).toBe("/api/v1/stream?after=1-1");
});

test("a lost connection is told, tried again, and goes on from where it was", () => {
  const browser = new Browser();
  const tab = browser.tab();
  browser.sources[0]?.say("hello", "1-0");
  browser.sources[0]?.onerror?.();
  expect(tab.live.connection).toMatchObject({ state: "away", retryAt: Date.now() + 1000 });
  vi.advanceTimersByTime(1000);
  browser.sources[1]?.onerror?.();
  expect(tab.live.connection).toMatchObject({ state: "away", retryAt: Date.now() + 2000 });
  vi.advanceTimersByTime(2000);
  expect(browser.sources[2]?.url).toBe("/api/v1/stream?after=1-0");
  browser.sources[2]?.say("hello", "2-0");
  browser.sources[2]?.say("reset", "2-0");
  expect(tab.live.connection).toMatchObject({ state: "live", retryAt: null });
  expect(tab.heard).toEqual([EVERYTHING, EVERYTHING]);
});

test("a tab that hears nothing of the reading one says so", () => {
  const browser = new Browser();
  const [first, second] = [browser.tab(), browser.tab()];
  browser.sources[0]?.say("hello", "1-0");
  vi.advanceTimersByTime(60_000);
  expect(second.live.connection.state).toBe("live");
  const source = browser.sources[0];
  if (source !== undefined) source.readyState = 0;
  vi.advanceTimersByTime(60_000);
  expect(second.live.connection.state).toBe("away");
  expect(first.live.connection.state).toBe("live");
});

test("a stream that was halted is closed and not opened again", () => {
  const browser = new Browser();
  const { live, heard } = browser.tab();
  browser.sources[0]?.say("hello", "1-0");
  live.halt();
  expect(browser.sources[0]?.readyState).toBe(2);
  browser.sources[0]?.onerror?.();
  live.onChange((change) => heard.push(change));
  vi.advanceTimersByTime(60_000);
  expect(browser.sources).toHaveLength(1);
  expect(heard).toHaveLength(1);
});
