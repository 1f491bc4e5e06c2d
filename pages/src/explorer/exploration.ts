import type { Compared, PaneComparison } from "./compared/comparison.ts";
import type { PassHistory } from "./passes.ts";

/**
 * What the page is made of: the JSON in its element `data`, as `Exploration` of `jitinspect/model` is written.
 *
 * Lines are 0-based indices into `text.split("\n")`, unless said.
 */
export interface PageData {
  title: string; // the target
  signature: string; // how it was called
  about: string; // of what the texts hold: versions, platform
  command: string; // that makes this page again
  exploration: Exploration;
  heat?: string; // the quantity that the page begins with
  served?: number; // the number of this version, if a server has the page
}

export interface Exploration {
  files: string[];
  /** Lines of Python, 1-based; `file` is an index into `files`. */
  places: Place[];
  /** Of operations: the lines of the user's Python on the stack, innermost first, and the operation's name. */
  origins: Origin[];
  /** Sorted numbers of origins; the first set is empty. */
  sets: number[][];
  panes: Pane[];
  /** Of the panes of two compilations. */
  comparisons?: PaneComparison[];
  /** Of the HLO, if XLA's passes were asked for. */
  history?: PassHistory | null;
}

export interface Place {
  file: number;
  line: number;
}

export interface Origin {
  places: number[];
  op: string;
}

export interface Pane {
  name: string;
  language: string;
  text: string;
  /** Of a pane with Python: its number in `files`. */
  file: number | null;
  /** The number of the first line in the file, 1-based; else 1. */
  first: number;
  /** The number of a set for each line; empty for Python, whose lines have all origins that name them. */
  origins: number[];
  /** First and last line of what can be folded. */
  folds: number[][];
  /** A row for each operation: its line less that of the row before, and its line less that of each operand. */
  operands: number[][];
  costs: Cost[];
  /** Why there is no text. */
  unavailable: string | null;
  /** Of a pane that shows two others side by side, which is not in the data. */
  compared?: Compared;
}

export interface Cost {
  line: number;
  flops: number;
  bytes: number;
  seconds: number | null;
}

/** A line of a text: the number of its pane, and its index. */
export interface At {
  pane: number;
  line: number;
}

/** Rows of a pane's operands as lines: that of an operation, and those of its operands. */
export function used({ operands }: Pane): number[][] {
  let line = 0;
  return operands.map(([step = 0, ...back]) => {
    line += step;
    return [line, ...back.map((lines) => line - lines)];
  });
}

/** As in the gutter and in the status: `samples/mlp.py:22`. */
export function placed(exploration: Exploration, at: At): string {
  const pane = exploration.panes[at.pane]!;
  return `${pane.name}:${at.line + pane.first}`;
}
