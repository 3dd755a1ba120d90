/** Finding by some letters of a name, in their order. */

export interface Found {
  /** Higher is better. */
  readonly score: number;
  /** Which characters were met. */
  readonly at: readonly number[];
}

/** Begins of words: after what divides them, and capitals behind small letters. */
function beginsWord(text: string, at: number): boolean {
  if (at === 0) return true;
  const [before, own] = [text[at - 1] ?? "", text[at] ?? ""];
  if (/[\s\-_.:/]/.test(before)) return true;
  return before === before.toLowerCase() && own !== own.toLowerCase();
}

/**
 * Looks for letters in a text. What stands together scores over what is spread, begins of words over what is
 * within them, short texts over long ones. Null where not all letters are met.
 */
export function fuzzy(wanted: string, text: string): Found | null {
  const letters = wanted.toLowerCase().replaceAll(/\s+/g, "");
  if (letters === "") return { score: 0, at: [] };
  const low = text.toLowerCase();
  const whole = low.indexOf(wanted.toLowerCase().trim());
  if (whole >= 0 && wanted.trim() !== "") {
    const at = Array.from(wanted.trim(), (_, index) => whole + index);
    const begin = beginsWord(text, whole) ? 40 : 0;
    return { score: 100 + begin + (whole === 0 ? 20 : 0) - text.length * 0.1, at };
  }
  return spread(text, letters, wordBegin) ?? spread(text, letters, anyPlace);
}

type NextPlace = (text: string, low: string, letter: string, from: number) => number;

function spread(text: string, letters: string, nextPlace: NextPlace): Found | null {
  const low = text.toLowerCase();
  const at: number[] = [];
  let score = 0;
  for (const letter of letters) {
    const next = nextPlace(text, low, letter, (at.at(-1) ?? -1) + 1);
    if (next < 0) return null;
    score += next === (at.at(-1) ?? -2) + 1 ? 6 : beginsWord(text, next) ? 5 : 0;
    at.push(next);
  }
  return { score: score - text.length * 0.1, at };
}

const anyPlace: NextPlace = (_text, low, letter, from) => low.indexOf(letter, from);

/** A place that goes on with what was met, or begins a word; else the next one. */
const wordBegin: NextPlace = (text, low, letter, from) => {
  const first = low.indexOf(letter, from);
  if (first < 0 || first === from) return first;
  for (let at = first; at >= 0; at = low.indexOf(letter, at + 1)) {
    if (beginsWord(text, at)) return at;
  }
  return first;
};

/** Returns what was found, best first; equals keep their order. */
export function ranked<T>(
  wanted: string,
  all: readonly T[],
  textOf: (one: T) => string,
): readonly T[] {
  return all
    .flatMap((one) => {
      const found = fuzzy(wanted, textOf(one));
      return found === null ? [] : [{ one, score: found.score }];
    })
    .sort((a, b) => b.score - a.score)
    .map(({ one }) => one);
}
