/** Inner jaxprs, regions, computations and kernels can be folded to their first lines. */
import { codeFolding, foldable, foldedRanges, foldEffect, foldGutter, foldService } from "@codemirror/language";
import type { EditorState, Extension } from "@codemirror/state";
import type { EditorView } from "@codemirror/view";

import { el } from "./dom.ts";
import type { Pane } from "./exploration.ts";
import { count } from "./figures.ts";

export function folding(pane: Pane): Extension {
  const ends = new Map(pane.folds.map(([first, last]) => [first!, last!]));
  if (!ends.size) return [];
  return [
    foldService.of((state, from) => region(state, from, ends)),
    codeFolding({ preparePlaceholder: folded, placeholderDOM: placeholder }),
    foldGutter({ markerDOM: arrow }),
  ];
}

function region(state: EditorState, from: number, ends: Map<number, number>) {
  const first = state.doc.lineAt(from);
  const last = ends.get(first.number - 1);
  if (last === undefined || last < first.number || last >= state.doc.lines) return null;
  return { from: first.to, to: state.doc.line(last + 1).to };
}

/** The first lines of what is folded. */
export function foldedLines(state: EditorState): number[] {
  const found: number[] = [];
  for (const range = foldedRanges(state).iter(); range.value; range.next()) found.push(state.doc.lineAt(range.from).number - 1);
  return found;
}

/** Folds what begins in these lines, if something does. */
export function foldLines(view: EditorView, lines: readonly number[]): void {
  const { doc } = view.state;
  const ranges = lines.filter((line) => line < doc.lines).map((line) => doc.line(line + 1));
  const found = ranges.map(({ from, to }) => foldable(view.state, from, to)).filter((range) => range !== null);
  view.dispatch({ effects: found.map((range) => foldEffect.of(range)) });
}

function folded(state: EditorState, range: { from: number; to: number }): string {
  return count(state.doc.lineAt(range.to).number - state.doc.lineAt(range.from).number, "line");
}

function placeholder(_view: EditorView, unfold: (event: Event) => void, hidden: string): HTMLElement {
  const made = el("button", { type: "button", class: "folded", title: "Unfold (f)", tabindex: "-1" }, `… ${hidden}`);
  made.addEventListener("click", unfold);
  return made;
}

function arrow(isOpen: boolean): HTMLElement {
  return el("span", { title: isOpen ? "Fold (f)" : "Unfold (f)" }, isOpen ? "▾" : "▸");
}
