/** Numbers that come out the same on replay (§2.3). */

import type { Core } from "../machine/core.js";
import { insideFunction } from "../machine/inside.js";

const WORD: bigint = (1n << 64n) - 1n;

/**
 * Draws 64 bits from the run's id and a counter. In a step's function, which is not called on
 * replay, the counter is the step's own.
 *
 * SplitMix64 over the words that it is given; what it gives must never change: runs replay it.
 */
export function draw(core: Core): bigint {
  const mixer = new Mixer();
  const run = BigInt(`0x${core.info.run.replace(/^run_/, "")}`);
  mixer.word(run & WORD);
  mixer.word(run >> 64n);
  const inside = insideFunction();
  if (inside?.core === core) {
    const { step } = inside;
    step.draws++;
    mixer.bytes(Buffer.from(step.id, "utf8"));
    mixer.word(BigInt(step.attempt?.n ?? 0));
    mixer.word(BigInt(step.draws));
  } else {
    core.draws++;
    mixer.word(BigInt(core.draws));
  }
  return mixer.end();
}

/** Draws a number from 0 to below 1, of the 53 bits that such a number has. */
export function random(core: Core): number {
  return Number(draw(core) >> 11n) / 2 ** 53;
}

/** Draws a UUID, version 4. */
export function uuid(core: Core): string {
  const high = (draw(core) & ~0xf000n) | 0x4000n;
  const low = (draw(core) & ~(3n << 62n)) | (2n << 62n);
  const hex = high.toString(16).padStart(16, "0") + low.toString(16).padStart(16, "0");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

class Mixer {
  #state = 0n;

  word(word: bigint): void {
    this.#state = mix(this.#state ^ mix(word));
  }

  bytes(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += 8) {
      const word = Buffer.alloc(8);
      bytes.copy(word, 0, at, at + 8);
      this.word(word.readBigUInt64LE());
    }
  }

  end(): bigint {
    return mix(this.#state);
  }
}

function mix(word: bigint): bigint {
  let z = (word + 0x9e3779b97f4a7c15n) & WORD;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & WORD;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & WORD;
  return z ^ (z >> 31n);
}
