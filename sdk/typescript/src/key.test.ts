import { afterEach, expect, it, vi } from "vitest";
import { thrownBy } from "../test/support.js";
import { ArgumentError } from "./errors.js";
import { keyHeaders, keyOf } from "./key.js";

afterEach(() => void vi.unstubAllEnvs());

it("a key is the one that is given, else that of the environment", () => {
  vi.stubEnv("STEPWELL_KEY", "sw_environment\n");
  expect(keyOf("client", " sw_given\n")).toBe("sw_given");
  expect(keyOf("client", undefined)).toBe("sw_environment");
  vi.stubEnv("STEPWELL_KEY", "");
  expect(keyOf("client", undefined)).toBe(undefined);
  expect([keyHeaders("sw_a"), keyHeaders(undefined)]).toEqual([
    { authorization: "Bearer sw_a" },
    {},
  ]);
});

it.each<[unknown, string]>([
  ["", "is empty"],
  [" \n", "is empty"],
  ["sw_se cret", "holds what is no letter, digit or sign of ASCII"],
  ["sw_secret\r\nx: y", "holds what is no letter, digit or sign of ASCII"],
  ["sw_secrét", "holds what is no letter, digit or sign of ASCII"],
  ["secret".repeat(100), "has 600 characters"],
  [7, "is no text"],
])("case %#: what is no key is refused, and not shown", (given, why) => {
  const error = thrownBy(() => keyOf("client", given as string));
  expect(ArgumentError.is(error) && error.message).toContain(`client: \`key\` ${why}; accepted`);
  expect(String(error)).not.toContain("secr");
});

it("a variable that holds no key says that it is the variable", () => {
  vi.stubEnv("STEPWELL_KEY", "two words");
  expect(String(thrownBy(() => keyOf("client", undefined)))).toContain("STEPWELL_KEY holds");
});
