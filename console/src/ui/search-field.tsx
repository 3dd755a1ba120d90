/** A field that narrows what is shown by a text. */

import { type ReactNode, type RefObject, useEffect, useRef, useState } from "react";
import { Icon } from "./icon.tsx";

const TYPING_MS = 250;

interface SearchFieldProps {
  readonly field: RefObject<HTMLInputElement | null>;
  /** What it is narrowed to now. */
  readonly text: string;
  readonly onText: (text: string) => void;
  readonly label: string;
  readonly placeholder: string;
  readonly maxLength?: number;
}

/** Shows the field. Its text is told when the typing stops: each letter would be a question. */
export function SearchField(props: SearchFieldProps): ReactNode {
  const { text, onText } = props;
  const [typed, setTyped] = useState(text);
  const latest = useRef({ text, onText });
  useEffect(() => {
    latest.current = { text, onText };
  });
  // Going back changes the address and not the typing.
  useEffect(() => setTyped(text), [text]);
  useEffect(() => {
    if (typed.trim() === latest.current.text) return;
    const timer = setTimeout(() => latest.current.onText(typed.trim()), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  return (
    <label className="field text-filter">
      <Icon name="search" />
      <input
        ref={props.field}
        type="search"
        value={typed}
        maxLength={props.maxLength}
        placeholder={props.placeholder}
        aria-label={props.label}
        aria-keyshortcuts="/"
        spellCheck={false}
        onChange={(event) => setTyped(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          event.preventDefault();
          if (typed === "") event.currentTarget.blur();
          else setTyped("");
        }}
      />
      {typed === "" && <kbd>/</kbd>}
    </label>
  );
}
