/** Acts on keys: make, rotate, revoke. */

import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { ActDialog } from "../acts/act-dialog.tsx";
import { makeKey, revokeKey, rotateKey } from "../api/access.ts";
import { useMe, useWhyNot } from "../api/session.ts";
import { Choice, SelectInput, TextInput } from "../forms/field.tsx";
import { type KeyRow, type MadeKey, ROLE_WORDS } from "../model/access.ts";
import { commandLine, whyFlag } from "../model/cli.ts";
import { Foreign } from "../ui/text.tsx";
import { ACCESS, useNamespaces } from "./queries.ts";

/** Where the reason of an act on keys and namespaces is kept. */
export const IN_AUDIT = "Stays in the audit log, with the name of your key.";
const NEVER = "never";
const OTHER = "other";

interface Making {
  readonly onMade: (made: MadeKey) => void;
  readonly onClose: () => void;
}

/** How long something lasts: one of some, or what is typed. */
interface Span {
  readonly chosen: string;
  readonly typed: string;
}

const textOf = ({ chosen, typed }: Span) => (chosen === OTHER ? typed.trim() : chosen);

interface Option {
  readonly value: string;
  readonly words: string;
}

const EXPIRIES: readonly Option[] = [
  { value: "30d", words: "in 30 days" },
  { value: "90d", words: "in 90 days" },
  { value: "365d", words: "in 365 days" },
  { value: NEVER, words: "never" },
  { value: OTHER, words: "in …" },
];

const OVERLAPS: readonly Option[] = [
  { value: "0s", words: "not any more" },
  { value: "1h", words: "for an hour" },
  { value: "24h", words: "for a day" },
  { value: "7d", words: "for 7 days" },
  { value: OTHER, words: "for …" },
];

function SpanFields(props: {
  readonly name: string;
  readonly options: readonly Option[];
  readonly span: Span;
  readonly onSpan: (span: Span) => void;
  readonly hint: string;
}): ReactNode {
  const { name, options, span, onSpan, hint } = props;
  return (
    <>
      <SelectInput
        name={name}
        value={span.chosen}
        options={options}
        onValue={(chosen) => onSpan({ ...span, chosen })}
        hint={hint}
      />
      {span.chosen === OTHER && (
        <TextInput
          name="How long"
          mono
          value={span.typed}
          onValue={(typed) => onSpan({ ...span, typed })}
          placeholder="14d"
          hint="A number with s, m, h, d or w, such as 36h or 14d."
        />
      )}
    </>
  );
}

/** Shows the act that makes one. */
export function MakeKeyDialog({ onMade, onClose }: Making): ReactNode {
  const client = useQueryClient();
  const me = useMe();
  const [name, setName] = useState("");
  const [role, setRole] = useState<string>("client");
  const [namespace, setNamespace] = useState(me?.namespace ?? "");
  const [expiry, setExpiry] = useState<Span>({ chosen: "90d", typed: "" });
  const expires = textOf(expiry);
  return (
    <ActDialog
      deed="keys"
      title="Make a key"
      lead="It is shown once, when it is made. Give each program and person one of its own."
      verb="Make the key"
      leave="Leave it"
      signature="why"
      reasonHint={IN_AUDIT}
      wrong={
        name.trim() === ""
          ? "The key needs a name."
          : expires === ""
            ? "It needs a time after which it ends."
            : null
      }
      line={({ reason }) =>
        commandLine(
          ["keys", "create"],
          [
            ["--name", name.trim()],
            ["--role", role],
            ["--namespace", namespace === me?.namespace ? null : namespace],
            ["--expires", expires === NEVER ? null : expires],
            whyFlag(reason),
          ],
        )
      }
      perform={async ({ reason }, signal) => {
        const request = {
          name: name.trim(),
          role,
          namespace,
          ...(expires !== NEVER && { expiresIn: expires }),
          reason,
        };
        const made = await makeKey(request, signal);
        await client.invalidateQueries({ queryKey: [ACCESS] });
        onMade(made);
        return null;
      }}
      onClose={onClose}
    >
      <TextInput
        name="Name"
        value={name}
        onValue={setName}
        hint="What people call it; it stands beside all that is done with it."
      />
      <Choice
        name="Role"
        value={role}
        options={ROLE_WORDS.map(([value, may]) => ({
          value,
          words: (
            <>
              <b>{value}</b> {may}
            </>
          ),
        }))}
        onValue={setRole}
      />
      <NamespaceField value={namespace} onValue={setNamespace} />
      <SpanFields
        name="Ends"
        options={EXPIRIES}
        span={expiry}
        onSpan={setExpiry}
        hint="What is connected with it then is dropped."
      />
    </ActDialog>
  );
}

/** Who administers the server chooses; the others make keys of their own namespace. */
function NamespaceField(props: {
  readonly value: string;
  readonly onValue: (value: string) => void;
}): ReactNode {
  const mayAll = useWhyNot()("namespaces") === null;
  const { data = [] } = useNamespaces(mayAll);
  const open = data.filter(({ closedAt }) => closedAt === null).map(({ name }) => name);
  const names = open.includes(props.value) ? open : [props.value, ...open];
  if (!mayAll) {
    return (
      <p className="quiet-2">
        It is of your namespace, <Foreign>{props.value}</Foreign>.
      </p>
    );
  }
  return (
    <SelectInput
      name="Namespace"
      value={props.value}
      options={names.map((name) => ({ value: name, words: name }))}
      onValue={props.onValue}
      hint="What is of another namespace is not there for it."
    />
  );
}

/** Shows the act that gives one another secret. */
export function RotateKeyDialog(props: Making & { readonly of: KeyRow }): ReactNode {
  const { of, onMade, onClose } = props;
  const client = useQueryClient();
  const [span, setSpan] = useState<Span>({ chosen: "24h", typed: "" });
  const overlap = textOf(span);
  return (
    <ActDialog
      deed="keys"
      title={
        <>
          Rotate <KeyName of={of} />
        </>
      }
      lead="Another secret is made for it, which is shown once. Role, namespace and expiry stay as they are."
      verb="Rotate the key"
      leave="Keep the secret"
      signature="why"
      reasonHint={IN_AUDIT}
      over={overWords(of)}
      wrong={overlap === "" ? "It needs a time for which the one before is taken." : null}
      line={({ reason }) =>
        commandLine(["keys", "rotate", of.id], [["--overlap", overlap], whyFlag(reason)])
      }
      perform={async ({ reason }, signal) => {
        const made = await rotateKey(of.id, { overlap, reason }, signal);
        await client.invalidateQueries({ queryKey: [ACCESS] });
        onMade(made);
        return null;
      }}
      onClose={onClose}
    >
      <SpanFields
        name="The secret before is taken"
        options={OVERLAPS}
        span={span}
        onSpan={setSpan}
        hint="Time to bring the new one to whoever uses it. One of an earlier rotation ends at once."
      />
    </ActDialog>
  );
}

/** Shows the act that ends one. */
export function RevokeKeyDialog(props: {
  readonly of: KeyRow;
  readonly onClose: () => void;
}): ReactNode {
  const { of, onClose } = props;
  const client = useQueryClient();
  const isOwn = useMe()?.key?.id === of.id;
  return (
    <ActDialog
      deed="keys"
      title={
        <>
          Revoke <KeyName of={of} />
        </>
      }
      lead="It is taken no more. Runners, streams and requests that are connected with it are dropped within 5 s. This cannot be taken back."
      verb="Revoke the key"
      leave="Keep it"
      signature="why"
      reasonHint={IN_AUDIT}
      over={overWords(of)}
      typed={of.name}
      line={({ reason }) => commandLine(["keys", "revoke", of.id], [whyFlag(reason)])}
      perform={async ({ reason }, signal) => {
        await revokeKey(of.id, reason, signal);
        await client.invalidateQueries({ queryKey: [ACCESS] });
        return null;
      }}
      onClose={onClose}
    >
      {isOwn && (
        <p className="act-note">
          <strong>You are signed in with this key.</strong> Your session ends with it.
        </p>
      )}
    </ActDialog>
  );
}

function KeyName({ of }: { readonly of: KeyRow }): ReactNode {
  return (
    <>
      <Foreign>{of.name}</Foreign> <span className="run-end mono">{of.id}</span>
    </>
  );
}

function overWords(of: KeyRow): string | null {
  return of.state === "live" ? null : `The key is ${of.state}.`;
}
