/** The API as the server describes it: every operation with what it takes, what it answers, and a line that asks for it. */

import { useQuery as useAnswer } from "@tanstack/react-query";
import { type ReactNode, useEffect, useMemo, useRef } from "react";
import { asAskError, ask } from "../api/ask.ts";
import { type Group, operationHas, type Reference, readReference } from "../model/reference.ts";
import { counted } from "../model/words.ts";
import { goQuery, useQuery } from "../route.ts";
import { Loading, NoAnswer } from "../runs/states.tsx";
import { useKeys } from "../ui/keys.ts";
import { SearchField } from "../ui/search-field.tsx";
import { Foreign } from "../ui/text.tsx";
import { OperationLine } from "./operation.tsx";

/** Where the document is. */
const DOCUMENT = "/openapi.json";

/** Shows the page. */
export function ReferencePage(): ReactNode {
  const { data, error, refetch } = useAnswer({
    queryKey: ["reference"],
    queryFn: async ({ signal }) => readReference(await ask(DOCUMENT, signal)),
    // It is the same for as long as the server runs.
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <main className="page reference">
      {data !== undefined ? (
        <Shown reference={data} />
      ) : (
        <>
          <div className="page-title">
            <h1>API reference</h1>
          </div>
          {error === null ? (
            <Loading />
          ) : (
            <NoAnswer
              what="what the server says of its API"
              error={asAskError(error)}
              onAgain={() => void refetch()}
            />
          )}
        </>
      )}
    </main>
  );
}

function Shown({ reference }: { readonly reference: Reference }): ReactNode {
  const query = useQuery();
  const text = query.get("q") ?? "";
  const opened = query.get("op");
  const field = useRef<HTMLInputElement>(null);
  useKeys({ "/": () => field.current?.focus() });
  const groups = useMemo(() => narrowed(reference.groups, text), [reference, text]);
  useEffect(() => {
    // Who follows a link to an operation sees it.
    const of = opened === null ? null : document.getElementById(`op-${opened}`);
    of?.scrollIntoView?.({ block: "nearest" });
  }, [opened]);
  const all = groups.reduce((sum, { operations }) => sum + operations.length, 0);
  return (
    <>
      <div className="page-title">
        <h1>API reference</h1>
        <span className="quiet">
          <Foreign>{reference.version}</Foreign>, {counted(all, "operation")}
        </span>
        <SearchField
          field={field}
          text={text}
          onText={(q) => goQuery({ q: q === "" ? null : q }, "replace")}
          placeholder="Address or words"
          label="Filter operations"
        />
        <a className="button" href={`/api/v1${DOCUMENT}`} download="stepwell-openapi.json">
          OpenAPI document
        </a>
      </div>
      <div className="reference-body">
        <nav className="reference-parts" aria-label="Parts of the API">
          {groups.map(({ name }) => (
            <a key={name} href={`#part-${name}`}>
              {name}
            </a>
          ))}
        </nav>
        <div className="reference-groups">
          {groups.length === 0 && (
            <div className="teach">
              <h2>No operation has these words.</h2>
            </div>
          )}
          {groups.map((group) => (
            <Part key={group.name} group={group} reference={reference} opened={opened} />
          ))}
        </div>
      </div>
    </>
  );
}

function narrowed(groups: readonly Group[], text: string): readonly Group[] {
  const wanted = text.trim();
  if (wanted === "") return groups;
  return groups
    .map((group) => ({
      ...group,
      operations: group.operations.filter((one) => operationHas(one, wanted)),
    }))
    .filter(({ operations }) => operations.length > 0);
}

function Part(props: {
  readonly group: Group;
  readonly reference: Reference;
  readonly opened: string | null;
}): ReactNode {
  const { name, what, operations } = props.group;
  return (
    <section className="reference-part" id={`part-${name}`} aria-labelledby={`part-${name}-name`}>
      <h2 id={`part-${name}-name`}>
        {name} <span className="quiet">{what}</span>
      </h2>
      <div className="operations">
        {operations.map((operation) => (
          <OperationLine
            key={operation.id}
            operation={operation}
            schemas={props.reference.schemas}
            isOpen={operation.id === props.opened}
          />
        ))}
      </div>
    </section>
  );
}
