/** A pane with two texts that are compared: side by side, or where it is narrow in one. */
import type { Found } from "../decorations.ts";
import { button, el } from "../dom.ts";
import type { At, Exploration } from "../exploration.ts";
import { type Heat, heats, type Quantity } from "../heat.ts";
import { type Marks, NONE, STRONG, WEAK } from "../links.ts";
import { Overview } from "../overview.ts";
import { type Listener as PaneListener, options } from "../pane.ts";
import type { Texts } from "../texts.ts";
import { Cells } from "./cells.ts";
import { AFTER, BEFORE, type Compared, Rows, type Side } from "./comparison.ts";
import { Costs } from "./costs.ts";
import { Document, type Source } from "./document.ts";
import { told } from "./told.ts";

/** Pixels that two texts side by side need. */
const ROOM = 600;
/** Unchanged rows that stay around a change, and how many are worth folding. */
const CONTEXT = 3;
const LEAST = 4;
const SIDES = [BEFORE, AFTER] as const;

/** What is shown, for documents that are made anew. */
interface State {
  marks: [Marks, Marks];
  at: At | null;
  step: At | null;
  found: [Found, Found];
  heat: Quantity | null;
}

export class ComparedView {
  readonly element: HTMLElement;
  readonly select: HTMLSelectElement;
  private readonly compared: Compared;
  private readonly texts: Texts;
  private readonly listener: PaneListener;
  private readonly rows: Rows;
  private readonly source: Source;
  private readonly stretches: [number, number][];
  private readonly changes: [number, number][];
  private readonly hidden: Set<number>;
  private readonly body = el("div", { class: "sides" });
  private readonly numbered = el("span", { class: "step-of muted", "aria-live": "polite" });
  private readonly overview = new Overview((part) => this.showRow(Math.floor(part * this.rows.length)));
  private readonly costs: Costs;
  private documents: Document[] = [];
  private active = 0;
  private state: State;

  constructor(exploration: Exploration, number: number, texts: Texts, listener: PaneListener) {
    this.compared = exploration.panes[number]!.compared!;
    this.texts = texts;
    this.listener = listener;
    const [before, after] = this.compared.panes;
    this.rows = new Rows(this.compared.of);
    this.source = {
      rows: this.rows,
      panes: [exploration.panes[before]!, exploration.panes[after]!],
      numbers: [before, after],
      texts: [texts.lines(before), texts.lines(after)],
    };
    this.stretches = this.rows.unchanged(CONTEXT, LEAST);
    this.changes = this.rows.changes();
    this.hidden = new Set(this.changes.length ? this.stretches.keys() : []);
    this.select = options(exploration, number, (by) => listener.replaced(number, by));
    const nothing: Found = { hits: [], current: -1 };
    this.state = { marks: [new Uint8Array(), new Uint8Array()], at: null, step: null, found: [nothing, nothing], heat: null };
    this.costs = new Costs(exploration, this.compared, this.rows, texts, (at) => this.choose(at));
    this.element = this.framed(exploration.panes[number]!.name, number);
    this.build(innerWidth < ROOM);
    new ResizeObserver(() => this.fit()).observe(this.body);
  }

  private framed(name: string, number: number): HTMLElement {
    const { of } = this.compared;
    const [next, last] = [button("↓", "Next change (j)", () => this.toChange(1)), button("↑", "Previous change (k)", () => this.toChange(-1))];
    next.disabled = last.disabled = !this.changes.length;
    const costs = of.flops ? [button("costs", "What the operations that differ cost", () => this.costs.show())] : [];
    const close = button("×", `Close ${name}`, () => this.listener.closed(number));
    close.classList.add("close");
    const summary = el("span", { class: "summary", title: told(of).more }, ...told(of).parts);
    const head = el("header", {}, this.select, summary, this.numbered, last, next, ...costs, close);
    const text = el("div", { class: "text" }, this.body, this.overview.element);
    const framed = el("section", { class: "pane compared", id: `pane-${number}`, "aria-label": name }, head, text);
    framed.addEventListener("focusin", () => this.listener.entered(number));
    framed.addEventListener("pointerdown", () => this.listener.entered(number));
    return framed;
  }

  /** Side by side where there is room. The browser asks before it paints. */
  private fit(): void {
    const { clientWidth } = this.body;
    const isOne = clientWidth < ROOM;
    if (clientWidth && isOne !== (this.documents.length === 1)) this.build(isOne);
  }

  private build(isOne: boolean): void {
    const row = this.documents[this.active]?.row;
    this.documents.forEach(({ view }) => view.destroy());
    this.active = 0;
    const { of } = this.compared;
    this.documents = isOne
      ? [this.made(Cells.ofBoth(this.rows), `${of.before} and ${of.after}`)]
      : SIDES.map((side) => this.made(Cells.ofSide(this.rows, side), of[side === AFTER ? "after" : "before"]));
    this.documents.forEach(({ view }, at) => view.contentDOM.addEventListener("focus", () => (this.active = at)));
    this.body.replaceChildren(...this.documents.map(({ view }) => view.dom));
    if (!isOne) together(this.documents.map(({ view }) => view.scrollDOM));
    this.drawFolds();
    this.draw();
    if (row) this.showRow(row);
  }

  private made(cells: Cells, label: string): Document {
    const opened = (stretch: number) => this.open(stretch);
    return new Document(this.source, cells, label, { chosen: (at) => this.listener.chosen(at), told: (at) => this.listener.told(at), opened });
  }

  private draw(): void {
    const { marks, at, step, found, heat } = this.state;
    const hot = this.source.panes.map((pane) => (heat ? heats(pane, heat) : new Map())) as [Map<number, Heat>, Map<number, Heat>];
    for (const one of this.documents) {
      one.mark(marks, at, step);
      one.find(found);
      one.heat(hot);
    }
    this.drawOverview();
  }

  /** Where the changes are, and what belongs to the chosen line. */
  private drawOverview(): void {
    const { marks } = this.state;
    const all = Uint8Array.from(this.rows.kinds, (_, row) => {
      const isLinked = SIDES.some((side) => marks[side][this.rows.lines[side][row]!] === STRONG);
      return isLinked ? STRONG : this.rows.isChange(row) ? WEAK : NONE;
    });
    this.overview.draw(all);
  }

  /** Marks what belongs to a line of another pane, and goes to where this step is. */
  follow(at: At | null, marks: readonly Marks[], step: number): () => void {
    const both = SIDES.map((side) => marks[this.source.numbers[side]] ?? new Uint8Array()) as [Marks, Marks];
    const isHere = at !== null && this.source.numbers.includes(at.pane);
    const all = at && !isHere ? this.marked(both) : [];
    const number = all.length ? ((step % all.length) + all.length) % all.length : 0;
    const to = all[number] ?? null;
    return () => {
      this.state = { ...this.state, marks: both, at, step: to };
      this.documents.forEach((one) => one.mark(both, at, to));
      this.drawOverview();
      if (!isHere) this.numbered.textContent = all.length > 1 ? `${number + 1} of ${all.length}` : "";
      if (to) this.reveal(to);
    };
  }

  /** The lines with the strongest mark there is: of a row, that of the second side. */
  private marked(marks: [Marks, Marks]): At[] {
    for (const mark of [STRONG, WEAK]) {
      const rows = new Map<number, At>();
      for (const side of SIDES) {
        const pane = this.source.numbers[side];
        for (const line of this.texts.marked(pane, marks[side], mark)) rows.set(this.rows.row(side, line), { pane, line });
      }
      if (rows.size) return [...rows].sort(([one], [other]) => one - other).map(([, at]) => at);
    }
    return [];
  }

  find(of: (pane: number) => Found): void {
    this.state.found = SIDES.map((side) => of(this.source.numbers[side])) as [Found, Found];
    this.documents.forEach((one) => one.find(this.state.found));
  }

  heat(quantity: Quantity | null): void {
    this.state.heat = quantity;
    this.draw();
  }

  change(): void {} // pages of comparisons are not served

  /** The line that the keyboard is in. */
  get here(): At {
    return this.first(this.documents[this.active]!.row);
  }

  get top(): number | null {
    return null;
  }

  scroll(): void {}

  focus(): void {
    this.documents[this.active]!.view.focus();
  }

  /** Shows a line of one of both sides. */
  reveal(at: At, column = 0): void {
    const side = this.source.numbers.indexOf(at.pane) as Side;
    this.unfold(this.rows.row(side, at.line));
    for (const [number, one] of this.documents.entries()) {
      const line = one.line(at);
      if (line === null) continue;
      one.show(line, column);
      this.active = number;
    }
  }

  private showRow(row: number): void {
    this.reveal(this.first(row));
  }

  /** The line of a row, of the second side if it has one. */
  private first(row: number): At {
    const side = this.rows.lines[AFTER][row]! < 0 ? BEFORE : AFTER;
    return { pane: this.source.numbers[side], line: this.rows.lines[side][row]! };
  }

  /** To the next stretch of changes, behind the last one to the first. */
  toChange(by: 1 | -1): void {
    if (!this.changes.length) return;
    const row = this.state.at === null ? -1 : this.documents[this.active]!.row; // nothing was gone to yet
    const found = by > 0 ? this.changes.findIndex(([first]) => first > row) : this.changes.findLastIndex(([, last]) => last < row);
    const number = found >= 0 ? found : by > 0 ? 0 : this.changes.length - 1;
    this.choose(this.operation(...this.changes[number]!));
    this.numbered.textContent = `change ${number + 1} of ${this.changes.length}`;
  }

  /** Of these rows, the first of which it is known where it comes from; else the first. */
  private operation(first: number, last: number): At {
    for (let row = first; row <= last; row++) {
      const at = this.first(row);
      if (this.source.panes[this.source.numbers.indexOf(at.pane)]!.origins[at.line]) return at;
    }
    return this.first(first);
  }

  private choose(at: At): void {
    this.listener.chosen(at);
    this.reveal(at);
  }

  private drawFolds(): void {
    const all = new Map([...this.hidden].map((stretch) => [stretch, this.stretches[stretch]!] as const));
    this.documents.forEach((one) => one.fold(all));
  }

  private open(stretch: number): void {
    this.hidden.delete(stretch);
    this.drawFolds();
    this.showRow(this.stretches[stretch]![0]);
    this.focus();
  }

  private unfold(row: number): void {
    const found = this.stretches.findIndex(([first, last]) => first <= row && row <= last);
    if (this.hidden.delete(found)) this.drawFolds();
  }

  /** Folds the stretch that the keyboard is in, or unfolds the one beside it. */
  fold(): void {
    const { row } = this.documents[this.active]!;
    const near = ([first, last]: [number, number]) => first - 1 <= row && row <= last + 1;
    const found = this.stretches.findIndex(near);
    if (found < 0) return;
    if (this.hidden.has(found)) return this.open(found);
    this.hidden.add(found);
    this.drawFolds();
  }

  readonly folded: number[] = []; // as pages of comparisons are not served

  foldAt(): void {}

  foldAll(): void {
    for (const stretch of this.stretches.keys()) this.hidden.add(stretch);
    this.drawFolds();
  }

  unfoldAll(): void {
    this.hidden.clear();
    this.drawFolds();
  }

  kept(): () => void {
    const effects = this.documents.map(({ view }) => view.scrollSnapshot());
    return () => this.documents.forEach(({ view }, at) => effects[at] && view.dispatch({ effects: effects[at] }));
  }
}

/** Where one goes, the others go. */
function together(scrollers: HTMLElement[]): void {
  for (const one of scrollers) {
    one.addEventListener("scroll", () => {
      for (const other of scrollers) {
        if (other.scrollTop !== one.scrollTop) other.scrollTop = one.scrollTop;
        if (other.scrollLeft !== one.scrollLeft) other.scrollLeft = one.scrollLeft;
      }
    });
  }
}
