/** Which parts of a text look like secrets (§10.7). Nothing is guessed from how random a text looks. */

import { kindOf } from "./key.js";

/** What stands in the place of a secret. */
export const REDACTED = "[redacted]";

/** How tokens begin, how many characters follow at least, and of which set. */
const UPPER = "A-Z0-9";
const WORD = "A-Za-z0-9_";
const URL_SAFE = "A-Za-z0-9_.\\-";
const FORMS: readonly (readonly [heads: string, least: number, set: string])[] = [
  ["AKIA ASIA", 16, UPPER],
  ["AIza", 30, URL_SAFE],
  ["ya29.", 20, URL_SAFE],
  ["ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ npm_ dop_v1_ hf_ sw_", 30, WORD],
  ["glpat- xoxb- xoxp- xoxa- xoxs- xapp- whsec_ sq0atp- dckr_pat_", 16, URL_SAFE],
  ["sk_live_ sk_test_ rk_live_ rk_test_", 10, WORD],
  ["sk- figd_ PMAK- hvs.", 20, URL_SAFE],
  ["SG. pypi-", 30, URL_SAFE],
  ["shpat_ lin_api_ AGE-SECRET-KEY-", 20, WORD],
  ["key-", 32, WORD],
  ["EAAC", 40, WORD],
];

/** A token of such a form, with a digit or a capital behind how it begins. */
const FORM = new RegExp(
  FORMS.map(([heads, least, characters]) => {
    const head = heads
      .split(" ")
      .map((one) => one.replace(".", "\\."))
      .join("|");
    return `(?:${head})(?=[${characters}]*[A-Z0-9])[${characters}]{${least},}`;
  }).join("|"),
  "y",
);

/** What a text holds that can have a secret in it. Most have nothing of it, and are not looked at any further. */
const SUSPECT = new RegExp(
  `[:=]|-----BEGIN|eyJ|${FORMS.flatMap(([heads]) => heads.split(" "))
    .map((head) => head.replace(".", "\\."))
    .join("|")}|[Bb][Ee][Aa][Rr][Ee][Rr]|[Bb][Aa][Ss][Ii][Cc]|\\d(?:[ -]?\\d){12}`,
);

const JWT = /eyJ[\w-]{7,}\.[\w-]{10,}\..*/sy;

/** What can be a credential behind `Bearer`: words of a sentence cannot. */
const CREDENTIAL = /^(?=.*[A-Z0-9=_])[\w.~+/=-]{8,}$/;

/** What stands between spaces, quotes and the like. */
const TOKEN = /[^\s"'`,;&?<>(){}]+/g;

/** A part of a text, as positions in it. */
type Part = readonly [start: number, end: number];

/** Takes parts that look like secrets out of a text. */
export function redactText(text: string): string {
  // Shorter than any of them, which most values are.
  if (text.length < 6 || !SUSPECT.test(text)) return text;
  const found = [...pemsIn(text), ...passwordsIn(text), ...tokensIn(text), ...cardsIn(text)];
  if (found.length === 0) return text;
  found.sort(([a], [b]) => a - b);
  let out = "";
  let at = 0;
  for (const [start, end] of found) {
    if (end <= at) continue;
    out += text.slice(at, Math.max(start, at)) + REDACTED;
    at = end;
  }
  return out + text.slice(at);
}

/** Private keys, from the first line to the last. */
function pemsIn(text: string): Part[] {
  if (!text.includes("-----BEGIN ")) return [];
  const keys = text.matchAll(/-----BEGIN [A-Z ]{0,60}PRIVATE KEY.*?(?:-----END .*?-----|$)/gs);
  return [...keys].map((key) => [key.index, key.index + key[0].length]);
}

/** What stands behind `://`, up to the path. */
const PLACE = /[^\s/"'?#]*/y;

/** The password in `scheme://user:password@host`. */
function passwordsIn(text: string): Part[] {
  const parts: Part[] = [];
  for (let at = text.indexOf("://"); at >= 0; at = text.indexOf("://", at + 3)) {
    const begin = at + 3;
    PLACE.lastIndex = begin;
    const place = PLACE.exec(text)?.[0] ?? "";
    const host = place.lastIndexOf("@");
    const colon = place.indexOf(":");
    if (colon >= 0 && colon + 1 < host) parts.push([begin + colon + 1, begin + host]);
  }
  return parts;
}

function tokensIn(text: string): Part[] {
  const parts: Part[] = [];
  let before = "";
  let isNamed = false;
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    const part = secretIn(token, before, isNamed);
    if (part !== undefined) parts.push([index + part[0], index + part[1]]);
    isNamed = token.endsWith(":") || token.endsWith("=");
    // `"password": "…"`: what stands between the two does not part them.
    if (token !== ":" && token !== "=") before = token;
  }
  return parts;
}

/** Returns the secret in a token, given the one before, and whether that names it. */
function secretIn(token: string, before: string, isNamed: boolean): Part | undefined {
  const all: Part = [0, token.length];
  if (/(?:^|[=:])(?:bearer|basic):*$/i.test(before) && CREDENTIAL.test(token)) return all;
  // `password=…`, `api_key: …`; of an address only the part behind its last `=` was parted off.
  const at = token.search(/[=:]/);
  const isPair = at > 0 && at + 1 < token.length && !token.startsWith("://", at);
  if (isPair && isSecretName(token.slice(0, at))) return [at + 1, token.length];
  const name = before.slice(
    0,
    lengthUpTo(before, (mark) => !":=".includes(mark)),
  );
  if (isNamed && token.length >= 4 && isSecretName(name)) {
    // `Authorization: Bearer …`: the scheme stays, what follows goes.
    return /^(?:bearer|basic)$/i.test(token) ? undefined : all;
  }
  const begin = lengthUpTo(token, (mark) => "=:/@".includes(mark));
  FORM.lastIndex = begin;
  const form = FORM.exec(token);
  if (form !== null) return [begin, begin + form[0].length];
  JWT.lastIndex = begin;
  return JWT.test(token) ? [begin, token.length] : undefined;
}

/** Returns how long a text is up to the last character of some kind. */
function lengthUpTo(text: string, is: (character: string) => boolean): number {
  let length = text.length;
  while (length > 0 && !is(text.charAt(length - 1))) length -= 1;
  return length;
}

function isSecretName(text: string): boolean {
  const name = text.slice(lengthUpTo(text, (mark) => "/.[=".includes(mark)));
  return name.length >= 3 && name.length <= 64 && kindOf(name) === "secret";
}

/** Digits, by themselves or in groups, that are no part of something longer. */
const DIGITS = /(?<![A-Za-z0-9._-])\d(?:[ -]?\d)+(?![A-Za-z0-9._-])/g;

/** Numbers of cards: 13 to 19 digits in the ranges that are given out, with a right check digit. */
function cardsIn(text: string): Part[] {
  const parts: Part[] = [];
  for (const { 0: number, index } of text.matchAll(DIGITS)) {
    if (isCard(number.replace(/[ -]/g, ""))) parts.push([index, index + number.length]);
  }
  return parts;
}

/** Visa, Mastercard, American Express, Diners, JCB, Discover, by how they begin and how long they are. */
const CARD =
  /^(?:4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]|2[2-7]|6[05])(?:\d{14}|\d{17})|3[04678]\d{12,14})$/;

function isCard(digits: string): boolean {
  if (!CARD.test(digits)) return false;
  let sum = 0;
  for (let n = 0; n < digits.length; n += 1) {
    // Luhn: every second one, from the last but one on, counts twice.
    const digit = Number(digits[digits.length - 1 - n]) * (n % 2 === 0 ? 1 : 2);
    sum += digit > 9 ? digit - 9 : digit;
  }
  return sum % 10 === 0;
}
