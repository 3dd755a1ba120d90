/** The form of one filter, and the choice of what a new one is about. */

import {
  type FormEvent,
  type KeyboardEvent,
  type ReactNode,
  useEffect,
  useId,
  useRef,
  useState,
} from "react";
import { FIELDS, type Field, type Filter, OPS, type Op } from "../model/filters.ts";

/** What is known to be filtered by. */
export interface Known {
  readonly apps: readonly string[];
  readonly workflows: readonly string[];
  /** Names of search attributes that were seen. */
  readonly attributes: readonly string[];
}

const WORDS: Readonly<Record<Field, string>> = {
  app: "App",
  workflow: "Workflow",
  id: "Id, or the end of one",
  key: "Key",
  parent: "Children of the run",
  from: "Started since",
  to: "Started before",
};

const BACK: readonly (readonly [value: string, words: string])[] = [
  ["15m", "15 minutes"],
  ["1h", "1 hour"],
  ["24h", "24 hours"],
  ["7d", "7 days"],
  ["30d", "30 days"],
];

type About = Field | { readonly attribute: string };

/** Shows what a new filter may be about, then its form. */
export function NewFilter(props: {
  readonly known: Known;
  readonly onApply: (filter: Filter) => void;
}): ReactNode {
  const [about, setAbout] = useState<About | null>(null);
  const first = useRef<HTMLButtonElement>(null);
  useEffect(() => first.current?.focus(), []);
  if (about !== null) {
    const blank: Filter =
      typeof about === "string"
        ? { field: about, value: "" }
        : { field: "attribute", name: about.attribute, op: "=", value: "" };
    return <FilterForm filter={blank} known={props.known} onApply={props.onApply} />;
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: arrows move among its buttons, which Tab reaches too
    <div className="choices" onKeyDown={walk}>
      {FIELDS.map((field, at) => (
        <button
          key={field}
          ref={at === 0 ? first : undefined}
          type="button"
          className="plain"
          onClick={() => setAbout(field)}
        >
          {WORDS[field]}
        </button>
      ))}
      <hr />
      {props.known.attributes.map((name) => (
        <button
          key={name}
          type="button"
          className="plain"
          onClick={() => setAbout({ attribute: name })}
        >
          <bdi>{name}</bdi>
        </button>
      ))}
      <button type="button" className="plain" onClick={() => setAbout({ attribute: "" })}>
        {props.known.attributes.length === 0 ? "Search attribute…" : "Another attribute…"}
      </button>
    </div>
  );
}

/** Moves the focus among the buttons by arrows. */
function walk(event: KeyboardEvent<HTMLElement>): void {
  const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  if (by === 0) return;
  event.preventDefault();
  const all = [...event.currentTarget.querySelectorAll("button")];
  const at = all.findIndex((one) => one.matches(":focus"));
  all[(at + by + all.length) % all.length]?.focus();
}

interface FormProps {
  readonly filter: Filter;
  readonly known: Known;
  readonly onApply: (filter: Filter) => void;
}

/** Shows the form of a filter. */
export function FilterForm({ filter, known, onApply }: FormProps): ReactNode {
  const [draft, setDraft] = useState(filter);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    const fields = [...(form.current?.querySelectorAll("input") ?? [])];
    const first = fields.find((field) => field.value === "") ?? fields[0];
    first?.focus();
    first?.select();
  }, []);
  const value = draft.value.trim();
  const isWhole = value !== "" && (draft.field !== "attribute" || draft.name.trim() !== "");
  const apply = (event: FormEvent) => {
    event.preventDefault();
    if (isWhole) onApply({ ...draft, value });
  };
  return (
    <form ref={form} className="filter-form" onSubmit={apply}>
      {draft.field === "attribute" ? (
        <AttributeFields draft={draft} known={known} onChange={setDraft} />
      ) : draft.field === "from" || draft.field === "to" ? (
        <TimeFields draft={draft} field={draft.field} onChange={setDraft} onApply={onApply} />
      ) : (
        <ValueField draft={draft} field={draft.field} known={known} onChange={setDraft} />
      )}
      <button type="submit" className="filled" disabled={!isWhole}>
        Filter <kbd>Enter</kbd>
      </button>
    </form>
  );
}

function ValueField(props: {
  readonly draft: Filter;
  readonly field: Field;
  readonly known: Known;
  readonly onChange: (filter: Filter) => void;
}): ReactNode {
  const { draft, field, known } = props;
  const list = useId();
  const offered = field === "app" ? known.apps : field === "workflow" ? known.workflows : [];
  return (
    <label>
      {WORDS[field]}
      <span className="field">
        <input
          value={draft.value}
          list={list}
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => props.onChange({ field, value: event.target.value })}
        />
      </span>
      <datalist id={list}>
        {offered.map((one) => (
          <option key={one} value={one} />
        ))}
      </datalist>
    </label>
  );
}

/** Writes an instant as a field for local times wants it, and nothing for a duration back. */
function localOf(value: string): string {
  const at = Date.parse(value);
  if (Number.isNaN(at) || !value.includes("T")) return "";
  const local = new Date(at - new Date(at).getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}

function TimeFields(props: {
  readonly draft: Filter;
  readonly field: "from" | "to";
  readonly onChange: (filter: Filter) => void;
  readonly onApply: (filter: Filter) => void;
}): ReactNode {
  const { draft, field } = props;
  return (
    <>
      <fieldset className="presets">
        <legend>{field === "from" ? "Started within the last" : "Started before the last"}</legend>
        {BACK.map(([value, words]) => (
          <button
            key={value}
            type="button"
            aria-pressed={draft.value === value}
            onClick={() => props.onApply({ field, value })}
          >
            {words}
          </button>
        ))}
      </fieldset>
      <label>
        {WORDS[field]}
        <span className="field">
          <input
            type="datetime-local"
            value={localOf(draft.value)}
            onChange={(event) => {
              const at = Date.parse(event.target.value);
              const value = Number.isNaN(at) ? "" : new Date(at).toISOString();
              props.onChange({ field, value });
            }}
          />
        </span>
      </label>
    </>
  );
}

function AttributeFields(props: {
  readonly draft: Extract<Filter, { field: "attribute" }>;
  readonly known: Known;
  readonly onChange: (filter: Filter) => void;
}): ReactNode {
  const { draft, known, onChange } = props;
  const list = useId();
  return (
    <>
      <label>
        Search attribute
        <span className="field">
          <input
            value={draft.name}
            list={list}
            spellCheck={false}
            autoComplete="off"
            onChange={(event) => onChange({ ...draft, name: event.target.value })}
          />
        </span>
        <datalist id={list}>
          {known.attributes.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      </label>
      <div className="term">
        <select
          aria-label="Relation"
          value={draft.op}
          // The options are the relations.
          onChange={(event) => onChange({ ...draft, op: event.target.value as Op })}
        >
          {OPS.map((op) => (
            <option key={op}>{op}</option>
          ))}
        </select>
        <span className="field">
          <input
            aria-label="Value"
            placeholder="Value"
            value={draft.value}
            spellCheck={false}
            autoComplete="off"
            onChange={(event) => onChange({ ...draft, value: event.target.value })}
          />
        </span>
      </div>
    </>
  );
}
