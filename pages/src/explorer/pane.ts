/** One pane: a choice of what it shows, and the text, or the reason why there is none. */
import { foldAll, toggleFold, unfoldAll } from "@codemirror/language";
import type { StateEffect } from "@codemirror/state";
import { EditorView } from "@codemirror/view";

import { type Found, type Marking, setFound, setMarking } from "./decorations.ts";
import { button, choice, el } from "./dom.ts";
import { changeBars, changeGutter, cursorLine, editor, heatBars, heatGutter } from "./editor.ts";
import type { At, Exploration, Pane } from "./exploration.ts";
import { count } from "./figures.ts";
import { foldedLines, foldLines } from "./folding.ts";
import { heats, type Quantity } from "./heat.ts";
import type { Change } from "./live.ts";
import { Overview } from "./overview.ts";

/** Pixels above the first line of a text. */
const PADDING = 2;

export interface Listener {
  chosen(at: At): void;
  told(at: At): HTMLElement | null;
  /** Another text was asked for in the place of this one. */
  replaced(pane: number, by: number): void;
  closed(pane: number): void;
  /** The keyboard is in the pane, or the pointer was. */
  entered(pane: number): void;
}

/** To a line: part of a transaction. */
export interface Way {
  selection: { anchor: number };
  effects: StateEffect<unknown>[];
}

/** Made when it is first shown, and kept with its folds and its place when it is closed. */
export class PaneView {
  readonly element: HTMLElement;
  readonly select: HTMLSelectElement;
  private readonly number: number;
  private readonly pane: Pane;
  private readonly view: EditorView | null;
  private readonly changed = button("nothing changed", "Go to the next changed line", () => this.toChange());
  private changes: number[] = [];
  private readonly overview = new Overview((part) => this.show(Math.floor(part * this.view!.state.doc.lines)));

  constructor(exploration: Exploration, number: number, listener: Listener) {
    this.number = number;
    this.pane = exploration.panes[number]!;
    this.select = options(exploration, number, (by) => listener.replaced(number, by));
    this.view = this.pane.unavailable === null ? this.made(number, listener) : null;
    this.changed.classList.add("changed");
    this.changed.removeAttribute("aria-label"); // its text has the number
    this.changed.hidden = true;
    this.element = this.framed(number, listener);
  }

  private made(number: number, { chosen, told }: Listener): EditorView {
    return editor(this.pane, {
      chosen: (line) => chosen({ pane: number, line }),
      told: (line) => told({ pane: number, line }),
    });
  }

  private framed(number: number, { closed, entered }: Listener): HTMLElement {
    const close = button("×", `Close ${this.pane.name}`, () => closed(number));
    const head = el("header", {}, this.select, this.changed, el("span", { class: "step-of muted" }), close);
    const body = this.view
      ? el("div", { class: "text" }, this.view.dom, this.overview.element)
      : el("p", { class: "unavailable muted", tabindex: "0" }, this.pane.unavailable ?? "");
    const framed = el("section", { class: "pane", id: `pane-${number}`, "aria-label": this.pane.name }, head, body);
    framed.addEventListener("focusin", () => entered(number));
    framed.addEventListener("pointerdown", () => entered(number));
    return framed;
  }

  get line(): number {
    return this.view ? cursorLine(this.view.state) : 0;
  }

  /** The line that the keyboard is in. */
  get here(): At {
    return { pane: this.number, line: this.line };
  }

  focus(): void {
    if (this.view) this.view.focus();
    else this.element.querySelector("p")?.focus();
  }

  /** `way`: where the pane goes at the same time, so that it is drawn once. */
  mark(marking: Marking, stepOf: string, way: Way | null): void {
    this.view?.dispatch({ ...way, effects: [setMarking.of(marking), ...(way?.effects ?? [])] });
    this.overview.draw(marking.marks);
    this.element.querySelector(".step-of")!.textContent = stepOf;
  }

  find(of: (pane: number) => Found): void {
    this.view?.dispatch({ effects: setFound.of(of(this.number)) });
  }

  heat(quantity: Quantity | null): void {
    const bars = quantity ? heatGutter(heats(this.pane, quantity)) : [];
    this.view?.dispatch({ effects: heatBars.reconfigure(bars) });
  }

  /** Marks what the last save changed, and counts it. */
  change({ lines, gone }: Change): void {
    this.changes = lines;
    this.changed.textContent = lines.length ? `${count(lines.length, "line")} changed` : `${count(gone, "line")} removed`;
    this.changed.disabled = !lines.length;
    this.changed.hidden = false;
    this.view?.dispatch({ effects: changeBars.reconfigure(changeGutter(new Set(lines))) });
  }

  /** Goes on after the line that the cursor is in, behind the last one again at the first. */
  private toChange(): void {
    const next = this.changes.find((line) => line > this.line) ?? this.changes[0];
    if (next === undefined) return;
    this.focus();
    this.show(next);
  }

  /** The first line on the screen. */
  get top(): number | null {
    if (!this.view) return null;
    const { from } = this.view.lineBlockAtHeight(this.view.scrollDOM.scrollTop + 2 * PADDING);
    return this.view.state.doc.lineAt(from).number - 1;
  }

  /** Scrolls so that this line is the first one on the screen. */
  scroll(line: number): void {
    if (!this.view) return;
    const { doc } = this.view.state;
    const { from } = doc.line(Math.min(line + 1, doc.lines));
    this.view.dispatch({ effects: EditorView.scrollIntoView(from, { y: "start", yMargin: PADDING }) });
  }

  show(line: number, column = 0): void {
    const way = this.way(line, column);
    if (way) this.view!.dispatch(way);
  }

  reveal({ line }: At, column = 0): void {
    this.show(line, column);
  }

  /** Puts the keyboard's place on a line, which unfolds it, and scrolls to it if it is not on the screen. */
  way(line: number, column = 0): Way | null {
    if (!this.view) return null;
    const { doc } = this.view.state;
    const anchor = doc.line(Math.min(line + 1, doc.lines)).from + column;
    const y = this.isOnScreen(anchor) ? "nearest" : "center";
    return { selection: { anchor }, effects: [EditorView.scrollIntoView(anchor, { y, xMargin: 40 })] };
  }

  private isOnScreen(at: number): boolean {
    const { scrollDOM } = this.view!;
    const { top, bottom } = this.view!.lineBlockAt(at);
    return top >= scrollDOM.scrollTop && bottom <= scrollDOM.scrollTop + scrollDOM.clientHeight;
  }

  fold(): void {
    if (this.view) toggleFold(this.view);
  }

  /** The first lines of what is folded. */
  get folded(): number[] {
    return this.view ? foldedLines(this.view.state) : [];
  }

  /** Folds what begins in these lines. */
  foldAt(lines: readonly number[]): void {
    if (this.view) foldLines(this.view, lines);
  }

  foldAll(): void {
    if (this.view) foldAll(this.view);
  }

  unfoldAll(): void {
    if (this.view) unfoldAll(this.view);
  }

  /** What puts the text back to where it is now, once the pane has been moved. */
  kept(): () => void {
    const effects = this.view?.scrollSnapshot();
    return () => effects && this.view!.dispatch({ effects });
  }
}

export function options(exploration: Exploration, number: number, changed: (by: number) => void): HTMLSelectElement {
  const names = exploration.panes.map((pane, by): [string, string] => {
    return [String(by), pane.unavailable === null ? pane.name : `${pane.name} (unavailable)`];
  });
  const made = choice(`Shown instead of ${exploration.panes[number]!.name}`, names, (by) => {
    made.value = String(number); // this pane stays what it is; another one takes its place
    changed(Number(by));
  });
  made.value = String(number);
  return made;
}
