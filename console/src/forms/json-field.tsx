/** JSON to edit: where it is wrong, and what of it differs from what it was. */

import { type ReactNode, type UIEvent, useDeferredValue, useMemo, useRef } from "react";
import { changedLines, changesOf, formatJson, parseJson } from "../model/json-text.ts";
import { counted } from "../model/words.ts";
import { Field } from "./field.tsx";

/** Lines of longer texts are not marked: to lay them out twice would be felt. */
const MARKED_CHARS_MAX = 60_000;
const ROWS_MAX = 14;
const ROWS_MIN = 2;

interface JsonFieldProps {
  readonly name: ReactNode;
  readonly text: string;
  readonly onText: (text: string) => void;
  /** What it was, if changes are to be told. */
  readonly original?: unknown;
  readonly hint?: ReactNode;
  /** Whether nothing may stand in it. */
  readonly optional?: boolean;
  /** What the server said of it. */
  readonly error?: string | null;
  /** How many lines are seen at most. */
  readonly rowsMax?: number;
  /** Whether a dialog begins with it. */
  readonly isFirst?: boolean;
}

/** Says what is wrong with a text of JSON; null where nothing is. */
export function jsonError(text: string, optional = false): string | null {
  if (optional && text.trim() === "") return null;
  const parsed = parseJson(text);
  if (parsed.ok) return null;
  return `Line ${parsed.line}, column ${parsed.column}: ${parsed.message}`;
}

/** Counts in how many places a text differs from a value; null while it is no JSON. */
export function changesIn(text: string, original: unknown): readonly string[] | null {
  const parsed = parseJson(text);
  return parsed.ok ? changesOf(original, parsed.value) : null;
}

/** Shows JSON in a field. Tab leaves it. */
export function JsonField(props: JsonFieldProps): ReactNode {
  const { name, text, onText, hint, optional = false, rowsMax = ROWS_MAX } = props;
  const settled = useDeferredValue(text);
  const wrong = useMemo(() => jsonError(settled, optional), [settled, optional]);
  const tells = Object.hasOwn(props, "original");
  const changes = useMemo(
    () => (tells ? changesIn(settled, props.original) : null),
    [tells, settled, props.original],
  );
  const marked = useMarked(settled, tells ? props.original : undefined);
  const under = useRef<HTMLPreElement>(null);
  const follow = (event: UIEvent<HTMLTextAreaElement>) => {
    under.current?.scrollTo(event.currentTarget.scrollLeft, event.currentTarget.scrollTop);
  };
  const lines = text.length > MARKED_CHARS_MAX ? rowsMax : text.split("\n").length;
  return (
    <Field
      name={name}
      hint={hint}
      error={wrong ?? props.error ?? null}
      aside={tells && changes !== null ? told(changes) : undefined}
    >
      {({ id, about }) => (
        <div className="json-field">
          {marked.size > 0 && (
            <pre ref={under} aria-hidden="true">
              {settled.split("\n").map((line, at) => (
                // Lines have no names of their own.
                <div key={`${at}`} className={marked.has(at) ? "changed" : undefined}>
                  {line === "" ? " " : line}
                </div>
              ))}
            </pre>
          )}
          <textarea
            id={id}
            data-first={props.isFirst ? "" : undefined}
            value={text}
            wrap="off"
            rows={Math.min(rowsMax, Math.max(ROWS_MIN, lines))}
            spellCheck={false}
            autoComplete="off"
            autoCapitalize="off"
            aria-describedby={about}
            aria-invalid={wrong !== null}
            onChange={(event) => onText(event.target.value)}
            onScroll={follow}
          />
        </div>
      )}
    </Field>
  );
}

function useMarked(text: string, original: unknown): ReadonlySet<number> {
  const before = useMemo(() => (original === undefined ? null : formatJson(original)), [original]);
  return useMemo(() => {
    if (before === null || before === text) return new Set<number>();
    if (text.length > MARKED_CHARS_MAX || before.length > MARKED_CHARS_MAX)
      return new Set<number>();
    return changedLines(before, text);
  }, [before, text]);
}

function told(changes: readonly string[]): ReactNode {
  if (changes.length === 0) return "as it was";
  return <span title={changes.slice(0, 20).join("\n")}>{counted(changes.length, "change")}</span>;
}
