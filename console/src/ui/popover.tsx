/** What floats beneath a button until somebody looks elsewhere. */

import { type ReactNode, type RefObject, useId, useRef, useState } from "react";

interface PopoverProps {
  readonly className?: string;
  /** What the button shows. */
  readonly button: ReactNode;
  /** What floats is called so; the button is named by what it shows. */
  readonly label: string;
  readonly buttonRef?: RefObject<HTMLButtonElement | null>;
  readonly children: (close: () => void) => ReactNode;
}

const GAP_PX = 4;
const MARGIN_PX = 8;
/** As wide as what floats may be, by its style. */
const WIDTH_PX = 280;

/** Shows a button, and what it opens. */
export function Popover(props: PopoverProps): ReactNode {
  const id = useId();
  const own = useRef<HTMLButtonElement>(null);
  const button = props.buttonRef ?? own;
  const floating = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState<{ left: number; top: number } | null>(null);
  const open = (isOpen: boolean) => {
    const box = button.current?.getBoundingClientRect();
    if (!isOpen || box === undefined) {
      setPlace(null);
      return;
    }
    const leftMost = Math.max(MARGIN_PX, innerWidth - WIDTH_PX - MARGIN_PX);
    setPlace({ left: Math.min(box.left, leftMost), top: box.bottom + GAP_PX });
  };
  return (
    <>
      <button
        type="button"
        ref={button}
        className={props.className}
        title={props.label}
        aria-haspopup="dialog"
        aria-expanded={place !== null}
        popoverTarget={id}
      >
        {props.button}
      </button>
      <div
        id={id}
        ref={floating}
        popover="auto"
        role="dialog"
        aria-label={props.label}
        className="popover"
        style={place ?? undefined}
        onBeforeToggle={(event) => open(event.newState === "open")}
      >
        {place !== null && props.children(() => floating.current?.hidePopover())}
      </div>
    </>
  );
}
