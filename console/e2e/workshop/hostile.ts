/** Names and payloads that want to be more than text. Whatever of them runs sets `window.__hit`. */

import { type Ctx, type Step, workflow } from "./sdk.ts";

const HIT = "window.__hit=1";

/** What is tried, `#` stands for a number that makes it unique. */
const SHAPES: readonly string[] = [
  `<script>${HIT}</script>#`,
  `<img src=x onerror="${HIT}">#`,
  `<svg/onload=${HIT}>#`,
  `"><script>${HIT}</script>#`,
  `' autofocus onfocus='${HIT}' x='#`,
  `" onmouseover="${HIT}" style="position:fixed;inset:0" x="#`,
  `</title><script>${HIT}</script>#`,
  `</textarea><iframe srcdoc="<script>parent.__hit=1</script>">#`,
  `<iframe src="javascript:${HIT}">#`,
  `javascript:${HIT}//#`,
  `data:text/html,<script>${HIT}</script>#`,
  `https://evil.example/#?q=<b>`,
  `//evil.example/pixel.png?#`,
  `<a href="https://evil.example/#" target=_blank>click</a>`,
  `<link rel=stylesheet href="https://evil.example/#.css">`,
  `<style>*{display:none}</style>#`,
  `<base href="https://evil.example/">#`,
  `<meta http-equiv="refresh" content="0;url=https://evil.example/#">`,
  `<form action="https://evil.example/"><button>#</button></form>`,
  `<math><mtext><table><mglyph><style><img src=x onerror=${HIT}>#`,
  `{{constructor.constructor("${HIT}")()}}#`,
  `\${${HIT}}#`,
  `<%= ${HIT} %>#`,
  `[click](javascript:${HIT})#`,
  `![x](https://evil.example/#.png)`,
  `\u202Eexe.gpj#`,
  `\u2066left\u2069 \u2067right#`,
  `\u200B\u200B\u200Binvisible#`,
  `zalgo H\u0300\u0301\u0302\u0303\u0304e\u0316\u0317\u0318\u0319\u0320#`,
  `עברית שלום #`,
  `مرحبا بالعالم #`,
  `👩‍👩‍👧‍👦🏴‍☠️#`,
  `\uFEFFbom#`,
  `__proto__#`,
  `constructor#`,
  `toString#`,
  `null#`,
  `../../../etc/passwd#`,
  `%00%0d%0aSet-Cookie: a=b#`,
  `%3Cscript%3E${HIT}%3C/script%3E#`,
  `&lt;script&gt;${HIT}&lt;/script&gt;#`,
  `&#x3C;img src=x onerror=${HIT}&#x3E;#`,
  `'; DROP TABLE runs; --#`,
  `$(touch /tmp/hit) \`id\` #`,
  `?step=a&act=cancel&x=#`,
  `a/b/c?d=e&f=%zz#`,
  ` leading and trailing # `,
  `same   many    spaces#`,
  `a.b[0]["c"]#`,
  `--help #`,
];

/** What only payloads may hold: control characters, and what is no character at all. */
const VALUES: readonly string[] = [
  "nul \u0000 bell \u0007 escape \u001b[31mred\u001b[0m #",
  "line\nbreak\r\n\ttab #",
  "separators \u2028 \u2029 #",
  "lone \uD800 high #",
  "lone \uDC00 low #",
  "unit \u001f separator #",
  "delete \u007f c1 \u009b31m #",
];

/** How many names there are: each is one shape with one number. */
export const HOSTILE_NAMES = 1000;

/** Returns a name that is no other: what ids, keys and events may be called. */
export function hostileName(n: number): string {
  return (SHAPES[n % SHAPES.length] ?? "").replaceAll("#", String(n));
}

/** Returns a text for a payload; control characters are among them. */
export function hostileText(n: number): string {
  const all = [...SHAPES, ...VALUES];
  return (all[n % all.length] ?? "").replaceAll("#", String(n));
}

/** Returns a name that is as long as a name may be: 256 bytes. */
export function longName(n: number): string {
  return `<b>${n}${"W".repeat(240)}`.slice(0, 250).concat("</b>".slice(0, 4));
}

/** Returns a value whose keys and members are hostile, and deep. */
export function hostileValue(n: number): unknown {
  const text = hostileText(n);
  const proto: unknown = JSON.parse(`{"__proto__": ${JSON.stringify(text)}}`);
  return {
    [text]: text,
    list: [text, [hostileText(n + 1)], { [hostileText(n + 2)]: null }],
    proto,
    constructor: { prototype: text },
    long: n % 25 === 0 ? text.repeat(400) : text,
  };
}

/** How many steps of a run are made. */
export interface HostileInput {
  readonly from: number;
  readonly count: number;
}

/** Makes steps of all kinds that are called badly, and hold what is worse. */
export const hostile = workflow(
  { name: `<img src=x onerror="${HIT}">`, version: `<script>${HIT}</script>` },
  async ({ input, step, ctx }) => {
    const { from, count } = (input as { made: HostileInput }).made;
    ctx.setSearch({
      [`<b>${from}`]: hostileName(from),
      "': 1} onerror=": hostileName(from + 1),
      rtl: hostileName(25),
    });
    for (let n = from; n < from + count; n++) await one(step, ctx, n);
    const lost = await step.race(`race ${hostileName(from)}`, {
      [hostileName(from)]: async (branch) =>
        await branch.run(`${hostileName(from)} won`, () => hostileValue(from)),
      [hostileName(from + 1)]: async (branch) =>
        await branch.sleep(`${hostileName(from)} lost`, "1h"),
    });
    ctx.log.warn(hostileText(from), { winner: lost.winner });
    const error = new Error(hostileText(from));
    error.name = hostileName(from + 2);
    error.stack = `${hostileName(from)}\n    at ${hostileName(from + 1)} (https://evil.example/a.js:1:1)\n    at x`;
    error.cause = new TypeError(hostileText(from + 3));
    throw error;
  },
);

async function one(step: Step, ctx: Ctx, n: number): Promise<void> {
  const id = n % 97 === 0 ? longName(n) : hostileName(n);
  ctx.log.info(hostileText(n), { value: hostileText(n + 3) });
  switch (n % 10) {
    case 3:
      return await step.skip(id, { reason: hostileText(n) });
    case 5:
      await step.emit(id, { event: hostileName(n), data: hostileValue(n) });
      return;
    case 7:
      await step.waitForEvent(id, {
        event: hostileName(n),
        match: { [hostileText(n)]: hostileText(n) },
        timeout: 1,
      });
      return;
    case 9:
      await step
        .run(
          id,
          () => {
            const error = new RangeError(hostileText(n));
            error.stack = `${hostileName(n)}: ${hostileText(n)}\n    at ${hostileName(n)} (file:///x/${hostileName(n)}:1:2)`;
            throw error;
          },
          { retry: false },
        )
        .catch(() => undefined);
      return;
    default:
      await step.run(
        id,
        hostileValue(n),
        ({ log }) => {
          log.info(hostileText(n), { value: hostileText(n + 5) });
          return hostileValue(n);
        },
        { metadata: { [hostileName(n)]: hostileText(n) } },
      );
  }
}
