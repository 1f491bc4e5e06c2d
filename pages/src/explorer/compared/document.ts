/** One of the two documents of a comparison, or both in one, as CodeMirror draws it. */
import { EditorState, type Extension, type Line, RangeSetBuilder, StateEffect, StateField, Text } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, gutter, GutterMarker, lineNumbers, WidgetType } from "@codemirror/view";

import { classed, colours, drawn, type Found, lined, marks, searchHits, setFound, setMarking, visible } from "../decorations.ts";
import { el } from "../dom.ts";
import { heatBars, heatGutter, reading } from "../editor.ts";
import type { At, Pane } from "../exploration.ts";
import { count } from "../figures.ts";
import type { Heat } from "../heat.ts";
import { type Marks, NONE } from "../links.ts";
import type { Cells } from "./cells.ts";
import { ADDED, AFTER, APART, BEFORE, CHANGED, REMOVED, type Rows, SAME, type Side } from "./comparison.ts";

export interface Source {
  rows: Rows;
  /** Both panes, their numbers and their lines. */
  panes: [Pane, Pane];
  numbers: [number, number];
  texts: [string[], string[]];
}

export interface Listener {
  chosen(at: At): void;
  told(at: At): HTMLElement | null;
  opened(stretch: number): void;
}

/** Stretches of rows that are folded, by their numbers. */
type Folded = ReadonlyMap<number, [number, number]>;

const setFolded = StateEffect.define<DecorationSet>();
const folded = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update: (value, { effects }) => effects.reduce((last, one) => (one.is(setFolded) ? one.value : last), value),
  provide: (field) => [
    EditorView.decorations.from(field),
    EditorView.atomicRanges.of((view) => view.state.field(field)),
  ],
});

export class Document {
  readonly view: EditorView;
  private readonly source: Source;
  private readonly cells: Cells;
  private readonly listener: Listener;

  constructor(source: Source, cells: Cells, label: string, listener: Listener) {
    this.source = source;
    this.cells = cells;
    this.listener = listener;
    const doc = Text.of(cells.lines.map((line, at) => (line < 0 ? "" : source.texts[cells.sides[at]!][line]!)));
    this.view = new EditorView({ state: EditorState.create({ doc, extensions: this.extensions(label, doc) }) });
  }

  private extensions(label: string, doc: Text): Extension {
    const on = (run: (at: At) => void) => (line: number) => {
      const at = this.at(line);
      if (at) run(at);
    };
    const told = (line: number) => {
      const at = this.at(line);
      return at && this.listener.told(at);
    };
    const { language } = this.source.panes[AFTER];
    return [
      reading(label, { chosen: on((at) => this.listener.chosen(at)), told }),
      this.numbers(on((at) => this.listener.chosen(at))),
      gutter({ class: "signs", lineMarker: (view, { from }) => SIGNS.get(this.sign(view.state.doc.lineAt(from).number - 1)) ?? null }),
      heatBars.of([]),
      folded,
      marks(),
      drawn((view) => this.drawn(view), () => false),
      colours(language, language === "python" ? doc.toString() : ""),
      searchHits(),
    ];
  }

  private numbers(chosen: (line: number) => void): Extension {
    const number = (line: number) => {
      const side = this.cells.sides[line];
      if (side === undefined) return String(line + 1); // of no line: how wide the numbers can be
      return this.cells.lines[line]! < 0 ? "" : String(this.cells.lines[line]! + this.source.panes[side].first);
    };
    return lineNumbers({
      formatNumber: (line) => number(line - 1),
      domEventHandlers: { mousedown: (view, { from }) => (chosen(view.state.doc.lineAt(from).number - 1), true) },
    });
  }

  /** The line of a pane that a line of this document shows. */
  private at(line: number): At | null {
    const [side, shown] = [this.cells.sides[line]!, this.cells.lines[line]!];
    return shown < 0 ? null : { pane: this.source.numbers[side], line: shown };
  }

  /** As `diff` writes it; of a line that was changed, in a document of its own side, `±`. */
  private sign(line: number): string {
    const [row, side] = [this.cells.rows[line]!, this.cells.sides[line]!];
    const kind = this.source.rows.kinds[row]!;
    if (this.cells.lines[line]! < 0 || kind === SAME || kind === APART) return "";
    if (kind !== CHANGED) return kind === ADDED ? "+" : "−";
    const isPair = this.cells.at(row, BEFORE) !== this.cells.at(row, AFTER);
    return isPair ? (side === AFTER ? "+" : "−") : "±";
  }

  private drawn(view: EditorView): DecorationSet {
    const built = new RangeSetBuilder<Decoration>();
    for (const line of visible(view)) this.draw(built, line);
    return built.finish();
  }

  private draw(built: RangeSetBuilder<Decoration>, { number, from, length }: Line): void {
    const line = number - 1;
    const [row, side] = [this.cells.rows[line]!, this.cells.sides[line]!];
    const kind = this.source.rows.kinds[row]!;
    if (this.cells.lines[line]! < 0) built.add(from, from, lined("blank"));
    else if (kind === REMOVED || (kind === CHANGED && side === BEFORE)) built.add(from, from, lined("removed"));
    else if (kind === ADDED || kind === CHANGED) built.add(from, from, lined("added"));
    if (this.cells.lines[line]! < 0) return;
    const words = this.source.rows.words(row, side);
    for (let at = 0; at < words.length; at += 2) {
      const to = Math.min(words[at + 1]!, length);
      if (words[at]! < to) built.add(from + words[at]!, from + to, classed("word"));
    }
  }

  /** What is folded from now on. */
  fold(stretches: Folded): void {
    const { doc } = this.view.state;
    const ranges = [...stretches].map(([stretch, [first, last]]) => {
      const [from, to] = this.cells.span(first, last);
      const widget = new Unchanged(stretch, last - first + 1, () => this.listener.opened(stretch));
      return Decoration.replace({ block: true, widget }).range(doc.line(from + 1).from, doc.line(to + 1).to);
    });
    this.view.dispatch({ effects: setFolded.of(Decoration.set(ranges, true)) });
  }

  mark(marks: [Marks, Marks], chosen: At | null, step: At | null): void {
    const { rows, lines, sides } = this.cells;
    const found = new Uint8Array(rows.length);
    for (let line = 0; line < found.length; line++) {
      const side = sides[line]!;
      if (lines[line]! >= 0) found[line] = marks[side][lines[line]!] ?? NONE;
      if (this.source.rows.kinds[rows[line]!] === SAME) found[line] = Math.max(found[line]!, this.partner(line, marks));
    }
    const marking = { marks: found, chosen: this.line(chosen), step: this.line(step) };
    this.view.dispatch({ effects: setMarking.of(marking) });
  }

  /** In a document of both sides: the mark of the other's line, which is the same one. */
  private partner(line: number, marks: [Marks, Marks]): number {
    const row = this.cells.rows[line]!;
    return this.cells.isOfBoth ? (marks[BEFORE][this.source.rows.lines[BEFORE][row]!] ?? NONE) : NONE;
  }

  /** The line of this document that shows a line of a pane, if it does. */
  line(at: At | null): number | null {
    const side = at ? (this.source.numbers.indexOf(at.pane) as Side | -1) : -1;
    if (side < 0) return null;
    const row = this.source.rows.row(side as Side, at!.line);
    const line = row < 0 ? -1 : this.cells.at(row, side as Side);
    const isShown = line >= 0 && (this.cells.sides[line] === side || this.cells.isOfBoth);
    return isShown ? line : null;
  }

  find(found: [Found, Found]): void {
    const { doc } = this.view.state;
    const all = ([BEFORE, AFTER] as const).flatMap((side) => this.shifted(found[side], side, doc));
    all.sort((one, other) => one.from - other.from);
    const current = all.findIndex(({ isCurrent }) => isCurrent);
    this.view.dispatch({ effects: setFound.of({ hits: all, current }) });
  }

  /** The hits of a side at their places in this document. */
  private shifted({ hits, current }: Found, side: Side, doc: Text) {
    const lines = this.source.texts[side];
    let [line, start] = [0, 0];
    return hits.flatMap(({ from, to }, number) => {
      while (line < lines.length && start + lines[line]!.length < from) start += lines[line++]!.length + 1;
      const shown = this.line({ pane: this.source.numbers[side], line });
      if (shown === null || this.cells.sides[shown] !== side) return [];
      const by = doc.line(shown + 1).from - start;
      return [{ from: from + by, to: to + by, isCurrent: number === current }];
    });
  }

  heat(heats: [ReadonlyMap<number, Heat>, ReadonlyMap<number, Heat>]): void {
    const found = new Map<number, Heat>();
    this.cells.lines.forEach((line, at) => {
      const heat = heats[this.cells.sides[at]!].get(line);
      if (heat) found.set(at, heat);
    });
    this.view.dispatch({ effects: heatBars.reconfigure(heatGutter(found)) });
  }

  /** Puts the keyboard's place on a line, and scrolls to it. */
  show(line: number, column: number): void {
    const anchor = this.view.state.doc.line(line + 1).from + column;
    const effects = EditorView.scrollIntoView(anchor, { y: this.isOnScreen(anchor) ? "nearest" : "center", xMargin: 40 });
    this.view.dispatch({ selection: { anchor }, effects });
  }

  private isOnScreen(at: number): boolean {
    const { scrollTop, clientHeight } = this.view.scrollDOM;
    const { top, bottom } = this.view.lineBlockAt(at);
    return top >= scrollTop && bottom <= scrollTop + clientHeight;
  }

  get row(): number {
    const { doc, selection } = this.view.state;
    return this.cells.rows[doc.lineAt(selection.main.head).number - 1]!;
  }
}

/** Stands for rows that are the same on both sides. */
class Unchanged extends WidgetType {
  private readonly stretch: number;
  private readonly many: number;
  private readonly open: () => void;

  constructor(stretch: number, many: number, open: () => void) {
    super();
    this.stretch = stretch;
    this.many = many;
    this.open = open;
  }

  override eq(other: Unchanged): boolean {
    return other.stretch === this.stretch;
  }

  override get estimatedHeight(): number {
    return 22;
  }

  override toDOM(): HTMLElement {
    const text = `⋯ ${count(this.many, "unchanged line")}`;
    const made = el("button", { type: "button", title: "Unfold (f)" }, text);
    made.addEventListener("click", this.open);
    return el("div", { class: "unchanged" }, made);
  }

  override ignoreEvent(): boolean {
    return true;
  }
}

class Sign extends GutterMarker {
  private readonly sign: string;

  constructor(sign: string) {
    super();
    this.sign = sign;
  }

  override toDOM(): Node {
    return document.createTextNode(this.sign);
  }
}

const SIGNS = new Map(["+", "−", "±"].map((sign) => [sign, new Sign(sign)]));
