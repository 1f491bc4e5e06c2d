/** The keys of a page on which texts are compared. */
import type { Exploration } from "../exploration.ts";
import type { Command } from "../keys.ts";
import type { Panes } from "../panes.ts";
import { ComparedView } from "./view.ts";

export function changeCommands(exploration: Exploration, panes: Panes): Command[] {
  if (!exploration.comparisons?.length) return [];
  const step = (by: 1 | -1) => {
    const shown = [panes.active, ...panes.shown].map((pane) => panes.view(pane));
    shown.find((view) => view instanceof ComparedView)?.toChange(by);
  };
  return [
    { keys: ["j"], what: "go to the next change", run: () => step(1) },
    { keys: ["k"], what: "go to the previous change", run: () => step(-1) },
  ];
}
