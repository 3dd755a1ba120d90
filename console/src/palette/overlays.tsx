/** What stands over every page: the palette, the keys, the settings. */

import { type ReactNode, useEffect, useState } from "react";
import { useKeys } from "../ui/keys.ts";
import { KeysDialog } from "./keys-dialog.tsx";
import { type Overlay, onOpen, openKeys, openPalette, openSettings } from "./open.ts";
import { Palette } from "./palette.tsx";
import { SettingsDialog } from "./settings-dialog.tsx";

/** Shows what was asked for, one at a time. */
export function Overlays(): ReactNode {
  const [overlay, setOverlay] = useState<Overlay | null>(null);
  useEffect(() => onOpen(setOverlay), []);
  useKeys({ "Ctrl+k": openPalette, "?": openKeys });
  const close = () => setOverlay(null);
  switch (overlay) {
    case null:
      return null;
    case "palette":
      return <Palette onClose={close} />;
    case "keys":
      return <KeysDialog onClose={close} onSettings={openSettings} />;
    case "settings":
      return <SettingsDialog onClose={close} />;
  }
}
