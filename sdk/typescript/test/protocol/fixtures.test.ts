import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FRAME_CHARS, FrameWriter, parseFrame } from "../../src/protocol/frame.js";
import { hello } from "../../src/protocol/to-node.js";

const FIXTURES = new URL("../../../../crates/stepwell-protocol/fixtures/v1.json", import.meta.url);
const TEXT = readFileSync(FIXTURES, "utf8");

/** Returns the messages of a side as the texts that they are in the file. */
function textsOf(side: "toNode" | "toRunner"): string[] {
  const from = TEXT.indexOf(`"${side}": [`);
  const lines = TEXT.slice(from, TEXT.indexOf("\n  ]", from)).split("\n").slice(1);
  return lines.map((line) => line.trim().replace(/,$/, ""));
}

describe("messages of the protocol", () => {
  /** Fixtures of released messages are understood for ever; nonces keep all their digits. */
  it("reads every message of the node", () => {
    const texts = textsOf("toRunner");
    expect(texts.length).toBeGreaterThan(25);
    const messages = parseFrame(`[${texts.join(",")}]`);
    const written = JSON.stringify(messages).replace(/"nonce":"(\d+)"/g, '"nonce":$1');
    expect(written).toBe(`[${texts.join(",")}]`);
  });

  /** §4.7: what names an activation is told as it came, though no number of the language holds it. */
  it("tells a nonce of 64 bits again", () => {
    const wanted = textsOf("toNode").find((text) => text.includes("18446744073709551615"));
    const said = JSON.parse(wanted ?? "{}").hello;
    const { resume, protocol, ...identity } = said;
    const exact = { ...resume[0], nonce: "18446744073709551615" };
    const other = { ...resume[1], nonce: "0" };
    expect(protocol).toBe(1);
    expect(JSON.parse(hello(identity, [exact, other]))).toEqual({ hello: said });
    expect(hello(identity, [exact, other])).toContain('"nonce":18446744073709551615,');
  });

  /** Nothing in a payload is taken for a nonce, and no payload is changed. */
  it("finds nonces beside payloads that look like them", () => {
    const payload = { activate: { nonce: 1234567, text: '"nonce":1,\\"' } };
    const activate = (nonce: string): string =>
      `{"activate":{"a":1,"input":${JSON.stringify(payload)},"nonce" : ${nonce},"key":"x"}}`;
    const texts = [
      activate("18446744073709551615"),
      '{"pong":{"k":1}}',
      activate("9007199254740993"),
    ];
    const messages = parseFrame(`[${texts.join(",")}]`);
    expect(messages.map((one) => one.activate?.nonce)).toEqual([
      "18446744073709551615",
      undefined,
      "9007199254740993",
    ]);
    expect(messages[0]?.activate?.input).toEqual(payload);
  });

  it("refuses what is no array of messages", () => {
    for (const frame of ["{}", "[1]", "null", "[null]"]) {
      expect(() => parseFrame(frame)).toThrow(TypeError);
    }
    expect(() => parseFrame("[")).toThrow(SyntaxError);
  });

  /** A frame that holds more than one message has at most 256 KiB. */
  it("divides frames by their size", () => {
    const writer = new FrameWriter();
    const message = JSON.stringify({ ping: { k: "ü".repeat(1_000) } });
    for (let count = 0; count < 200; count++) writer.push(message);
    writer.push(`"${"x".repeat(FRAME_CHARS * 2)}"`);
    const frames = writer.take();
    expect(frames.flatMap((frame) => JSON.parse(frame))).toHaveLength(201);
    const many = frames.filter((frame) => JSON.parse(frame).length > 1);
    for (const frame of many) expect(Buffer.byteLength(frame)).toBeLessThanOrEqual(256 * 1024);
    expect(frames.length).toBeGreaterThan(2);
    expect(writer.take()).toEqual([]);
  });
});
