/** The row of filters: text, one chip for each filter, and what the list looks like. */

import { type ReactNode, type RefObject, useEffect, useRef, useState } from "react";
import { dropFilter, type Filter, type Filters, putFilter, wordsOf } from "../model/filters.ts";
import type { Move } from "../route.ts";
import { Icon } from "../ui/icon.tsx";
import { Popover } from "../ui/popover.tsx";
import { Foreign } from "../ui/text.tsx";
import { FilterForm, type Known, NewFilter } from "./filter-editor.tsx";

const TYPING_MS = 250;
/** The server takes no longer one. */
const TEXT_CHARS_MAX = 200;

interface FilterRowProps {
  readonly filters: Filters;
  readonly known: Known;
  readonly field: RefObject<HTMLInputElement | null>;
  readonly addButton: RefObject<HTMLButtonElement | null>;
  readonly onChange: (filters: Filters, move?: Move) => void;
  /** Controls at the right. */
  readonly children?: ReactNode;
}

/** Shows the row. */
export function FilterRow(props: FilterRowProps): ReactNode {
  const { filters, known, onChange } = props;
  return (
    <div className="filter-row">
      <TextField
        field={props.field}
        text={filters.text}
        onText={(text) => onChange({ ...filters, text }, "replace")}
      />
      {filters.filters.map((filter) => (
        <Chip
          key={chipKey(filter)}
          filter={filter}
          known={known}
          onApply={(next) => onChange(putFilter(filters, next, filter))}
          onDrop={() => onChange(dropFilter(filters, filter))}
        />
      ))}
      <Popover
        className="add-filter"
        label="Add a filter (f)"
        buttonRef={props.addButton}
        button={
          <>
            + Filter <kbd>F</kbd>
          </>
        }
      >
        {(close) => (
          <NewFilter
            known={known}
            onApply={(filter) => {
              close();
              onChange(putFilter(filters, filter));
            }}
          />
        )}
      </Popover>
      <div className="looks">{props.children}</div>
    </div>
  );
}

function chipKey(filter: Filter): string {
  return filter.field === "attribute" ? `attr ${filter.name} ${filter.op}` : filter.field;
}

/** A text is asked for when the typing stops: each letter would be a question. */
function TextField(props: {
  readonly field: RefObject<HTMLInputElement | null>;
  readonly text: string;
  readonly onText: (text: string) => void;
}): ReactNode {
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
        maxLength={TEXT_CHARS_MAX}
        placeholder="Name, id, error or attribute"
        aria-label="Filter runs by text"
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

function Chip(props: {
  readonly filter: Filter;
  readonly known: Known;
  readonly onApply: (filter: Filter) => void;
  readonly onDrop: () => void;
}): ReactNode {
  const { name, relation, value } = wordsOf(props.filter, Date.now());
  return (
    <span className="chip">
      <Popover
        className="chip-text"
        label={`Change the filter ${name} ${relation} ${value}`}
        button={
          <>
            <Foreign>{name}</Foreign>
            <b>
              {relation} <Foreign>{value}</Foreign>
            </b>
          </>
        }
      >
        {(close) => (
          <FilterForm
            filter={props.filter}
            known={props.known}
            onApply={(filter) => {
              close();
              props.onApply(filter);
            }}
          />
        )}
      </Popover>
      <button
        type="button"
        className="chip-drop"
        aria-label={`Remove the filter ${name} ${relation} ${value}`}
        onClick={props.onDrop}
      >
        <Icon name="close" size={10} />
      </button>
    </span>
  );
}
