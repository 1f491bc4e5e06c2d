/** What the user chose to see. */
import { nothingChosen, type Chosen } from "./filters.ts";
import type { Sort } from "./rows.ts";

export interface State {
  chosen: Chosen;
  text: string;
  sort: Sort;
  page: number;
  /** The rows whose details are shown. */
  open: ReadonlySet<number>;
  /** The part of the timeline that is shown, in seconds; null for all of it. */
  view: readonly [from: number, to: number] | null;
}

export type Change = Partial<State>;

export function atFirst(): State {
  return { chosen: nothingChosen(), text: "", sort: "order", page: 0, open: new Set(), view: null };
}

/** Tells its listeners what of it changed. */
export class Store {
  #listeners: ((changed: Change) => void)[] = [];
  state: State;

  constructor(state: State) {
    this.state = state;
  }

  on(listener: (changed: Change) => void): void {
    this.#listeners.push(listener);
  }

  /** Another choice of rows begins at the first page, unless it says otherwise. */
  update(change: Change): void {
    const isOfRows = "chosen" in change || "text" in change || "sort" in change;
    const whole = isOfRows ? { page: 0, ...change } : change;
    this.state = { ...this.state, ...whole };
    for (const listener of this.#listeners) listener(whole);
  }
}
