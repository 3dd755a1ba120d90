/** One operation of the API, and all of it where it is opened. */

import { Fragment, type ReactNode } from "react";
import { CommandLine } from "../acts/act-dialog.tsx";
import { useMe } from "../api/session.ts";
import {
  type Answer,
  boundsOf,
  curlLine,
  type FieldLine,
  fieldsOf,
  type Operation,
  type Parameter,
  type Schema,
  type Schemas,
  typeOf,
} from "../model/reference.ts";
import { capital } from "../model/words.ts";
import { goQuery } from "../route.ts";

interface OperationLineProps {
  readonly operation: Operation;
  readonly schemas: Schemas;
  readonly isOpen: boolean;
}

/** Shows the operation in a line, which opens it. One is open at a time: the address names it. */
export function OperationLine({ operation, schemas, isOpen }: OperationLineProps): ReactNode {
  const { id, method, path, summary } = operation;
  const part = `op-${id}`;
  return (
    <div className={isOpen ? "operation open" : "operation"} id={part}>
      <button
        type="button"
        className="operation-line"
        aria-expanded={isOpen}
        aria-controls={`${part}-whole`}
        onClick={() => goQuery({ op: isOpen ? null : id })}
      >
        <span className="method">{method}</span>
        <span className="operation-path">{path}</span>
        <span className="operation-summary">{summary}</span>
        <Right operation={operation} />
      </button>
      <div id={`${part}-whole`} hidden={!isOpen}>
        {isOpen && <Whole operation={operation} schemas={schemas} />}
      </div>
    </div>
  );
}

/** The right that is needed, and whether who looks has it. */
function Right({ operation }: { readonly operation: Operation }): ReactNode {
  const me = useMe();
  const { right } = operation;
  const lacks = me !== null && right !== "public" && !me.rights.has(right);
  return (
    <span
      className="operation-right"
      title={lacks ? "Your key does not have this right" : undefined}
    >
      {right}
      {lacks && <span className="quiet">, not yours</span>}
    </span>
  );
}

function Whole(props: { readonly operation: Operation; readonly schemas: Schemas }): ReactNode {
  const { operation, schemas } = props;
  const { description, parameters, body, answers } = operation;
  const asksForKeys = useMe()?.access === "keys";
  const server = { origin: location.origin, asksForKeys };
  return (
    <div className="operation-whole">
      {description !== "" && (
        <p className="operation-more">
          <Marked>{description}</Marked>
        </p>
      )}
      <CommandLine text={curlLine(operation, schemas, server)} />
      {parameters.length > 0 && (
        <Fields
          of="request"
          name="Parameters"
          lines={parameters.map((one) => parameterLine(one, schemas))}
          schemas={schemas}
        />
      )}
      {body !== null && (
        <Fields
          of="request"
          name={`Body, ${body.media}${body.isRequired ? "" : ", may be left out"}`}
          schema={body.schema}
          schemas={schemas}
        />
      )}
      {answers.map((answer) => (
        <AnswerPart key={answer.status} answer={answer} schemas={schemas} />
      ))}
    </div>
  );
}

function parameterLine(parameter: Parameter, schemas: Schemas): FieldLine {
  const { name, schema = {}, required = false, description = "" } = parameter;
  return {
    path: `${parameter.in} ${name}`,
    name,
    depth: 0,
    // That it may be left out is said beside it.
    type: typeOf(schema, schemas).replace(/ \| null$/, ""),
    isRequired: required,
    what: [`In the ${parameter.in}.`, description, boundsOf(schema, schemas)]
      .filter((one) => one !== "")
      .join(" "),
  };
}

/** What it answers with: the good ones with their form, the others with their codes. */
function AnswerPart({ answer, schemas }: { readonly answer: Answer; readonly schemas: Schemas }) {
  const { status, description, codes, media, schema } = answer;
  if (codes.length > 0) {
    return (
      <p className="answer">
        <b className="mono">{status}</b> <Marked>{description}</Marked>
      </p>
    );
  }
  return (
    <Fields
      of="answer"
      name={
        <>
          <b className="mono">{status}</b> <Marked>{description}</Marked>
          {media !== null && <span className="quiet"> {media}</span>}
        </>
      }
      schema={schema}
      schemas={schemas}
    />
  );
}

function Fields(props: {
  readonly name: ReactNode;
  readonly schema?: Schema | null;
  readonly lines?: readonly FieldLine[];
  readonly schemas: Schemas;
  /** Of a request it is said what is needed, of an answer what may be absent. */
  readonly of: "request" | "answer";
}): ReactNode {
  const { name, schema = null, schemas, of } = props;
  const lines = props.lines ?? (schema === null ? [] : fieldsOf(schema, schemas));
  const type = schema === null ? null : typeOf(schema, schemas);
  return (
    <div className="fields">
      <h3>
        {name} {type !== null && type !== "object" && <code>{type}</code>}
      </h3>
      {lines.length > 0 && (
        <table>
          <caption className="hidden">Name, type and meaning of each field</caption>
          <colgroup>
            <col className="field-name" />
            <col className="field-type" />
            <col />
          </colgroup>
          <tbody>
            {lines.map((line) => (
              <tr key={line.path}>
                <th scope="row" className={`depth-${line.depth}`}>
                  <code>{line.name}</code>
                  {line.isRequired === (of === "request") && (
                    <span className="form-needed">
                      {of === "request" ? " needed" : " may be absent"}
                    </span>
                  )}
                </th>
                <td>
                  <code>{line.type}</code>
                </td>
                <td>
                  <Marked>{capital(line.what)}</Marked>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}

/** Shows a text of the document, in which names stand between backticks. */
function Marked({ children }: { readonly children: string }): ReactNode {
  return children.split("`").map((part, at) => {
    // Parts have no names of their own, and never move.
    const key = `${at}`;
    return at % 2 === 0 ? <Fragment key={key}>{part}</Fragment> : <code key={key}>{part}</code>;
  });
}
