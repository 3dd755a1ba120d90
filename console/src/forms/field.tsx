/** What all fields of forms have: a name, what is taken, and what is wrong. */

import { type ReactNode, useId } from "react";
import { Foreign } from "../ui/text.tsx";

interface FieldProps {
  readonly name: ReactNode;
  /** What stands at the right of the name. */
  readonly aside?: ReactNode;
  readonly hint?: ReactNode;
  readonly error?: string | null;
  /** The control; `about` names what describes it. */
  readonly children: (ids: { readonly id: string; readonly about: string }) => ReactNode;
}

/** Shows a field with its name above, and its hint and error below. */
export function Field({ name, aside, hint, error = null, children }: FieldProps): ReactNode {
  const id = useId();
  const about = `${id}-about`;
  return (
    <div className={error === null ? "form-field" : "form-field wrong"}>
      <div className="form-name">
        <label htmlFor={id}>{name}</label>
        {aside !== undefined && <span className="form-aside">{aside}</span>}
      </div>
      {children({ id, about })}
      <div id={about} className="form-about">
        {error !== null && (
          <p className="form-error">
            <Foreign>{error}</Foreign>
          </p>
        )}
        {hint !== undefined && <p className="form-hint">{hint}</p>}
      </div>
    </div>
  );
}

interface TextInputProps {
  readonly name: ReactNode;
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly hint?: ReactNode;
  readonly error?: string | null;
  readonly placeholder?: string;
  readonly aside?: ReactNode;
  /** For what code named: ids, keys, durations. */
  readonly mono?: boolean;
}

/** Shows a field for one line of text. */
export function TextInput(props: TextInputProps): ReactNode {
  const { name, value, onValue, hint, error = null, placeholder, aside, mono = false } = props;
  return (
    <Field name={name} hint={hint} error={error} aside={aside}>
      {({ id, about }) => (
        <input
          id={id}
          className={mono ? "input mono" : "input"}
          value={value}
          placeholder={placeholder}
          aria-describedby={about}
          aria-invalid={error !== null}
          autoComplete="off"
          spellCheck={!mono}
          onChange={(event) => onValue(event.target.value)}
        />
      )}
    </Field>
  );
}

/** Chooses one of several, of which one is seen. */
export function SelectInput(props: {
  readonly name: ReactNode;
  readonly value: string;
  readonly options: readonly { readonly value: string; readonly words: string }[];
  readonly onValue: (value: string) => void;
  readonly hint?: ReactNode;
}): ReactNode {
  return (
    <Field name={props.name} hint={props.hint}>
      {({ id, about }) => (
        <select
          id={id}
          className="input"
          value={props.value}
          aria-describedby={about}
          onChange={(event) => props.onValue(event.target.value)}
        >
          {props.options.map(({ value, words }) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

/** Chooses one of several, all of them seen. */
export function Choice<T extends string>(props: {
  readonly name: string;
  readonly value: T;
  readonly options: readonly { readonly value: T; readonly words: ReactNode }[];
  readonly onValue: (value: T) => void;
}): ReactNode {
  const group = useId();
  return (
    <fieldset className="form-choice">
      <legend>{props.name}</legend>
      {props.options.map(({ value, words }) => (
        <label key={value}>
          <input
            type="radio"
            name={group}
            checked={value === props.value}
            onChange={() => props.onValue(value)}
          />
          <span>{words}</span>
        </label>
      ))}
    </fieldset>
  );
}
