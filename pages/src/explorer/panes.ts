/** The panes side by side, with bars between them; on a narrow page one of them, with tabs. */
import { el } from "./dom.ts";
import { firstCompared } from "./compared/comparison.ts";
import { ComparedView } from "./compared/view.ts";
import type { Exploration } from "./exploration.ts";
import { type Listener, PaneView } from "./pane.ts";
import type { Texts } from "./texts.ts";

const NARROW = matchMedia("(max-width: 639px)");
/** Pixels that a pane has at least, when one is added unasked. */
const ROOM = 360;
/** Percent of two panes that a bar leaves to each. */
const LEAST = 10;

export class Panes {
  readonly element = el("main", { class: "panes" });
  readonly tabs = el("div", { class: "tabs", role: "tablist", "aria-label": "Panes" });
  /** Numbers of panes, from the left, and their shares of the width. */
  open: number[] = [];
  shares: number[] = [];
  active = 0;
  private readonly exploration: Exploration;
  private readonly texts: Texts;
  private readonly listener: Listener;
  private readonly changed: () => void;
  private readonly made = new Map<number, PaneView | ComparedView>();

  /** `changed`: other panes are shown, or they have other widths. */
  constructor(exploration: Exploration, texts: Texts, listener: Listener, changed: () => void) {
    this.exploration = exploration;
    this.texts = texts;
    this.listener = listener;
    this.changed = changed;
    this.tabs.append(...exploration.panes.map(({ name }, number) => this.tab(name, number)));
    NARROW.addEventListener("change", () => this.draw());
  }

  view(pane: number): PaneView | ComparedView {
    let view = this.made.get(pane);
    if (!view) this.made.set(pane, (view = this.make(pane)));
    return view;
  }

  private make(pane: number): PaneView | ComparedView {
    if (!this.exploration.panes[pane]!.compared) return new PaneView(this.exploration, pane, this.listener);
    return new ComparedView(this.exploration, pane, this.texts, this.listener);
  }

  /** The pane that shows the lines of one: itself, or an open one that compares it with another. */
  holder(pane: number): number {
    if (this.open.includes(pane)) return pane;
    return this.open.find((one) => this.exploration.panes[one]!.compared?.panes.includes(pane)) ?? pane;
  }

  /** Those on the screen. */
  get shown(): number[] {
    return NARROW.matches ? [this.active] : this.open;
  }

  /** The first lines of what is folded, of each pane where something is. */
  get folded(): Map<number, number[]> {
    return new Map([...this.made].map(([pane, view]) => [pane, view.folded]));
  }

  set(open: number[], shares: number[] = []): void {
    this.open = open;
    this.shares = shares.length === open.length ? shares : open.map((pane) => this.room(pane));
    if (!open.includes(this.active)) this.active = open[0]!;
    this.draw();
  }

  /** Makes sure that a pane is open: as one more where there is room, else in the place of one that is not active. */
  show(pane: number): void {
    if (this.open.includes(this.holder(pane))) return NARROW.matches ? this.activate(this.holder(pane)) : undefined;
    if (NARROW.matches) this.replace(this.active, pane);
    else if (this.element.clientWidth >= ROOM * (this.open.length + 1)) this.add(pane);
    else this.replace(this.open.findLast((one) => one !== this.active) ?? this.active, pane);
  }

  /** Two texts side by side have twice as much. */
  private room(pane: number): number {
    return this.exploration.panes[pane]!.compared ? 2 : 1;
  }

  activate(pane: number): void {
    if (pane === this.active) return;
    this.active = pane;
    if (NARROW.matches) this.draw();
  }

  add(pane: number): void {
    const total = this.shares.reduce((sum, share) => sum + share, 0);
    this.set([...this.open, pane], [...this.shares, total / this.shares.length]);
  }

  /** If the other one is open too, they change places. */
  replace(pane: number, by: number): void {
    const open = this.open.map((one) => (one === pane ? by : one === by ? pane : one));
    if (this.active === pane) this.active = by;
    this.set(open, this.shares);
  }

  close(pane: number): void {
    if (this.open.length === 1) return;
    const at = this.open.indexOf(pane);
    this.set(this.open.toSpliced(at, 1), this.shares.toSpliced(at, 1));
    this.view(this.open[Math.max(at - 1, 0)]!).focus();
  }

  get widths(): number[] {
    const total = this.shares.reduce((sum, share) => sum + share, 0);
    return this.shares.map((share) => (100 * share) / total);
  }

  private draw(): void {
    const views = this.shown.map((pane) => this.view(pane));
    const back = views.map((view) => view.kept());
    this.element.replaceChildren(...views.flatMap((view, at) => (at ? [this.bar(at - 1), view.element] : [view.element])));
    this.element.classList.toggle("single", this.open.length === 1);
    this.size();
    back.forEach((put) => put());
    this.drawTabs();
    this.changed();
  }

  private size(): void {
    this.shown.forEach((pane) => {
      this.view(pane).element.style.flexGrow = NARROW.matches ? "1" : String(this.shares[this.open.indexOf(pane)]);
    });
  }

  /** Between the pane at this place and the next: dragged, or moved with the arrow keys. */
  private bar(at: number): HTMLElement {
    const [left, right] = [this.open[at]!, this.open[at + 1]!];
    const label = `Width of ${this.exploration.panes[left]!.name}`;
    const range = { "aria-valuemin": String(LEAST), "aria-valuemax": String(100 - LEAST), "aria-orientation": "vertical" };
    const bar = el("div", { class: "bar", role: "separator", tabindex: "0", "aria-label": label, ...range });
    bar.setAttribute("aria-controls", `pane-${left} pane-${right}`);
    const both = () => this.shares[at]! + this.shares[at + 1]!;
    const move = (percent: number) => {
      const sum = both();
      this.shares[at] = (sum * Math.min(Math.max(percent, LEAST), 100 - LEAST)) / 100;
      this.shares[at + 1] = sum - this.shares[at];
      this.size();
      tell();
      this.changed();
    };
    const now = () => (100 * this.shares[at]!) / both();
    const tell = () => bar.setAttribute("aria-valuenow", String(Math.round(now())));
    tell();
    dragged(bar, move);
    bar.addEventListener("keydown", (event) => {
      const to = { ArrowLeft: now() - 2, ArrowRight: now() + 2, Home: LEAST, End: 100 - LEAST }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      move(to);
    });
    return bar;
  }

  private tab(name: string, number: number): HTMLElement {
    const tab = el("button", { type: "button", role: "tab", "aria-controls": `pane-${number}` }, name);
    tab.addEventListener("click", () => this.show(number));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const next = this.tabs.children[(number + step + this.tabs.children.length) % this.tabs.children.length] as HTMLElement;
      next.click();
      next.focus();
    });
    return tab;
  }

  private drawTabs(): void {
    [...this.tabs.children].forEach((tab, number) => {
      tab.setAttribute("aria-selected", String(number === this.active));
      tab.setAttribute("tabindex", number === this.active ? "0" : "-1");
    });
    this.shown.forEach((pane) => {
      const { element } = this.view(pane);
      if (NARROW.matches) element.setAttribute("role", "tabpanel");
      else element.removeAttribute("role");
    });
  }
}

/** Says to how many percent of its two neighbours a bar is dragged. */
function dragged(bar: HTMLElement, move: (percent: number) => void): void {
  bar.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    bar.focus();
    bar.setPointerCapture(event.pointerId);
  });
  bar.addEventListener("pointermove", (event) => {
    if (!bar.hasPointerCapture(event.pointerId)) return;
    const { left } = bar.previousElementSibling!.getBoundingClientRect();
    const { right } = bar.nextElementSibling!.getBoundingClientRect();
    move((100 * (event.clientX - left)) / (right - left));
  });
}

/**
 * What is shown unasked, as much as there is room for: source, jaxpr and HLO; or a reading's text, source and HLO,
 * or the HLO of both sides, if two are compared.
 */
export function first(exploration: Exploration): number[] {
  const compared = firstCompared(exploration);
  if (compared) return compared;
  const most = innerWidth >= 1280 ? 3 : NARROW.matches ? 1 : 2;
  const all = exploration.panes.map((pane, number) => ({ ...pane, number })).filter((pane) => pane.unavailable === null);
  const of = (language: string) => all.filter((pane) => pane.language === language);
  const source = [of("python")[0], of("jaxpr")[0], of("hlo")[0]];
  const reading = of("hlo").length > 1 ? [of("text")[0], ...of("hlo")] : [of("text")[0], of("python")[0], of("hlo")[0]];
  const best = (exploration.panes[0]?.language === "text" ? reading : source).filter((pane) => pane !== undefined);
  const open = [...new Set([...best, ...all].map((pane) => pane.number))].slice(0, most);
  return open.length ? open : [0];
}
