/** Who is signed in, and what belongs to nobody's page: at the right end of the bar. */

import type { ReactNode } from "react";
import { asAskError } from "../api/ask.ts";
import { session } from "../api/session.ts";
import { initialsOf } from "../model/history.ts";
import type { Me } from "../model/rights.ts";
import { openKeys, openSettings } from "../palette/open.ts";
import { go } from "../route.ts";
import { Icon } from "../ui/icon.tsx";
import { Menu, type MenuItem } from "../ui/menu.tsx";
import { say } from "../ui/said.tsx";
import { Foreign } from "../ui/text.tsx";

/** Shows the button with its menu. */
export function Account({ me }: { readonly me: Me }): ReactNode {
  const items: readonly MenuItem[] = [
    { name: "Settings", onChoose: openSettings },
    { name: "Keys of this page", keys: "?", onChoose: openKeys },
    { name: "API reference", onChoose: () => go("/reference") },
    ...(me.key === null ? [] : [{ name: "Sign out", onChoose: signOut }]),
  ];
  return (
    <Menu
      label="Who you are, and more"
      className="plain bare account"
      head={<Who me={me} />}
      items={items}
    >
      {me.key === null ? (
        <Icon name="person" />
      ) : (
        <span className="person">{initialsOf(me.key.name)}</span>
      )}
    </Menu>
  );
}

function signOut(): void {
  session.signOut().catch((error: unknown) => {
    say(`You are still signed in: ${asAskError(error).message}.`);
  });
}

/** Says who somebody is. */
export function Who({ me }: { readonly me: Me }): ReactNode {
  return (
    <dl className="who">
      {me.key !== null && (
        <div>
          <dt>Key</dt>
          <dd>
            <b>
              <Foreign>{me.key.name}</Foreign>
            </b>{" "}
            <span className="mono">{me.key.id}</span>
          </dd>
        </div>
      )}
      <div>
        <dt>Role</dt>
        <dd>
          <Foreign>{me.role}</Foreign>
        </dd>
      </div>
      <div>
        <dt>Namespace</dt>
        <dd>
          <Foreign>{me.namespace}</Foreign>
        </dd>
      </div>
      {me.key === null && (
        <div>
          <dt>Key</dt>
          <dd>none: this server takes requests of its own machine, and asks for no key</dd>
        </div>
      )}
    </dl>
  );
}
