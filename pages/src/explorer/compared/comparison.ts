/** Two texts as rows: lines that correspond are in one, and each line of both is in one. */
import type { At, Exploration, Pane } from "../exploration.ts";
import type { Marks } from "../links.ts";

/** `PaneComparison` of `jitinspect/model`, as it is written; lines are 0-based. */
export interface PaneComparison {
  before: string;
  after: string;
  name: string;
  operations: [number, number];
  changed: number;
  added: number;
  removed: number;
  /** Runs: kind, first line before and after or -1, how many rows. */
  rows: [number, number, number, number][];
  /** Of each changed row a number in `changes`: columns from and to which words changed, of both sides. */
  words: number[];
  changes: [number[], number[]][];
  ops: Record<string, number>;
  flops: [number | null, number | null] | null;
  bytes: [number | null, number | null] | null;
}

export const SAME = 0;
export const CHANGED = 1;
export const REMOVED = 2;
export const ADDED = 3;
/** A line of one side that is no change: a blank one, say. */
export const APART = 4;

/** Pixels in which there is room for a text beside two that are compared. */
const WIDE = 1280;

export type Side = 0 | 1;
export const BEFORE: Side = 0;
export const AFTER: Side = 1;

/** What a pane compares: the numbers of two other panes. */
export interface Compared {
  of: PaneComparison;
  panes: [number, number];
}

/** The same with a pane more for each comparison, in front of what they compare. */
export function withComparisons(exploration: Exploration): Exploration {
  const { panes, comparisons = [] } = exploration;
  if (!comparisons.length) return exploration;
  const texts = panes.filter(({ language }) => language === "text");
  const all = [...texts, ...comparisons.map(pane), ...panes.slice(texts.length)];
  const number = (name: string) => all.findIndex((one) => one.name === name && !one.compared);
  comparisons.forEach((of, at) => {
    all[texts.length + at]!.compared = { of, panes: [number(of.before), number(of.after)] };
  });
  return { ...exploration, panes: all };
}

function pane({ before, after, name }: PaneComparison): Pane {
  const nothing = { text: "", file: null, first: 1, origins: [0], folds: [], operands: [], costs: [], unavailable: null };
  return { name: name === "python" ? `${before} → ${after}` : `${name} compared`, language: name, ...nothing };
}

/** What is shown unasked of a comparison: the stage nearest to the machine that differs, and the source. */
export function firstCompared({ panes }: Exploration): number[] | undefined {
  const all = [...panes.keys()].filter((pane) => panes[pane]!.compared);
  const differs = (pane: number) => panes[pane]!.compared!.of.rows.some(([kind]) => kind !== SAME && kind !== APART);
  const shown = all.findLast(differs) ?? all.at(-1);
  const source = panes.findIndex(({ language, compared }) => language === "python" && !compared);
  if (shown === undefined) return undefined;
  return innerWidth >= WIDE && source >= 0 ? [shown, source] : [shown];
}

/** Which side a pane is on; of a source that both sides have, none. */
export function sideOf({ panes }: Exploration, pane: number): Side | undefined {
  const found = panes.flatMap(({ compared }) => (compared ? [compared.panes.indexOf(pane)] : []));
  return found.find((side): side is Side => side >= 0);
}

/** The marks without those of the side that the chosen line is not on. */
export function ofItsSide(exploration: Exploration, at: At, marks: Marks[]): Marks[] {
  const side = sideOf(exploration, at.pane);
  if (side === undefined) return marks;
  return marks.map((of, pane) => ((sideOf(exploration, pane) ?? side) === side ? of : new Uint8Array(of.length)));
}

/** The rows of a comparison, as flat arrays: some ten thousand are usual. */
export class Rows {
  readonly kinds: Uint8Array;
  /** Of both sides, the line of each row; -1 where there is none. */
  readonly lines: [Int32Array, Int32Array];
  private readonly numbers: Int32Array;
  /** Of both sides, the row of each line. */
  private readonly places: [number[], number[]] = [[], []];
  private readonly comparison: PaneComparison;

  constructor(comparison: PaneComparison) {
    this.comparison = comparison;
    const length = comparison.rows.reduce((sum, [, , , many]) => sum + many, 0);
    this.kinds = new Uint8Array(length);
    this.lines = [new Int32Array(length).fill(-1), new Int32Array(length).fill(-1)];
    this.numbers = new Int32Array(length).fill(-1);
    this.fill(comparison.rows);
  }

  private fill(runs: PaneComparison["rows"]): void {
    let [row, changed] = [0, 0];
    for (const [kind, before, after, many] of runs) {
      for (let step = 0; step < many; step++, row++) {
        this.kinds[row] = kind;
        if (before >= 0) this.lines[BEFORE][row] = before + step;
        if (after >= 0) this.lines[AFTER][row] = after + step;
        if (before >= 0) this.places[BEFORE][before + step] = row;
        if (after >= 0) this.places[AFTER][after + step] = row;
        if (kind === CHANGED) this.numbers[row] = changed++;
      }
    }
  }

  get length(): number {
    return this.kinds.length;
  }

  isChange(row: number): boolean {
    const kind = this.kinds[row];
    return kind !== SAME && kind !== APART;
  }

  /** Columns from and to which the words of a row changed, in turns. */
  words(row: number, side: Side): number[] {
    const number = this.numbers[row]!;
    return number < 0 ? [] : (this.comparison.changes[this.comparison.words[number]!]?.[side] ?? []);
  }

  row(side: Side, line: number): number {
    return this.places[side][line] ?? -1;
  }

  /** First and last row of each stretch of changes. */
  changes(): [number, number][] {
    return this.stretches((row) => this.isChange(row));
  }

  /** First and last row of what can be folded: all that is not near a change. */
  unchanged(context: number, least: number): [number, number][] {
    const all = this.stretches((row) => !this.isChange(row));
    const inner = all.map(([first, last]): [number, number] => [
      first === 0 ? first : first + context,
      last === this.length - 1 ? last : last - context,
    ]);
    return inner.filter(([first, last]) => last - first + 1 >= least);
  }

  private stretches(holds: (row: number) => boolean): [number, number][] {
    const found: [number, number][] = [];
    for (let row = 0; row < this.length; row++) {
      if (!holds(row)) continue;
      const last = found.at(-1);
      if (last && last[1] === row - 1) last[1] = row;
      else found.push([row, row]);
    }
    return found;
  }
}
