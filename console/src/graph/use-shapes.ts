/** Whether the legend of shapes is open: on the first visits by itself where there is room, then as a person chose. */

import { useEffect, useState } from "react";
import { recall, remember } from "../ui/stored.ts";

const VISITS = ["0", "1", "2", "3"] as const;

/** Returns whether the legend is open, and how to change it. */
export function useShapes(): readonly [boolean, () => void] {
  const [isOpen, setOpen] = useState(() => {
    const chosen = recall("shapes", ["open", "closed", ""], "");
    if (chosen !== "") return chosen === "open";
    const hasRoom = matchMedia("(min-width: 1280px)").matches;
    return hasRoom && recall("shapes.visits", VISITS, "0") !== "3";
  });
  useEffect(() => {
    const visits = VISITS.indexOf(recall("shapes.visits", VISITS, "0"));
    remember("shapes.visits", VISITS[visits + 1] ?? "3");
  }, []);
  const toggle = () => {
    remember("shapes", isOpen ? "closed" : "open");
    setOpen(!isOpen);
  };
  return [isOpen, toggle];
}
