/** Whether the view under the header is scrolled. */

import { type RefObject, useEffect, useState } from "react";

/** From where on the header gives its room to the view, and from where it takes it back. */
const SHRINK_PX = 48;
const GROW_PX = 4;
/** A view that scrolls less than this would not scroll any more in the room that it is given. */
const SCROLLS_PX_MIN = 260;

/** Says whether the header is to be one line: the list or timeline beside it is scrolled down. */
export function useShrunk(header: RefObject<HTMLElement | null>): boolean {
  const [shrunk, setShrunk] = useState(false);
  useEffect(() => {
    const page = header.current?.parentElement;
    if (!page) return;
    const scrolled = (event: Event) => {
      const { target } = event;
      if (!(target instanceof HTMLElement) || target.closest(".run-main") === null) return;
      if (target.closest(".inspector, .menu, dialog") !== null) return;
      const { scrollTop, scrollHeight, clientHeight } = target;
      setShrunk((was) =>
        was
          ? scrollTop > GROW_PX
          : scrollTop > SHRINK_PX && scrollHeight - clientHeight > SCROLLS_PX_MIN,
      );
    };
    // Scrolling does not bubble, but is seen on its way down.
    page.addEventListener("scroll", scrolled, { capture: true, passive: true });
    return () => page.removeEventListener("scroll", scrolled, { capture: true });
  }, [header]);
  return shrunk;
}
