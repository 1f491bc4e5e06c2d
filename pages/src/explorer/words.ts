/** Two lines as words, of which some are others in the one than in the other. */
export interface Word {
  text: string;
  isOther: boolean;
}

/** The words of both lines; those that they have in common, in the same order, are not others. */
export function compared(before: string, after: string): [Word[], Word[]] {
  const [was, is] = [words(before), words(after)];
  const lengths = common(was, is);
  const [old, made]: [Word[], Word[]] = [[], []];
  let [at, to] = [0, 0];
  while (at < was.length || to < is.length) {
    if (at < was.length && was[at] === is[to]) {
      old.push({ text: was[at++]!, isOther: false });
      made.push({ text: is[to++]!, isOther: false });
    } else if (to >= is.length || (at < was.length && lengths[at + 1]![to]! >= lengths[at]![to + 1]!)) {
      old.push({ text: was[at++]!, isOther: true });
    } else made.push({ text: is[to++]!, isOther: true });
  }
  return [joined(old), joined(made)];
}

/** Longer lines are compared as a whole: there would be millions of pairs of words. */
const MOST = 400;

function words(line: string): string[] {
  const found = line.match(/%?[\w.-]+|\s+|[^\w\s]/g) ?? [];
  return found.length > MOST ? [line] : found;
}

/** For each pair of places, how many words the rests of both have in common. */
function common(was: string[], is: string[]): number[][] {
  const rows: number[][] = Array.from({ length: was.length + 1 }, () => Array<number>(is.length + 1).fill(0));
  for (let at = was.length - 1; at >= 0; at--) {
    for (let to = is.length - 1; to >= 0; to--) {
      const longest = Math.max(rows[at + 1]![to]!, rows[at]![to + 1]!);
      rows[at]![to] = was[at] === is[to] ? rows[at + 1]![to + 1]! + 1 : longest;
    }
  }
  return rows;
}

function joined(all: Word[]): Word[] {
  const found: Word[] = [];
  for (const one of all) {
    const last = found.at(-1);
    if (last?.isOther === one.isOther) last.text += one.text;
    else found.push({ ...one });
  }
  return found;
}
