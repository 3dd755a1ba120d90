/** Links within the console: they change the address without loading the page, and open elsewhere as links do. */

import type { MouseEvent, ReactNode } from "react";
import { go } from "../route.ts";

interface LinkProps {
  readonly href: string;
  readonly className?: string;
  readonly title?: string;
  readonly current?: "page" | undefined;
  /** Called before it is followed here. */
  readonly onFollow?: () => void;
  readonly children: ReactNode;
}

/** Links to an address of the console. */
export function Link(props: LinkProps): ReactNode {
  const { href, className, title, current, children } = props;
  const follow = (event: MouseEvent) => {
    const elsewhere = event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
    if (elsewhere || event.button !== 0) return;
    event.preventDefault();
    props.onFollow?.();
    go(href);
  };
  return (
    <a href={href} className={className} title={title} aria-current={current} onClick={follow}>
      {children}
    </a>
  );
}
