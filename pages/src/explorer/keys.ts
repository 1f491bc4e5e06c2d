/** The page's keys: one table, from which they are run and from which the help is made. */
import { el } from "./dom.ts";

export interface Command {
  /** As `KeyboardEvent.key`; with `Alt+` or `Ctrl+` before it. Without `run`, the panes see to it. */
  keys: string[];
  what: string;
  run?: (key: string) => void;
}

/** Runs the command of each key that is pressed outside a field and a dialog. */
export function listen(commands: readonly Command[]): void {
  document.addEventListener("keydown", (event) => {
    const key = pressed(event);
    const command = commands.find(({ keys, run }) => run && keys.includes(key));
    if (!command || event.defaultPrevented || isElsewhere(event)) return;
    event.preventDefault();
    command.run!(event.key);
  });
}

/** In a field, keys are letters, except with Ctrl; in a dialog, they are the dialog's. */
function isElsewhere({ target, ctrlKey, metaKey }: KeyboardEvent): boolean {
  if (document.querySelector("dialog[open]")) return true;
  return target instanceof Element && target.matches("input, select") && !ctrlKey && !metaKey;
}

function pressed(event: KeyboardEvent): string {
  const control = event.ctrlKey || event.metaKey ? "Ctrl+" : "";
  return `${control}${event.altKey ? "Alt+" : ""}${event.key}`;
}

const SHOWN = new Map([
  ["ArrowUp", "↑"],
  ["ArrowDown", "↓"],
  ["ArrowLeft", "←"],
  ["ArrowRight", "→"],
]);

export function shownKeys({ keys }: Command): Node[] {
  const named = keys.map((key) => key.replace(/Arrow\w+/, (arrow) => SHOWN.get(arrow)!));
  const shown = named.length > 4 ? [`${named[0]}–${named.at(-1)}`] : named;
  return shown.map((key) => el("kbd", {}, key));
}
