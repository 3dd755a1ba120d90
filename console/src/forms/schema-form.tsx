/** A form from a JSON Schema, beside the JSON that it writes: each follows the other. */

import { type ReactNode, useMemo, useState } from "react";
import type { Place } from "../api/ask.ts";
import { formatJson, parseJson } from "../model/json-text.ts";
import { pointerOf, valueAt, without, withValue } from "../model/place.ts";
import { hasForm, type Schema, schemaOf } from "../model/schema.ts";
import { Foreign } from "../ui/text.tsx";
import { JsonField } from "./json-field.tsx";
import { FormContext, type Part, SchemaField } from "./schema-fields.tsx";

interface SchemaFormProps {
  /** What the workflow takes; null where it says nothing. */
  readonly schema: unknown;
  readonly text: string;
  readonly onText: (text: string) => void;
  /** Whether a part of the form cannot be written as JSON as it stands. */
  readonly onWrong: (wrong: boolean) => void;
  /** What the server said of it. */
  readonly places: readonly Place[];
  readonly original?: unknown;
  readonly optional?: boolean;
}

/** Shows the form and the JSON, or the JSON alone where the schema gives no form. */
export function SchemaForm(props: SchemaFormProps): ReactNode {
  const { text, onText, places } = props;
  const schema = useMemo(() => schemaOf(props.schema), [props.schema]);
  const parsed = useMemo(() => parseJson(text), [text]);
  const isForm = props.schema !== null && props.schema !== undefined && hasForm(schema);
  const value = parsed.ok ? parsed.value : undefined;
  const unplaced = places.filter(
    ({ path }) => !isForm || !parsed.ok || valueByPointer(value, path) === undefined,
  );
  const json = (
    <JsonField
      name={isForm ? "As JSON" : "Input"}
      text={text}
      onText={onText}
      optional={props.optional ?? false}
      rowsMax={isForm ? 24 : 14}
      {...(Object.hasOwn(props, "original") && { original: props.original })}
    />
  );
  return (
    <div className={isForm ? "schema-form" : undefined}>
      {unplaced.length > 0 && <Places places={unplaced} />}
      {isForm && (
        <FormParts {...props} schema={schema} value={value} isJson={parsed.ok} onText={onText} />
      )}
      {json}
    </div>
  );
}

function Places({ places }: { readonly places: readonly Place[] }): ReactNode {
  return (
    <ul className="places">
      {places.map(({ path, message }) => (
        <li key={`${path} ${message}`}>
          <code>
            <Foreign>{path === "" ? "/" : path}</Foreign>
          </code>{" "}
          <Foreign>{message}</Foreign>
        </li>
      ))}
    </ul>
  );
}

function FormParts(props: {
  readonly schema: Schema;
  readonly value: unknown;
  readonly isJson: boolean;
  readonly onText: (text: string) => void;
  readonly onWrong: (wrong: boolean) => void;
  readonly places: readonly Place[];
}): ReactNode {
  const { schema, value, isJson, onText, onWrong, places } = props;
  const [wrong, setWrong] = useState<ReadonlySet<string>>(new Set());
  const part: Part = {
    value,
    places,
    set: (path, next) => onText(formatJson(withValue(value, path, next))),
    remove: (path) => onText(formatJson(without(value, path))),
    mark: (path, isWrong) => {
      const next = new Set(wrong);
      if (isWrong) next.add(pointerOf(path));
      else next.delete(pointerOf(path));
      if (next.size === wrong.size) return;
      setWrong(next);
      onWrong(next.size > 0);
    },
  };
  return (
    <FormContext value={part}>
      <fieldset className="schema-fields" disabled={!isJson} aria-label="Input">
        {isJson ? (
          <SchemaField schema={schema} path={[]} name="Input" required top />
        ) : (
          <p className="form-hint">The form goes on once the JSON beside it is right.</p>
        )}
      </fieldset>
    </FormContext>
  );
}

/** Reads a place by its JSON pointer. */
function valueByPointer(value: unknown, pointer: string): unknown {
  const names = pointer.split("/").slice(1);
  return valueAt(
    value,
    names.map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~")),
  );
}
