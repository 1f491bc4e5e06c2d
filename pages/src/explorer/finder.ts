/** The search: one field for all texts, hits counted for each, a step from one to the next. */
import { button, el } from "./dom.ts";
import type { At, Exploration } from "./exploration.ts";
import { expression, firstFrom, type Hit, hits, MOST } from "./search.ts";

/** Milliseconds without a key, after which the texts are searched. */
const PAUSE = 120;

/** What is searched for. */
export interface Search {
  text: string;
  isRegExp: boolean;
}

export interface Listener {
  /** The hits are others. */
  found(): void;
  /** A step was made to this hit. */
  stepped(at: At, column: number): void;
  /** From where the first step is made. */
  here(): At;
  /** Back to the text. */
  left(): void;
}

export class Finder {
  readonly element: HTMLElement;
  private readonly exploration: Exploration;
  private readonly listener: Listener;
  readonly field = el("input", { type: "search", placeholder: "Search all panes ( / )", "aria-label": "Search all panes" });
  private readonly kind = button(".*", "Regular expression", () => this.toggle());
  private readonly counts = el("output", { class: "counts" });
  /** For each pane. */
  private hits: Hit[][] = [];
  private current: { pane: number; hit: number } | null = null;
  private timer = 0;

  constructor(exploration: Exploration, listener: Listener) {
    this.exploration = exploration;
    this.listener = listener;
    this.element = el("search", {}, this.field, this.kind, this.counts);
    this.field.title = "A text without capitals finds it in any case";
    this.kind.setAttribute("aria-pressed", "false");
    this.field.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = window.setTimeout(() => this.search(), PAUSE);
    });
    this.field.addEventListener("keydown", (event) => this.pressed(event));
  }

  focus(): void {
    this.field.focus();
    this.field.select();
  }

  of(pane: number) {
    return { hits: this.hits[pane] ?? [], current: this.current?.pane === pane ? this.current.hit : -1 };
  }

  get asked(): Search {
    return { text: this.field.value, isRegExp: this.isRegExp };
  }

  /** Search for this. */
  ask({ text, isRegExp }: Search): void {
    this.field.value = text;
    this.kind.setAttribute("aria-pressed", String(isRegExp));
    this.search();
  }

  private pressed(event: KeyboardEvent): void {
    if (event.key === "Enter") this.step(event.shiftKey ? -1 : 1);
    else if (event.key === "Escape") this.listener.left();
    else return;
    event.preventDefault();
  }

  private toggle(): void {
    this.kind.setAttribute("aria-pressed", String(!this.isRegExp));
    this.search();
  }

  private get isRegExp(): boolean {
    return this.kind.getAttribute("aria-pressed") === "true";
  }

  private search(): void {
    clearTimeout(this.timer);
    this.timer = 0;
    const wanted = expression(this.field.value, this.isRegExp);
    this.field.setAttribute("aria-invalid", String(!wanted));
    this.hits = this.exploration.panes.map(({ text }) => (wanted && this.field.value ? hits(text, wanted) : []));
    this.current = null;
    this.draw();
    this.listener.found();
  }

  /** To the next hit of all panes, or the last one; behind the end it begins anew. */
  step(by: 1 | -1): void {
    if (this.timer) this.search();
    const { total } = this;
    if (!total) return;
    const next = this.current ? this.number(this.current) + by : this.start(by);
    this.to(this.numbered((next + total) % total));
  }

  private get total(): number {
    return this.hits.reduce((sum, of) => sum + of.length, 0);
  }

  /** Among the hits of all panes. */
  private number({ pane, hit }: { pane: number; hit: number }): number {
    return hit + this.hits.slice(0, pane).reduce((sum, of) => sum + of.length, 0);
  }

  private numbered(number: number): { pane: number; hit: number } {
    let pane = 0;
    for (; number >= this.hits[pane]!.length; pane++) number -= this.hits[pane]!.length;
    return { pane, hit: number };
  }

  private start(by: 1 | -1): number {
    const { pane, line } = this.listener.here();
    const from = offset(this.exploration.panes[pane]!.text, line);
    return this.number({ pane, hit: firstFrom(this.hits[pane]!, from) }) - (by < 0 ? 1 : 0);
  }

  private to(current: { pane: number; hit: number }): void {
    this.current = current;
    this.draw();
    const { text } = this.exploration.panes[current.pane]!;
    const { from } = this.hits[current.pane]![current.hit]!;
    this.listener.found();
    const before = text.slice(0, from).split("\n");
    this.listener.stepped({ pane: current.pane, line: before.length - 1 }, before.at(-1)!.length);
  }

  private draw(): void {
    const at = this.current ? `${(this.number(this.current) + 1).toLocaleString("en")} of ` : "";
    const isAsked = this.field.value !== "";
    const sum = this.field.getAttribute("aria-invalid") === "true" ? "no regular expression" : `${at}${many(this.total)}`;
    const each = this.hits.flatMap((of, pane) => (of.length ? [this.count(of, pane)] : []));
    this.counts.replaceChildren(...(isAsked ? [el("span", { class: "muted" }, sum), ...each] : []));
  }

  private count(of: Hit[], pane: number): HTMLElement {
    const { name } = this.exploration.panes[pane]!;
    const made = button(`${name} ${many(of.length)}${of.length === MOST ? "+" : ""}`, `First hit in ${name}`, () => {
      this.to({ pane, hit: 0 });
    });
    made.removeAttribute("aria-label"); // its text has the number
    if (this.current?.pane === pane) made.setAttribute("aria-current", "true");
    return made;
  }
}

function many(number: number): string {
  return number.toLocaleString("en");
}

/** Where a line begins. */
function offset(text: string, line: number): number {
  let at = 0;
  for (let left = line; left > 0; left--) at = text.indexOf("\n", at) + 1;
  return at;
}
