/** Hits of a text or regular expression in texts of some megabytes. */
export interface Hit {
  from: number;
  to: number;
}

/** Counted and stepped through at most, per text. */
export const MOST = 10_000;

/** Without regard to case, unless there is a capital in it; `undefined` for what is no regular expression. */
export function expression(text: string, isRegExp: boolean): RegExp | undefined {
  const source = isRegExp ? text : text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  try {
    return new RegExp(source, /[A-Z]/.test(text.replace(/\\./g, "")) ? "gm" : "gim");
  } catch {
    return undefined;
  }
}

/** In their order; empty hits are none. */
export function hits(text: string, wanted: RegExp): Hit[] {
  const found: Hit[] = [];
  for (const match of text.matchAll(wanted)) {
    if (match[0]) found.push({ from: match.index, to: match.index + match[0].length });
    if (found.length === MOST) break;
  }
  return found;
}

/** The number of the first hit that ends after `from`. */
export function firstFrom(found: readonly Hit[], from: number): number {
  let [low, high] = [0, found.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (found[middle]!.to > from) high = middle;
    else low = middle + 1;
  }
  return low;
}
