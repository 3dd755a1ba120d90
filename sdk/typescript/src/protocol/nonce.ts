/**
 * Nonces keep all their 64 bits.
 *
 * `JSON.parse` makes floats of numbers, and a nonce that lost its last digits names another
 * activation. So their digits are read from the text of the frame: a walk that knows where strings
 * begin and end and how deep it stands, so that nothing in a payload is taken for a nonce.
 */

const QUOTE = 34;
const BACKSLASH = 92;
const OPEN_LIST = 91;
const CLOSE_LIST = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;

/** Where `{"activate":{…}}` has its members: in the frame, the message, the activation. */
const MEMBERS_DEPTH = 3;
const MESSAGE_DEPTH = 2;

/**
 * Returns the digits of the nonces of the `activate` messages in a frame, in their order.
 *
 * @param frame the text of a frame, which is known to be JSON
 * @param count how many there are: the walk ends with the last
 */
export function noncesOf(frame: string, count: number): string[] {
  const nonces: string[] = [];
  let depth = 0;
  let inActivate = false;
  for (let at = 0; at < frame.length && nonces.length < count; at++) {
    const code = frame.charCodeAt(at);
    if (code === OPEN_OBJECT || code === OPEN_LIST) depth++;
    else if (code === CLOSE_OBJECT || code === CLOSE_LIST) depth--;
    else if (code === QUOTE) {
      const end = endOfString(frame, at);
      // A string in front of a colon is a member's name; payloads stand deeper.
      const colon = afterSpace(frame, end);
      if (frame[colon] === ":") {
        const name = frame.slice(at + 1, end - 1);
        if (depth === MESSAGE_DEPTH) inActivate = name === "activate";
        else if (depth === MEMBERS_DEPTH && inActivate && name === "nonce") {
          nonces.push(digitsAt(frame, afterSpace(frame, colon + 1)));
        }
      }
      at = end - 1;
    }
  }
  return nonces;
}

/** Returns the place behind the string that begins at `at`. */
function endOfString(text: string, at: number): number {
  let end = text.indexOf('"', at + 1);
  while (end !== -1) {
    let escapes = 0;
    while (text.charCodeAt(end - 1 - escapes) === BACKSLASH) escapes++;
    if (escapes % 2 === 0) return end + 1;
    end = text.indexOf('"', end + 1);
  }
  return text.length;
}

function afterSpace(text: string, at: number): number {
  let place = at;
  while (/\s/.test(text[place] ?? "")) place++;
  return place;
}

function digitsAt(text: string, at: number): string {
  let end = at;
  while (/[0-9]/.test(text[end] ?? "")) end++;
  return text.slice(at, end);
}
