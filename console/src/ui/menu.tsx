/** A menu behind a button: the native popover over the page, with the keys of menus. */

import { type KeyboardEvent, type ReactNode, useId, useRef, useState } from "react";
import { unlessOff } from "./act-button.tsx";

/** One line of a menu. */
export interface MenuItem {
  readonly name: string;
  /** The key that does the same, as it is shown. */
  readonly keys?: string | undefined;
  /** Why it cannot be chosen now; null where it can. */
  readonly off?: string | null;
  readonly onChoose: () => void;
}

interface MenuProps {
  /** What the menu is about, for readers of screens. */
  readonly label: string;
  readonly items: readonly MenuItem[];
  readonly className?: string;
  /** What stands above the items. */
  readonly head?: ReactNode;
  /** What stands on the button. */
  readonly children: ReactNode;
}

/** Shows a button with a menu. */
export function Menu(props: MenuProps): ReactNode {
  const { label, items, className = "bare", head, children } = props;
  const id = useId();
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const show = (which: "first" | "last") => {
    const node = list.current;
    if (node === null || button.current === null) return;
    node.showPopover();
    placeUnder(node, button.current);
    const all = itemsOf(node);
    (which === "first" ? all[0] : all.at(-1))?.focus();
  };
  const hide = () => {
    list.current?.hidePopover();
    button.current?.focus();
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        className={className}
        aria-label={label}
        title={label}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={id}
        onClick={() => (open ? hide() : show("first"))}
        onKeyDown={(event) => {
          if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
          event.preventDefault();
          show(event.key === "ArrowDown" ? "first" : "last");
        }}
      >
        {children}
      </button>
      <div
        ref={list}
        popover="auto"
        className="menu"
        onToggle={(event) => setOpen(event.newState === "open")}
      >
        {head}
        <div
          id={id}
          role="menu"
          tabIndex={-1}
          aria-label={label}
          onKeyDown={(event) => keys(event, hide)}
        >
          {items.map((item) => (
            <Item key={item.name} item={item} hide={hide} />
          ))}
        </div>
      </div>
    </>
  );
}

function Item({
  item: { name, off = null, keys, onChoose },
  hide,
}: {
  readonly item: MenuItem;
  readonly hide: () => void;
}): ReactNode {
  return (
    <button
      type="button"
      role="menuitem"
      tabIndex={-1}
      aria-disabled={off === null ? undefined : true}
      title={off ?? undefined}
      onClick={unlessOff(off, () => {
        hide();
        onChoose();
      })}
    >
      <bdi>{name}</bdi>
      {keys !== undefined && <kbd>{keys}</kbd>}
    </button>
  );
}

function itemsOf(menu: HTMLElement): readonly HTMLElement[] {
  return Array.from(menu.querySelectorAll<HTMLElement>("[role=menuitem]"));
}

function keys(event: KeyboardEvent<HTMLElement>, hide: () => void): void {
  const all = itemsOf(event.currentTarget);
  const at = all.findIndex((item) => item.matches(":focus"));
  const to = (place: number) => all[(place + all.length) % all.length]?.focus();
  if (event.key === "ArrowDown") to(at + 1);
  else if (event.key === "ArrowUp") to(at - 1);
  else if (event.key === "Home") to(0);
  else if (event.key === "End") to(-1);
  else if (event.key === "Escape" || event.key === "Tab") hide();
  else if (/^\S$/.test(event.key) && !event.ctrlKey && !event.metaKey) {
    const begins = (item: HTMLElement) =>
      item.textContent.toLowerCase().startsWith(event.key.toLowerCase());
    // From the next one on, so that the same letter goes through all that begin with it.
    [...all.slice(at + 1), ...all.slice(0, at + 1)].find(begins)?.focus();
  } else return;
  event.preventDefault();
  event.stopPropagation();
}

const GAP_PX = 4;

/** Popovers stand over the page, so their place is computed: below the button, or above where that is the end. */
function placeUnder(menu: HTMLElement, button: HTMLElement): void {
  const from = button.getBoundingClientRect();
  const { width, height } = menu.getBoundingClientRect();
  const below = from.bottom + GAP_PX + height <= innerHeight;
  menu.style.top = `${below ? from.bottom + GAP_PX : Math.max(GAP_PX, from.top - GAP_PX - height)}px`;
  const left = Math.min(from.right - width, innerWidth - width - GAP_PX);
  menu.style.left = `${Math.max(GAP_PX, left)}px`;
}
