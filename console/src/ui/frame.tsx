/** What all pages have: the bar at the top, and the place for a message where there is nothing else. */

import type { ReactNode } from "react";
import { Account } from "../access/account.tsx";
import type { Me } from "../model/rights.ts";
import { openPalette } from "../palette/open.ts";
import type { Route } from "../route.ts";
import { Icon, type IconName, Mark } from "./icon.tsx";
import { Link } from "./link.tsx";
import { LiveState } from "./live-state.tsx";
import { platformKey } from "./platform.ts";
import { Foreign } from "./text.tsx";
import { setTheme, THEMES, type Theme, useTheme } from "./theme.ts";

const PAGES = [
  { name: "Runs", href: "/runs", pages: ["runs", "run", "log"], keys: "g r" },
  { name: "Events", href: "/events", pages: ["events", "event"], keys: "g e" },
  { name: "Runners", href: "/runners", pages: ["runners"], keys: "g n" },
  { name: "Flows", href: "/flows", pages: ["flows", "flow", "observed"], keys: "g f" },
  { name: "Access", href: "/access", pages: ["access"], keys: "g a" },
] as const satisfies readonly { pages: readonly Route["page"][]; [more: string]: unknown }[];

/** Shows the bar at the top. */
export function TopBar({ page, me }: { readonly page: Route["page"]; readonly me: Me }): ReactNode {
  return (
    <header className="topbar">
      <Link href="/runs" className="brand" title="All runs">
        <Mark />
        <span className="brand-name">Stepwell</span>
      </Link>
      <span className="namespace" title="Namespace">
        <Foreign>{me.namespace}</Foreign>
      </span>
      <nav aria-label="Pages">
        {PAGES.map(({ name, href, pages, keys }) => (
          <Link
            key={href}
            href={href}
            title={`${name} (${keys})`}
            current={pages.some((one) => one === page) ? "page" : undefined}
          >
            {name}
          </Link>
        ))}
      </nav>
      <div className="right">
        <button type="button" className="find" aria-keyshortcuts="Control+K" onClick={openPalette}>
          <Icon name="search" />
          <span className="find-words">Find a run, step or event</span>
          <kbd>{platformKey("⌘K")}</kbd>
        </button>
        <LiveState />
        <ThemeSwitch />
        <Account me={me} />
      </div>
    </header>
  );
}

const THEME_ICONS: Readonly<Record<Theme, IconName>> = {
  system: "system",
  light: "sun",
  dark: "moon",
};

function ThemeSwitch(): ReactNode {
  const theme = useTheme();
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "system";
  const name = `Theme: ${theme}. Change to ${next}`;
  return (
    <button
      type="button"
      className="plain bare theme-switch"
      aria-label={name}
      title={name}
      onClick={() => setTheme(next)}
    >
      <Icon name={THEME_ICONS[theme]} />
    </button>
  );
}

/** Says something in place of a page. */
export function Message({
  title,
  children,
}: {
  readonly title: string;
  readonly children?: ReactNode;
}): ReactNode {
  return (
    <main className="message">
      <h1>{title}</h1>
      {children}
    </main>
  );
}
