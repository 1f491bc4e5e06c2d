/** Which lines of all texts belong together: what a line became, and what it came from. */
import type { At, Exploration, Pane } from "./exploration.ts";

/** How a line belongs to the chosen one: not, by its line of Python, or as the same operation. */
export const NONE = 0;
export const WEAK = 1;
export const STRONG = 2;

/** One of the three for each line of a text. */
export type Marks = Uint8Array;

/**
 * All work is done in passes over flat arrays, each a look-up per origin, set and line: for texts of some
 * ten thousand lines this takes a few milliseconds, and there is no index of lines to make first.
 */
export class Links {
  private readonly all: Exploration;
  private readonly length: (pane: number) => number;
  private readonly places = new Map<string, number>();

  /** `length`: the number of lines of a pane. */
  constructor(all: Exploration, length: (pane: number) => number) {
    this.all = all;
    this.length = length;
    all.places.forEach((place, number) => this.places.set(`${place.file}:${place.line}`, number));
  }

  /** The marks of each pane's lines, once `at` is chosen. */
  marks(at: At): Marks[] {
    const sets = this.ofSets(this.ofOrigins(at));
    const places = this.ofPlaces(this.origins(at));
    return this.all.panes.map((pane, number) =>
      pane.file === null ? this.texts(pane, number, sets) : this.python(pane, number, places),
    );
  }

  /** The numbers of the origins of a line. */
  origins(at: At): number[] {
    const pane = this.all.panes[at.pane]!;
    if (pane.file === null) return this.all.sets[pane.origins[at.line] ?? 0] ?? [];
    const place = this.place(at);
    return place === undefined ? [] : this.where((places) => places.includes(place));
  }

  /** The numbers of the origins that stand for a line itself: of a line of Python, those that begin there. */
  same(at: At): number[] {
    return lines(this.ofOrigins(at), STRONG);
  }

  private place(at: At): number | undefined {
    const pane = this.all.panes[at.pane]!;
    return this.places.get(`${pane.file}:${at.line + pane.first}`);
  }

  private where(holds: (places: number[]) => boolean): number[] {
    return [...this.all.origins.keys()].filter((number) => holds(this.all.origins[number]!.places));
  }

  /** A line of Python is strongly what begins there; other lines are so to the same operations. */
  private ofOrigins(at: At): Marks {
    const marks = new Uint8Array(this.all.origins.length);
    const own = this.origins(at);
    if (this.all.panes[at.pane]!.file !== null) {
      const place = this.place(at);
      for (const number of own) marks[number] = this.innermost(number) === place ? STRONG : WEAK;
      return marks;
    }
    const lines = new Set(own.map((number) => this.innermost(number)));
    lines.delete(undefined);
    for (const number of marks.keys()) if (lines.has(this.innermost(number))) marks[number] = WEAK;
    for (const number of own) marks[number] = STRONG;
    return marks;
  }

  private innermost(origin: number): number | undefined {
    return this.all.origins[origin]!.places[0];
  }

  private ofSets(origins: Marks): Marks {
    return Uint8Array.from(this.all.sets, (set) => {
      let mark = NONE;
      for (const origin of set) if (origins[origin]! > mark) mark = origins[origin]!;
      return mark;
    });
  }

  private ofPlaces(origins: readonly number[]): Marks {
    const marks = new Uint8Array(this.all.places.length);
    for (const origin of origins) for (const place of this.all.origins[origin]!.places) marks[place] ||= WEAK;
    for (const origin of origins) {
      const place = this.innermost(origin);
      if (place !== undefined) marks[place] = STRONG;
    }
    return marks;
  }

  private texts(pane: Pane, number: number, sets: Marks): Marks {
    const marks = new Uint8Array(this.length(number));
    const { origins } = pane;
    for (let line = 0; line < marks.length; line++) marks[line] = sets[origins[line] ?? 0] ?? NONE;
    return marks;
  }

  private python(pane: Pane, number: number, places: Marks): Marks {
    const marks = new Uint8Array(this.length(number));
    this.all.places.forEach(({ file, line }, place) => {
      const index = line - pane.first;
      if (file === pane.file && index >= 0 && index < marks.length) marks[index] = places[place]!;
    });
    return marks;
  }
}

/** The lines that have a mark, in their order. */
export function lines(marks: Marks, mark: number): number[] {
  const found: number[] = [];
  for (let line = marks.indexOf(mark); line >= 0; line = marks.indexOf(mark, line + 1)) found.push(line);
  return found;
}
