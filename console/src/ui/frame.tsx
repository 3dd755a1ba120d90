/** What all pages have: the bar at the top, and the place for a message where there is nothing else. */

import { type ReactNode, useState } from "react";
import { clock } from "../model/words.ts";
import { Icon, type IconName, Mark } from "./icon.tsx";
import { Link } from "./link.tsx";
import { recall, remember } from "./stored.ts";
import { At } from "./text.tsx";

/** Shows the bar at the top. What stands at its right is the page's. */
export function TopBar({ children }: { readonly children?: ReactNode }): ReactNode {
  return (
    <header className="topbar">
      <Link href="/runs" className="brand" title="All runs">
        <Mark />
        Stepwell
      </Link>
      <nav aria-label="Pages">
        <Link href="/runs" current="page">
          Runs
        </Link>
      </nav>
      <div className="right">
        {children}
        <ThemeSwitch />
      </div>
    </header>
  );
}

/** Says from when the page is: it is asked for again from time to time, and is not live. */
export function AsOf(props: {
  readonly at: number | null;
  readonly failed: boolean;
  readonly onRefresh: () => void;
}): ReactNode {
  return (
    <>
      <span className="as-of">
        {props.failed && "The server does not answer. "}
        {props.at !== null && (
          <>
            As of <At ms={props.at}>{clock(props.at)}</At>
          </>
        )}
      </span>
      <button
        type="button"
        className="plain bare"
        aria-label="Read again"
        title="Read again"
        onClick={props.onRefresh}
      >
        <Icon name="again" />
      </button>
    </>
  );
}

const THEMES = ["system", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];
const THEME_ICONS: Readonly<Record<Theme, IconName>> = {
  system: "system",
  light: "sun",
  dark: "moon",
};

function ThemeSwitch(): ReactNode {
  const [theme, setTheme] = useState<Theme>(() => recall("theme", THEMES, "system"));
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "system";
  const change = () => {
    remember("theme", next);
    if (next === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    setTheme(next);
  };
  const name = `Theme: ${theme}. Change to ${next}`;
  return (
    <button type="button" className="plain bare" aria-label={name} title={name} onClick={change}>
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
