/** Saving as a file: a text by a button, and what the server gives at an address. */

import type { ReactNode } from "react";
import { Icon } from "./icon.tsx";

interface DownloadProps {
  readonly file: string;
  readonly text: () => string;
}

/** Saves a text under a name when pressed. */
export function Download({ file, text }: DownloadProps): ReactNode {
  const save = () => {
    const address = URL.createObjectURL(new Blob([text()]));
    downloadFrom(address, file);
    URL.revokeObjectURL(address);
  };
  return (
    <button type="button" className="plain" onClick={save}>
      <Icon name="download" />
      Download
    </button>
  );
}

/** Saves under a name what is at an address of the page's own. */
export function downloadFrom(address: string, file: string): void {
  const link = document.createElement("a");
  link.href = address;
  link.download = file.replace(/[^\w.-]+/g, "_");
  link.click();
}
