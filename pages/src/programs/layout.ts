/** Where the events of a timeline lie: each below the one around it, and none upon another. */
import type { Timeline } from "./report.ts";

/** Starts that lie closer together are of clocks read twice. */
const SAME = 1e-6;

export interface Lane {
  name: string;
  /** Of its events, a list for each line of the lane, by their starts. */
  lines: number[][];
  /** The line where it begins, counted over all lanes. */
  top: number;
}

export function lanesOf(timeline: Timeline): Lane[] {
  const lanes = timeline.lanes.map((name): Lane => ({ name, lines: [], top: 0 }));
  const underWay: number[][] = lanes.map(() => []);
  timeline.began.forEach((began, at) => {
    const ends = underWay[timeline.lane[at]!]!;
    while (ends.length && ends.at(-1)! <= began + SAME) ends.pop();
    ends.push(began + timeline.seconds[at]!);
    (lanes[timeline.lane[at]!]!.lines[ends.length - 1] ??= []).push(at);
  });
  lanes.reduce((top, lane) => (lane.top = top) + Math.max(lane.lines.length, 1), 0);
  return lanes;
}

/** One event, or several that are too small to be told apart; in seconds. */
export interface Box {
  events: number[];
  from: number;
  to: number;
}

/** What of a line is seen between two times, where things closer than `least` seconds become one. */
export function boxes(line: number[], timeline: Timeline, from: number, to: number, least: number): Box[] {
  const found: Box[] = [];
  for (const at of line) {
    const began = timeline.began[at]!, ended = began + timeline.seconds[at]!;
    if (ended < from || began > to) continue;
    const last = found.at(-1);
    const isSmall = ended - began < least;
    const canJoin = last !== undefined && isSmall && timeline.seconds[last.events[0]!]! < least;
    if (canJoin && last.to - last.from < 4 * least && began - last.to < least) {
      last.events.push(at);
      last.to = ended;
    } else found.push({ events: [at], from: began, to: ended });
  }
  return found;
}

/** The times of the marks on an axis, at most `most` of them: at 1, 2 or 5 of a power of ten. */
export function ticks(from: number, to: number, most: number): number[] {
  const rough = (to - from) / Math.max(most, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough)!;
  const first = Math.ceil(from / step);
  return Array.from({ length: Math.max(Math.floor(to / step) - first + 1, 0) }, (_, at) => (first + at) * step);
}

/** The part that is shown, `factor` times as long, with the time `around` where it was, inside `all`. */
export function zoomed([from, to]: readonly [number, number], factor: number, around: number, all: readonly [number, number]): [number, number] {
  const length = Math.min(Math.max((to - from) * factor, 1e-6), all[1] - all[0]);
  const share = (around - from) / (to - from);
  return within([around - share * length, around + (1 - share) * length], all);
}

/** Moved as little as needed to lie inside `all`. */
export function within([from, to]: readonly [number, number], all: readonly [number, number]): [number, number] {
  const length = Math.min(to - from, all[1] - all[0]);
  const start = Math.min(Math.max(from, all[0]), all[1] - length);
  return [start, start + length];
}
