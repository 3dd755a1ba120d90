/** The sentence that says why a run does not move, with the act that would move it at its end. */

import { type ReactNode, useEffect, useRef, useState } from "react";
import { openAct } from "../acts/acts.tsx";
import { useActsOff } from "../acts/off.ts";
import { lastMoved } from "../model/moved.ts";
import { actWord, decidingOf } from "../model/offers.ts";
import { hasEnded, nameOf, type Run, titleOf } from "../model/run.ts";
import { type Part, sentenceOf } from "../model/sentence.ts";
import { clock, elapsed, moment, statusWord } from "../model/words.ts";
import { go, runHref } from "../route.ts";
import { ActButton, unlessOff } from "../ui/act-button.tsx";
import { useDialect } from "../ui/dialect.ts";
import { Glyph, hueOf } from "../ui/glyph.tsx";
import { useKeys } from "../ui/keys.ts";
import { Link } from "../ui/link.tsx";
import { useNow } from "../ui/now.ts";
import { RunLink } from "../ui/run-link.tsx";
import { At, Foreign, Name, Pieces } from "../ui/text.tsx";

/** Shows the sentence. `s` does what its end offers. */
export function Sentence({ run }: { readonly run: Run }): ReactNode {
  return (
    <SentenceBox status={run.status} parts={sentenceOf(run)}>
      <Deciding run={run} />
    </SentenceBox>
  );
}

interface BoxProps {
  readonly status: Run["status"];
  readonly parts: readonly Part[];
  /** It says for how long something has lasted: then only the status is told when it changes. */
  readonly isTicking?: boolean;
  /** What stands at its end. */
  readonly children?: ReactNode;
}

/** Shows a sentence in the hue of a status, and tells it to readers of screens when it changes. */
export function SentenceBox({ status, parts, isTicking = false, children }: BoxProps): ReactNode {
  const told = isTicking ? "" : ` ${plainWords(parts)}`;
  return (
    <div className={`sentence hue-${hueOf(status)}`}>
      <Glyph status={status} label="word" />
      <p>
        <SentenceParts parts={parts} />
      </p>
      {children}
      <Announced text={`${statusWord(status)}.${told}`} />
    </div>
  );
}

/** Shows the parts of a sentence. */
export function SentenceParts({ parts }: { readonly parts: readonly Part[] }): ReactNode {
  return parts.map((part, at) => (
    // Parts have no names of their own, and never move.
    <SentencePart key={`${at} ${part.type}`} part={part} />
  ));
}

function SentencePart({ part }: { readonly part: Part }): ReactNode {
  switch (part.type) {
    case "lead":
      return (
        <strong>
          <Foreign>{part.text}</Foreign>
        </strong>
      );
    case "words":
      return <Foreign>{part.text}</Foreign>;
    case "name":
      return <Name>{titleOf(part.text)}</Name>;
    case "run":
      return <RunLink id={part.id} />;
    case "value":
      return <Pieces pieces={part.pieces} />;
    case "instant":
      return <Instant ms={part.at} />;
  }
}

/** An instant with how far away it is. */
function Instant({ ms }: { readonly ms: number }): ReactNode {
  const now = useNow(1000);
  const far = ms > now ? `, in ${elapsed(ms - now + 999)}` : "";
  return <At ms={ms}>{`${moment(ms, now)}${far}`}</At>;
}

/** The act that would move the run; where none would, the place to look, or what moved it last. */
function Deciding({ run }: { readonly run: Run }): ReactNode {
  const whyOff = useActsOff();
  const dialect = useDialect();
  const offer = decidingOf(run);
  const off = offer === null ? null : whyOff(offer.act);
  const place = offer === null ? placeOf(run) : null;
  const follow = () => {
    if (offer !== null) unlessOff(off, () => openAct(offer))();
    else if (place !== null) go(place.href);
  };
  useKeys({ s: offer === null && place === null ? undefined : follow });
  if (offer !== null) {
    return (
      <ActButton className="filled deciding" keys="s" off={off} onAct={follow}>
        <Foreign>{actWord(run, offer)}</Foreign>
        <kbd>S</kbd>
      </ActButton>
    );
  }
  if (place !== null) {
    return (
      <Link href={place.href} className="button filled deciding">
        {place.words} <kbd>S</kbd>
      </Link>
    );
  }
  const moved = hasEnded(run) ? null : lastMoved(run, dialect);
  if (moved === null) return null;
  return (
    <span className="moved">
      <Name>{nameOf(moved.step)}</Name> {moved.words} at <At ms={moved.at}>{clock(moved.at)}</At>
    </span>
  );
}

const RUNNER_CAUSES: ReadonlySet<string> = new Set([
  "no_runner",
  "no_workflow",
  "no_pinned_runner",
  "no_slot",
  "runners_stop",
]);

function placeOf(run: Run): { readonly href: string; readonly words: string } | null {
  if (hasEnded(run)) return null;
  const { cause } = run;
  if (cause !== null && RUNNER_CAUSES.has(cause)) {
    return { href: "/runners", words: "Runners" };
  }
  if (cause !== "child") return null;
  const child = run.steps.find((step) => step.child !== undefined && step.status === "waiting");
  return child?.child === undefined
    ? null
    : { href: runHref(child.child.run), words: "Open child" };
}

function plainWords(parts: readonly Part[]): string {
  return parts
    .map((part) => {
      switch (part.type) {
        case "instant":
          return clock(part.at);
        case "run":
          return `run ${part.id.slice(-6)}`;
        case "value":
          return part.pieces.map((piece) => piece.text).join("");
        default:
          return part.text;
      }
    })
    .join("");
}

const ANNOUNCED_EVERY_MS = 5000;

/** Tells readers of screens of changes, at most once in five seconds, and never of ticking times. */
function Announced({ text }: { readonly text: string }): ReactNode {
  const [told, setTold] = useState(text);
  const last = useRef(0);
  useEffect(() => {
    const wait = Math.max(0, last.current + ANNOUNCED_EVERY_MS - Date.now());
    const timer = setTimeout(() => {
      last.current = Date.now();
      setTold(text);
    }, wait);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <span className="hidden" aria-live="polite">
      {told}
    </span>
  );
}
