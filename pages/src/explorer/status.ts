/** In words: what is chosen, and what belongs to it. */
import { type At, type Exploration, placed } from "./exploration.ts";
import { count } from "./figures.ts";
import { noun } from "./languages.ts";
import { type Marks, STRONG, WEAK } from "./links.ts";
import type { Texts } from "./texts.ts";

/** `samples/mlp.py:22 → 14 equations, 9 instructions`. */
export function described(exploration: Exploration, texts: Texts, at: At, marks: readonly Marks[]): string {
  const strong = totals(exploration, texts, at, marks, STRONG);
  if (strong) return `${placed(exploration, at)} → ${strong}`;
  const weak = totals(exploration, texts, at, marks, WEAK);
  if (weak) return `${placed(exploration, at)} → by its line of Python alone: ${weak}`;
  return `${placed(exploration, at)}: nothing is known to belong to it`;
}

/** Of the other panes; those of one language together. */
function totals(exploration: Exploration, texts: Texts, at: At, marks: readonly Marks[], mark: number): string {
  const found = new Map<string, number>();
  marks.forEach((of, pane) => {
    const what = noun(exploration.panes[pane]!.language);
    const many = pane === at.pane ? 0 : texts.marked(pane, of, mark).length;
    if (many) found.set(what, (found.get(what) ?? 0) + many);
  });
  return [...found].map(([what, many]) => count(many, what)).join(", ");
}
