/** Dialogs: one over the page, a sheet on the phone. The browser keeps the focus in it and the page still. */

import { type ReactNode, useEffect, useId, useLayoutEffect, useRef } from "react";
import { Icon } from "./icon.tsx";

interface DialogProps {
  readonly title: ReactNode;
  readonly onClose: () => void;
  /** While something is being done it cannot be left, so that nobody misses how it ends. */
  readonly busy?: boolean;
  /** What ⌘Enter or Ctrl+Enter does. */
  readonly onAct?: (() => void) | undefined;
  /** What stays in sight while the rest scrolls. */
  readonly under?: ReactNode;
  /** Buttons at the foot. */
  readonly foot?: ReactNode;
  readonly wide?: boolean;
  /** The palette stands near the top and has no head. */
  readonly kind?: "palette";
  readonly children: ReactNode;
}

function isNarrow(): boolean {
  return matchMedia("(max-width: 719px)").matches;
}

const FOCUSABLE = "input, textarea, select, button:not(.dialog-close)";

/** Shows a dialog while it is mounted. The focus begins in its first empty field, and goes back where it was. */
export function Dialog(props: DialogProps): ReactNode {
  const { title, onClose, busy = false, onAct, under, foot, wide = false, kind, children } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const label = useId();
  useLayoutEffect(() => {
    const node = dialog.current;
    const before = document.activeElement;
    if (node === null) return;
    node.showModal();
    // On a phone the focus of a field would bring up its keyboard, over half of what is to be read.
    if (isNarrow()) node.focus();
    else focusFirst(node);
    return () => {
      node.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  useBusy(dialog, busy);
  return (
    <dialog
      ref={dialog}
      tabIndex={-1}
      className={["dialog", wide ? "wide" : "", kind ?? ""].join(" ").trim()}
      aria-labelledby={label}
      aria-busy={busy}
      onCancel={(event) => {
        event.preventDefault();
        // A dialog within this one tells of its own.
        if (event.target === dialog.current && !busy) onClose();
      }}
      onKeyDown={(event) => {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
          event.preventDefault();
          onAct?.();
        }
        // Browsers let a second Escape close a dialog whatever is said; this one asks each time.
        if (event.key === "Escape" && !event.defaultPrevented) {
          event.preventDefault();
          if (!busy) onClose();
        }
        event.stopPropagation();
      }}
    >
      <header className="dialog-head">
        <h2 id={label}>{title}</h2>
        <button
          type="button"
          className="plain dialog-close"
          aria-keyshortcuts="Escape"
          disabled={busy}
          onClick={onClose}
        >
          <span className="hidden">Close</span> <kbd>Esc</kbd>
          <span className="touch">
            <Icon name="close" />
          </span>
        </button>
      </header>
      <div className="dialog-body">{children}</div>
      {under !== undefined && <div className="dialog-under">{under}</div>}
      {foot !== undefined && <footer className="dialog-foot">{foot}</footer>}
    </dialog>
  );
}

/** Where what has the focus is disabled, the focus must not fall out of the dialog. */
function useBusy(dialog: { readonly current: HTMLDialogElement | null }, busy: boolean): void {
  useEffect(() => {
    if (!busy && dialog.current?.contains(document.activeElement) === false) {
      focusFirst(dialog.current);
    }
  }, [dialog, busy]);
}

function focusFirst(node: HTMLDialogElement): void {
  const all = Array.from(node.querySelectorAll<HTMLElement>(FOCUSABLE));
  const usable = all.filter(
    (one) =>
      !one.matches(":disabled, [tabindex='-1']") && one.closest("details:not([open])") === null,
  );
  const empty = usable.find(
    (one) => one.matches("input, textarea") && "value" in one && one.value === "",
  );
  (node.querySelector<HTMLElement>("[data-first]") ?? empty ?? usable[0])?.focus();
}
