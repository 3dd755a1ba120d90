/** The fields of a form that is made from a JSON Schema: one for each part of the value. */

import { createContext, type ReactNode, useContext, useState } from "react";
import type { Place } from "../api/ask.ts";
import { formatJson, parseJson } from "../model/json-text.ts";
import { pointerOf, valueAt } from "../model/place.ts";
import {
  type ArrayField,
  branchOf,
  type ChoiceField,
  fieldOf,
  fits,
  initialOf,
  limitsOf,
  type NumberField,
  type ObjectField,
  type OneOfField,
  type Path,
  type Schema,
  type Field as Shape,
  type TextField,
} from "../model/schema.ts";
import { Foreign } from "../ui/text.tsx";
import { Field } from "./field.tsx";
import { JsonField } from "./json-field.tsx";

/** What the fields of a form share: the whole value, and how it is changed. */
export interface Part {
  readonly value: unknown;
  readonly places: readonly Place[];
  readonly set: (path: Path, value: unknown) => void;
  readonly remove: (path: Path) => void;
  /** Says whether a part cannot be written as it stands. */
  readonly mark: (path: Path, wrong: boolean) => void;
}

export const FormContext = createContext<Part | null>(null);

function useForm(): Part {
  const form = useContext(FormContext);
  if (form === null) throw new Error("a field of a schema stands outside of its form");
  return form;
}

interface SchemaFieldProps {
  readonly schema: Schema;
  readonly path: Path;
  readonly name: string;
  readonly required: boolean;
  /** The whole input: it needs no frame and no name. */
  readonly top?: boolean;
  /** Takes the part out of its list. */
  readonly onRemove?: (() => void) | undefined;
}

interface ShownProps<S extends Shape> extends SchemaFieldProps {
  readonly field: S;
  readonly value: unknown;
  readonly error: string | null;
}

/** Shows the field for a part of a schema. */
export function SchemaField(props: SchemaFieldProps): ReactNode {
  const { schema, path } = props;
  const form = useForm();
  const field = fieldOf(schema);
  const value = valueAt(form.value, path);
  const pointer = pointerOf(path);
  const error = form.places.find((place) => place.path === pointer)?.message ?? null;
  const shown = { ...props, value, error };
  // What was written as JSON may be of another kind than the field can hold.
  const isHeld = fits(schema, value) || isHalfTyped(field, value) || holdsMembers(field, value);
  if (!isHeld) return <JsonPart {...shown} field={field} />;
  switch (field.kind) {
    case "object":
      return <ObjectPart {...shown} field={field} />;
    case "array":
      return <ArrayPart {...shown} field={field} />;
    case "text":
      return <TextPart {...shown} field={field} />;
    case "number":
      return <NumberPart {...shown} field={field} />;
    case "boolean":
      return <BooleanPart {...shown} field={field} />;
    case "enum":
      return <EnumPart {...shown} field={field} />;
    case "oneOf":
      return <OneOfPart {...shown} field={field} />;
    case "fixed":
      return <FixedPart {...shown} field={field} />;
    case "json":
      return <JsonPart {...shown} field={field} />;
  }
}

/** A number that is being typed is no number yet. */
function isHalfTyped(field: Shape, value: unknown): boolean {
  return (
    field.kind === "number" &&
    (typeof value === "string" || typeof value === "number" || value === null)
  );
}

/** An object without all of its members is still one. */
function holdsMembers(field: Shape, value: unknown): boolean {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return (field.kind === "object" && isObject) || field.kind === "enum" || field.kind === "fixed";
}

function Title({
  field,
  name,
  required,
}: {
  readonly field: Shape;
  readonly name: string;
  readonly required: boolean;
}): ReactNode {
  return (
    <>
      <Foreign>{field.title ?? name}</Foreign>
      {field.title !== null && (
        <code>
          {" "}
          <Foreign>{name}</Foreign>
        </code>
      )}
      {required && <span className="form-needed"> needed</span>}
    </>
  );
}

function hintOf(field: Shape): ReactNode {
  const said = [field.description, limitsOf(field)].filter((part) => part !== null);
  return said.length === 0 ? undefined : <Foreign>{said.join(" · ")}</Foreign>;
}

function Remove({
  name,
  onRemove,
}: {
  readonly name: string;
  readonly onRemove: () => void;
}): ReactNode {
  return (
    <button type="button" className="plain small" onClick={onRemove}>
      Remove<span className="hidden"> {name}</span>
    </button>
  );
}

function frame(props: ShownProps<Shape>): {
  readonly name: ReactNode;
  readonly hint: ReactNode;
  readonly error: string | null;
  readonly aside: ReactNode;
} {
  const { field, name, required, error, onRemove } = props;
  return {
    name: <Title field={field} name={name} required={required} />,
    hint: hintOf(field),
    error,
    aside: onRemove === undefined ? undefined : <Remove name={name} onRemove={onRemove} />,
  };
}

function ObjectPart(props: ShownProps<ObjectField>): ReactNode {
  const { field, path, value, error, top = false } = props;
  const form = useForm();
  const has = (name: string) => valueAt(value, [name]) !== undefined;
  const shown = field.members.filter((member) => member.required || has(member.name));
  const absent = field.members.filter((member) => !member.required && !has(member.name));
  return (
    <fieldset className={top ? "form-object top" : "form-object"} aria-label={props.name}>
      {!top && (
        <div className="form-legend">
          <Title field={field} name={props.name} required={props.required} />
          {props.onRemove && <Remove name={props.name} onRemove={props.onRemove} />}
        </div>
      )}
      {error !== null && (
        <p className="form-error">
          <Foreign>{error}</Foreign>
        </p>
      )}
      {field.description !== null && (
        <p className="form-hint">
          <Foreign>{field.description}</Foreign>
        </p>
      )}
      {shown.map(({ name, required, schema }) => {
        const at = [...path, name];
        const isMissing = required && !has(name);
        if (isMissing) {
          return <Missing key={name} name={name} onAdd={() => form.set(at, initialOf(schema))} />;
        }
        const onRemove = required ? undefined : () => form.remove(at);
        return <SchemaField key={name} {...{ schema, path: at, name, required, onRemove }} />;
      })}
      {absent.length > 0 && (
        <div className="form-add">
          {absent.map(({ name, schema }) => (
            <button
              key={name}
              type="button"
              className="small"
              onClick={() => form.set([...path, name], initialOf(schema))}
            >
              + <Foreign>{fieldOf(schema).title ?? name}</Foreign>
            </button>
          ))}
        </div>
      )}
    </fieldset>
  );
}

function Missing({
  name,
  onAdd,
}: {
  readonly name: string;
  readonly onAdd: () => void;
}): ReactNode {
  return (
    <div className="form-field wrong">
      <div className="form-name">
        <Foreign>{name}</Foreign>
        <button type="button" className="small" onClick={onAdd}>
          Add
        </button>
      </div>
      <p className="form-error">is needed</p>
    </div>
  );
}

const ITEMS_SHOWN = 50;

function ArrayPart(props: ShownProps<ArrayField>): ReactNode {
  const { field, path, value, error } = props;
  const form = useForm();
  const items: readonly unknown[] = Array.isArray(value) ? value : [];
  const hidden = items.length - ITEMS_SHOWN;
  return (
    <fieldset className="form-object" aria-label={props.name}>
      <div className="form-legend">
        <Title field={field} name={props.name} required={props.required} />
        {props.onRemove && <Remove name={props.name} onRemove={props.onRemove} />}
      </div>
      {error !== null && (
        <p className="form-error">
          <Foreign>{error}</Foreign>
        </p>
      )}
      {hintOf(field) !== undefined && <p className="form-hint">{hintOf(field)}</p>}
      {items.slice(0, ITEMS_SHOWN).map((_, at) => (
        // Items have no names of their own.
        <SchemaField
          key={`${at} of ${items.length}`}
          schema={field.items}
          path={[...path, at]}
          name={`${at + 1}`}
          required={false}
          onRemove={() => form.remove([...path, at])}
        />
      ))}
      {hidden > 0 && <p className="form-hint">{`${hidden} more are in the JSON.`}</p>}
      <div className="form-add">
        <button
          type="button"
          className="small"
          disabled={field.itemsMax !== null && items.length >= field.itemsMax}
          onClick={() => form.set([...path, items.length], initialOf(field.items))}
        >
          + item
        </button>
      </div>
    </fieldset>
  );
}

/** Formats whose fields browsers have, with the same spelling. */
const INPUT_TYPES: Readonly<Record<string, string>> = { email: "email", uri: "url", date: "date" };

function TextPart(props: ShownProps<TextField>): ReactNode {
  const { field, path, value } = props;
  const form = useForm();
  const text = typeof value === "string" ? value : "";
  const long = (field.charsMax ?? 0) > 200 || text.length > 80 || text.includes("\n");
  const given = {
    value: text,
    maxLength: field.charsMax ?? undefined,
    minLength: field.charsMin ?? undefined,
  };
  return (
    <Field {...frame(props)}>
      {({ id, about }) =>
        long ? (
          <textarea
            {...given}
            id={id}
            className="input"
            rows={3}
            aria-describedby={about}
            onChange={(event) => form.set(path, event.target.value)}
          />
        ) : (
          <input
            {...given}
            id={id}
            className="input"
            type={INPUT_TYPES[field.format ?? ""] ?? "text"}
            pattern={field.pattern ?? undefined}
            autoComplete="off"
            aria-describedby={about}
            aria-invalid={props.error !== null}
            onChange={(event) => form.set(path, event.target.value)}
          />
        )
      }
    </Field>
  );
}

function NumberPart(props: ShownProps<NumberField>): ReactNode {
  const { field, path, value } = props;
  const form = useForm();
  const [typed, setTyped] = useState("");
  // What is typed stands as long as it means the value: `1.` is 1 on its way to 1.5.
  const same = typed.trim() !== "" && Number(typed) === value;
  const text = same ? typed : value === null || value === undefined ? "" : String(value);
  const change = (next: string) => {
    setTyped(next);
    const number = Number(next);
    if (next.trim() === "") form.set(path, null);
    // As text it is seen in the JSON to be no number, and the server says so.
    else form.set(path, Number.isFinite(number) ? number : next);
  };
  return (
    <Field {...frame(props)} error={numberError(field, value) ?? props.error}>
      {({ id, about }) => (
        <input
          id={id}
          className="input number"
          inputMode={field.whole ? "numeric" : "decimal"}
          value={text}
          autoComplete="off"
          aria-describedby={about}
          aria-invalid={numberError(field, value) !== null}
          onChange={(event) => change(event.target.value)}
        />
      )}
    </Field>
  );
}

function numberError(field: NumberField, value: unknown): string | null {
  if (typeof value !== "number") return value === null ? null : "is no number";
  return field.whole && !Number.isInteger(value) ? "is no whole number" : null;
}

function BooleanPart(props: ShownProps<Shape>): ReactNode {
  const { field, path, value } = props;
  const form = useForm();
  const { hint, error, aside } = frame(props);
  return (
    <div className="form-field">
      <div className="form-name">
        <label className="check">
          <input
            type="checkbox"
            checked={value === true}
            onChange={(event) => form.set(path, event.target.checked)}
          />
          <Title field={field} name={props.name} required={false} />
        </label>
        {aside !== undefined && <span className="form-aside">{aside}</span>}
      </div>
      {error !== null && (
        <p className="form-error">
          <Foreign>{error}</Foreign>
        </p>
      )}
      {hint !== undefined && <p className="form-hint">{hint}</p>}
    </div>
  );
}

function EnumPart(props: ShownProps<ChoiceField>): ReactNode {
  const { field, path, value } = props;
  const form = useForm();
  const wanted = JSON.stringify(value);
  const at = field.values.findIndex((one) => JSON.stringify(one) === wanted);
  return (
    <Field {...frame(props)} error={at < 0 ? "is none of these" : props.error}>
      {({ id, about }) => (
        <select
          id={id}
          className="input"
          value={at}
          aria-describedby={about}
          onChange={(event) => form.set(path, field.values[Number(event.target.value)])}
        >
          {at < 0 && <option value={-1}>{wanted ?? "–"}</option>}
          {field.values.map((one, index) => (
            <option key={JSON.stringify(one)} value={index}>
              {typeof one === "string" ? one : JSON.stringify(one)}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

function OneOfPart(props: ShownProps<OneOfField>): ReactNode {
  const { field, path, value } = props;
  const form = useForm();
  const at = branchOf(field, value);
  const branch = field.branches[at];
  return (
    <div className="form-one-of">
      <Field {...frame(props)}>
        {({ id, about }) => (
          <select
            id={id}
            className="input"
            value={at}
            aria-describedby={about}
            onChange={(event) => {
              const next = field.branches[Number(event.target.value)];
              if (next !== undefined) form.set(path, initialOf(next.schema));
            }}
          >
            {field.branches.map(({ name }, index) => (
              <option key={`${index} ${name}`} value={index}>
                {name}
              </option>
            ))}
          </select>
        )}
      </Field>
      {branch !== undefined && fieldOf(branch.schema).kind !== "fixed" && (
        <SchemaField schema={branch.schema} path={path} name={branch.name} required={false} />
      )}
    </div>
  );
}

function FixedPart(props: ShownProps<Shape>): ReactNode {
  const { field, path, value } = props;
  const form = useForm();
  const fixed = JSON.stringify(field.initial);
  return (
    <Field {...frame(props)}>
      {({ id }) => (
        <output id={id} className="mono">
          {fixed}
          {JSON.stringify(value) !== fixed && (
            <button type="button" className="small" onClick={() => form.set(path, field.initial)}>
              Set
            </button>
          )}
        </output>
      )}
    </Field>
  );
}

function JsonPart(props: ShownProps<Shape>): ReactNode {
  const { path, value } = props;
  const form = useForm();
  const [typed, setTyped] = useState<string | null>(null);
  const parsed = typed === null ? null : parseJson(typed);
  // What was typed stands while it is wrong, or means the value; else another field changed it.
  const stands =
    parsed !== null && (!parsed.ok || JSON.stringify(parsed.value) === JSON.stringify(value));
  const { name, hint, error } = frame(props);
  return (
    <JsonField
      name={name}
      hint={hint}
      error={error}
      text={stands && typed !== null ? typed : formatJson(value)}
      onText={(next) => {
        const now = parseJson(next);
        setTyped(next);
        form.mark(path, !now.ok);
        if (now.ok) form.set(path, now.value);
      }}
    />
  );
}
