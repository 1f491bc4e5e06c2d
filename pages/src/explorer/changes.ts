/** Which lines of a text are others than in the version before. */
import { tokens } from "./languages.ts";

/** A line that a text has more often, such as a lone bracket, is known by its neighbours alone. */
const OFTEN = 64;

/** A line of both texts, and the one before that they have in common. */
interface Pair {
  was: number;
  is: number;
  last: Pair | undefined;
}

/** For each line of `before` its place in `after`, -1 if it is not there; as many as can be are. */
export function matched(before: readonly number[], after: readonly number[]): Int32Array {
  const places = new Int32Array(before.length).fill(-1);
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) places[head] = head++;
  let [from, to] = [before.length, after.length];
  while (from > head && to > head && before[from - 1] === after[to - 1]) places[--from] = --to;
  for (let pair = longest(before.slice(head, from), after.slice(head, to)); pair; pair = pair.last) {
    places[head + pair.was] = head + pair.is;
  }
  spread(before, after, places);
  return places;
}

/** The last pair of the longest row of pairs in which both texts go on (Hunt and Szymanski 1977). */
function longest(before: readonly number[], after: readonly number[]): Pair | undefined {
  const where = new Map<number, number[]>();
  before.forEach((line, was) => where.set(line, [was, ...(where.get(line) ?? []).slice(0, OFTEN)]));
  const ends: Pair[] = []; // of the rows of each length, the one that ends first
  after.forEach((line, is) => {
    const all = where.get(line) ?? [];
    for (const was of all.length > OFTEN ? [] : all) {
      const length = firstAtLeast(ends, was);
      ends[length] = { was, is, last: ends[length - 1] };
    }
  });
  return ends.at(-1);
}

function firstAtLeast(ends: readonly Pair[], was: number): number {
  let [low, high] = [0, ends.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ends[middle]!.was < was) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Matches equal lines beside those that are matched. */
function spread(before: readonly number[], after: readonly number[], places: Int32Array): void {
  const taken = new Set(places);
  const take = (was: number, is: number) => {
    if (places[was] !== -1 || before[was] !== after[is] || taken.has(is)) return;
    places[was] = is;
    taken.add(is);
  };
  for (let was = 1; was < places.length; was++) if (places[was - 1] !== -1) take(was, places[was - 1]! + 1);
  for (let was = places.length - 2; was >= 0; was--) if (places[was + 1]! > 0) take(was, places[was + 1]! - 1);
}

/** The lines of a text that none of the version before is matched with. */
export function others(places: Int32Array, length: number): number[] {
  const known = new Set(places);
  return Array.from({ length }, (_, line) => line).filter((line) => !known.has(line));
}

/** A number for each line, the same for lines that say the same. */
export function numbered(language: string, lines: readonly string[]): number[] {
  return lines.map((line) => hash(unnamed(language, line)));
}

/** A line without the names of values: one equation more, and those of all that follow are others. */
function unnamed(language: string, line: string): string {
  if (language === "python" || language === "asm") return line; // names of the user's, and of registers
  if (language === "hlo") return line.replace(/\b([A-Za-z][\w-]*?)(?:[._]\d+)+\b/g, "$1"); // also in a signature
  let [text, at] = ["", 0];
  for (const { from, to, kind } of tokens(language, line)) {
    const isName = kind === "name" || kind === "definition" || kind === "symbol";
    text += line.slice(at, from) + (isName ? stem(language, line.slice(from, to)) : line.slice(from, to));
    at = to;
  }
  return text + line.slice(at);
}

/** `%fusion` of `%fusion.3`: what of a name is not counted. */
function stem(language: string, name: string): string {
  return language === "jaxpr" ? "" : name.replace(/(?<=^%?)\d+|[._]\d+/g, "");
}

/** FNV-1a. */
function hash(text: string): number {
  let found = 2166136261;
  for (let at = 0; at < text.length; at++) found = Math.imul(found ^ text.charCodeAt(at), 16777619);
  return found >>> 0;
}
