import { expect, it } from "vitest";
import { inFrontOf } from "../../src/dialects/front.js";

class Native {
  readonly plain = 1;
  count = 0;
  readonly #secret = 7;

  get asked(): number {
    return ++this.count;
  }

  secret(): number {
    return this.#secret;
  }

  own(): string {
    return "native";
  }

  left(): void {}
}

class Derived extends Native {
  override secret(): number {
    return super.secret() + 1;
  }
}

/** §13.1: a dialect's handle has its own members, and those of the native one. */
it("an object stands in front of another, whose private members stay its own", () => {
  const native = new Derived();
  const front = inFrontOf(native, { own: () => "own" }, ["left"]) as unknown as Native;
  const { secret } = front;
  expect([front.own(), secret(), front.plain]).toEqual(["own", 8, 1]);
  expect("left" in front).toBe(false);
  expect(Object.keys(front).sort()).toEqual(["count", "own", "plain"]);
  // What is read is read each time, and not before.
  expect(native.count).toBe(0);
  expect([front.asked, front.asked, front.count]).toEqual([1, 2, 2]);
});
