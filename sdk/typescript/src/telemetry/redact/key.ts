/**
 * Which keys look as if their values were secret (§10.7). The server has the same rules;
 * `spec/redaction.json` holds the vectors of both.
 */

/** What the value of a key is. */
export type Kind =
  /** Nothing says that it is secret. */
  | "harmless"
  /** It is secret, unless it is a number: `tokens` are counted as often as they are kept. */
  | "secret text"
  /** It is secret; true, false and null never are. */
  | "secret";

const set = (words: string): ReadonlySet<string> => new Set(words.split(/\s+/));

/** Words that make a key secret wherever they stand. */
const SECRET = set(
  `apikey auth authorization bearer ccv cookie cookies credential credentials csc cvc cvv jwt otp passcode
  passphrase passwd password passwort pin privatekey pwd secret ssn token totp`,
);

/** The same, unless the value is a number. */
const SECRET_TEXT = set("apikeys jwts otps passwords secrets tokens");

/** Ends of words that make a key secret, as in `PGPASSWORD`. */
const SECRET_END = /(?:passphrase|passwd|password)$/;

/** Two words, one after the other. */
const SECRET_PAIRS = set(
  `access.key account.key api.key api.keys backup.code backup.codes card.number connection.string credit.card
  encryption.key host.key master.key mfa.code pass.phrase pass.word private.key project.key recovery.code
  recovery.codes secret.key security.code security.number service.key session.id session.key shared.key
  signing.key storage.key verification.code`,
);

/** Words behind which it is about the secret, and not the secret itself. */
const ABOUT = set(
  `age allowed at attempt attempts bucket budget changed config cost count counts created date enabled endpoint
  error exists expired expires expiry field found index issued issuer kind len length limit limits max method min
  missing mode name ok per policy position present price provider rate required reset result rotated rotation
  scheme scope scopes seconds size source spent status strategy strength total ttl type updated url usage used
  valid verified version`,
);

/** Words in front of `token` or `tokens`, with which they are counted. */
const COUNTED = set(
  "cached completion input max min num output prompt reasoning remaining total used",
);

/** Characters of a key that are looked at. */
const LENGTH_MAX = 200;

/** Kinds of keys that were asked for; programs have few of them, and ask for each very often. */
const known = new Map<string, Kind>();
const KNOWN_MAX = 1_000;

/** Tells what the value of a key is. */
export function kindOf(key: string): Kind {
  const found = known.get(key);
  if (found !== undefined) return found;
  const kind = key.length < 3 ? "harmless" : judge(wordsOf(key));
  if (known.size >= KNOWN_MAX) known.clear();
  if (key.length <= LENGTH_MAX) known.set(key, kind);
  return kind;
}

/** Parts a key at anything but letters and digits, and where a capital follows a small letter or a digit. */
export function wordsOf(key: string): string[] {
  const spaced = key
    .slice(0, LENGTH_MAX)
    .replace(/([\p{Ll}\p{N}])(?=\p{Lu})/gu, "$1 ")
    // `APIKey`: the last capital belongs to the word behind.
    .replace(/(\p{Lu})(?=\p{Lu}\p{Ll})/gu, "$1 ");
  return spaced.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}

function judge(words: readonly string[]): Kind {
  let kind: Kind = "harmless";
  for (const [at, word] of words.entries()) {
    const isPair = SECRET_PAIRS.has(`${word}.${words[at + 1]}`);
    const isText = SECRET_TEXT.has(word);
    if (!isPair && !isText && !SECRET.has(word) && !SECRET_END.test(word)) continue;
    if (ABOUT.has(words[at + (isPair ? 2 : 1)] ?? "")) continue;
    // `auth` is a header where it stands alone, and a part of many harmless words.
    if (word === "auth" && words.length > 1 && words[0] !== "x") continue;
    if (!isText && !(word === "token" && COUNTED.has(words[at - 1] ?? ""))) return "secret";
    kind = "secret text";
  }
  return kind;
}
