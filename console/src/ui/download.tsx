/** A button that saves a text as a file. */

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
    const link = document.createElement("a");
    link.href = address;
    link.download = file.replace(/[^\w.-]+/g, "_");
    link.click();
    URL.revokeObjectURL(address);
  };
  return (
    <button type="button" className="plain" onClick={save}>
      <Icon name="download" />
      Download
    </button>
  );
}
