/** The operations that differ and cost something: those whose costs changed most first. */
import type { At, Cost, Exploration } from "../exploration.ts";
import { AFTER, BEFORE, type Compared, type Rows, type Side } from "./comparison.ts";

export interface Difference {
  at: At;
  sign: "+" | "−" | "±";
  flops: [number, number];
  bytes: [number, number];
  /** Lines of Python, `net.py:12`, that the operation comes from itself. */
  places: string[];
}

export function differences(exploration: Exploration, { panes }: Compared, rows: Rows): Difference[] {
  const costs = panes.map((pane) => new Map(exploration.panes[pane]!.costs.map((cost) => [cost.line, cost])));
  const found: Difference[] = [];
  for (let row = 0; row < rows.length; row++) {
    if (!rows.isChange(row)) continue;
    const both = ([BEFORE, AFTER] as const).map((side) => costs[side]!.get(rows.lines[side][row]!));
    if (!both[BEFORE] && !both[AFTER]) continue;
    const side = rows.lines[AFTER][row]! < 0 ? BEFORE : AFTER;
    found.push(difference(exploration, panes, rows, row, side, both));
  }
  return found.sort((one, other) => more(other.flops) - more(one.flops) || more(other.bytes) - more(one.bytes));
}

function difference(exploration: Exploration, panes: [number, number], rows: Rows, row: number, side: Side, both: (Cost | undefined)[]): Difference {
  const at = { pane: panes[side], line: rows.lines[side][row]! };
  const pair = (of: "flops" | "bytes"): [number, number] => [both[BEFORE]?.[of] ?? 0, both[AFTER]?.[of] ?? 0];
  const sign = side === BEFORE ? "−" : rows.lines[BEFORE][row]! < 0 ? "+" : "±";
  return { at, sign, flops: pair("flops"), bytes: pair("bytes"), places: places(exploration, at) };
}

function more([before, after]: [number, number]): number {
  return Math.abs(after - before);
}

function places({ panes, sets, origins, places, files }: Exploration, { pane, line }: At): string[] {
  const innermost = (sets[panes[pane]!.origins[line] ?? 0] ?? []).map((origin) => origins[origin]!.places[0]);
  return [...new Set(innermost)].filter((place) => place !== undefined).map((place) => `${files[places[place]!.file]}:${places[place]!.line}`);
}
