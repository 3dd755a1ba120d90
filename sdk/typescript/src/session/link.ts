/** Messages on their way to the node. */

import { byteLength } from "../machine/bytes.js";
import { FrameWriter } from "../protocol/frame.js";

/** What waits to be sent on the present connection, and how much the node is ready for. */
export class Link {
  #generation = 0;
  #isOpen = false;
  #credit = 0;
  /** Sent whatever the credit: a runner whose node is slow keeps its grant. */
  readonly #control: FrameWriter = new FrameWriter();
  readonly #messages: FrameWriter = new FrameWriter();
  #frames: string[] = [];

  /** Which connection it is. */
  get generation(): number {
    return this.#generation;
  }

  /** Begins a connection; the handshake is sent without credit. */
  open(hello: string): void {
    this.#generation++;
    this.#isOpen = true;
    this.#credit = 0;
    this.#control.push(hello);
  }

  /** Ends the connection; what was not sent is told again by those who hold it. */
  close(): void {
    this.#isOpen = false;
    this.#control.clear();
    this.#messages.clear();
    this.#frames = [];
  }

  /** Adds a message about a run, for the connection `generation`; does nothing if it is gone. */
  write(generation: number, message: string): void {
    if (this.#isOpen && generation === this.#generation) this.#messages.push(message);
  }

  /** Adds a message about the connection itself, which goes ahead of all others. */
  writeControl(message: string): void {
    if (this.#isOpen) this.#control.push(message);
  }

  /** The node is ready for so many bytes. */
  setCredit(bytes: number): void {
    this.#credit = bytes;
  }

  /** The node is ready for so many bytes more. */
  addCredit(bytes: number): void {
    this.#credit += bytes;
  }

  /** A frame was sent beside these. */
  pay(bytes: number): void {
    this.#credit -= bytes;
  }

  /** Takes the frames that the node is ready for. A frame may be larger than what is left. */
  take(): string[] {
    const taken = this.#control.take();
    for (const frame of taken) this.#credit -= byteLength(frame);
    if (this.#credit <= 0) return taken;
    if (!this.#messages.isEmpty()) {
      const made = this.#messages.take();
      if (this.#frames.length === 0) this.#frames = made;
      else this.#frames.push(...made);
    }
    let sent = 0;
    for (const frame of this.#frames) {
      if (this.#credit <= 0) break;
      this.#credit -= byteLength(frame);
      taken.push(frame);
      sent++;
    }
    this.#frames = sent === this.#frames.length ? [] : this.#frames.slice(sent);
    return taken;
  }
}
