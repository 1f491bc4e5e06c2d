/** The page: one chosen line, and everything that follows it. */
import { themed } from "../shared/theme.ts";
import { changeCommands } from "./compared/commands.ts";
import { ofItsSide, withComparisons } from "./compared/comparison.ts";
import { ComparedView } from "./compared/view.ts";
import { Details } from "./details.ts";
import { help, Window } from "./dialogs.ts";
import { button, choice, el } from "./dom.ts";
import { caption, drawing } from "./drawing.ts";
import { type At, type Exploration, type PageData, used } from "./exploration.ts";
import { Finder } from "./finder.ts";
import { format, OFF, parse } from "./fragment.ts";
import { near } from "./graph.ts";
import { QUANTITIES, quantities, type Quantity } from "./heat.ts";
import { History } from "./history.ts";
import { type Command, listen } from "./keys.ts";
import { type Change, type Host, Live, type View } from "./live.ts";
import { Links, type Marks, STRONG, WEAK } from "./links.ts";
import { first, Panes } from "./panes.ts";
import type { Listener } from "./pane.ts";
import { described } from "./status.ts";
import { Texts } from "./texts.ts";

/** Milliseconds before the page's address follows. */
const PAUSE = 150;
const NAMES: Record<Quantity, string> = { flops: "FLOPs", bytes: "bytes", seconds: "seconds" };

export class Explorer {
  private readonly page: PageData;
  private readonly exploration: Exploration;
  private readonly texts: Texts;
  private readonly links: Links;
  private readonly details: Details;
  private readonly panes: Panes;
  private readonly finder: Finder;
  private readonly history: History | null;
  private readonly status = el("output", { class: "status", "aria-live": "polite" });
  private readonly graph = new Window("Operands and users");
  private readonly keys = new Window("Keys and marks");
  private readonly heats: HTMLSelectElement;
  private readonly commands: Command[];
  private at: At | null = null;
  private marks: Marks[] = [];
  /** How many steps were made through the lines that belong to the chosen one. */
  private step = 0;
  private heat: Quantity | null;
  /** What the last save changed in each pane, of a page that is served. */
  private changes = new Map<number, Change>();
  private isReady = false;
  private timer = 0;

  constructor(page: PageData) {
    this.page = page;
    this.exploration = withComparisons(page.exploration);
    this.texts = new Texts(this.exploration);
    this.links = new Links(this.exploration, (pane) => this.texts.lines(pane).length);
    this.details = new Details(this.exploration, this.texts, this.links);
    this.panes = new Panes(this.exploration, this.texts, this.listener(), () => this.redrawn());
    this.finder = new Finder(this.exploration, this.searcher());
    const { history } = this.exploration;
    this.history = history ? new History(history, this.exploration, this.texts, this.links) : null;
    this.commands = this.bound();
    const known = quantities(this.exploration).map((one): [string, string] => [one, `heat: ${NAMES[one]}`]);
    this.heats = choice("Heat in the gutter", [["", "no heat"], ...known], (value) => this.heated(value));
    this.heat = this.known(page.heat ?? "");
    this.heats.value = this.heat ?? "";
  }

  /** Builds the page, and shows what the fragment of its address asks for. */
  start(): void {
    const work = this.history ? el("div", { class: "work" }, this.panes.element, this.history.element) : this.panes.element;
    document.body.append(this.header(), this.panes.tabs, work, this.footer());
    document.body.append(this.graph.element, this.keys.element);
    listen(this.commands);
    this.restore();
    window.addEventListener("hashchange", () => this.restore());
    const { served } = this.page;
    const host: Host = { left: () => this.left(), arrived: (...all) => this.arrived(...all) };
    if (served !== undefined) new Live(served, this.exploration, this.texts, host).start();
  }

  private header(): HTMLElement {
    const theme = el("button", { type: "button", class: "theme" });
    themed(theme);
    const more = button("+ pane", "Add a pane", () => this.add());
    more.classList.add("more");
    const tools = [
      this.heats,
      more,
      button("fold", "Fold all", () => this.shown((pane) => pane.foldAll())),
      button("unfold", "Unfold all", () => this.shown((pane) => pane.unfoldAll())),
      button("graph", "Operands and users of the chosen line (g)", () => this.draw()),
      ...(this.history ? [button("history", "What XLA's passes did to the chosen line (h)", () => this.history!.toggle())] : []),
      theme,
      button("?", "Keys and marks (?)", () => this.help()),
    ];
    const { title, signature } = this.page;
    const named = el("div", { class: "named" }, el("h1", {}, title), el("code", { title: signature }, signature));
    return el("header", { class: "top" }, named, this.finder.element, el("div", { class: "tools" }, ...tools));
  }

  private footer(): HTMLElement {
    return el("footer", {}, this.status, el("span", { class: "about muted", title: this.page.command }, this.page.about));
  }

  private listener(): Listener {
    return {
      chosen: (at) => this.choose(at),
      told: (at) => this.details.of(at),
      replaced: (pane, by) => (this.panes.replace(pane, by), this.panes.view(by).select.focus()),
      closed: (pane) => this.panes.close(pane),
      entered: (pane) => this.panes.activate(pane),
    };
  }

  /** A later version of the page takes the place of this one: the address is to say what is shown, and this the rest. */
  private left(): View {
    this.write();
    const tops = this.panes.shown.flatMap((pane): [number, number][] => {
      const { top } = this.panes.view(pane);
      return top === null ? [] : [[pane, top]];
    });
    const { active } = this.panes;
    const isEntered = this.panes.view(active).element.contains(document.activeElement);
    const { folded } = this.panes;
    return { at: this.at, active, isEntered, search: this.finder.asked, tops: new Map(tops), folded };
  }

  private arrived(told: string, changes: Map<number, Change>, { at, active, isEntered, search, tops, folded }: View): void {
    this.changes = changes;
    for (const [pane, lines] of folded) if (lines.length) this.panes.view(pane).foldAt(lines);
    if (this.panes.open.includes(active)) this.panes.activate(active);
    this.redrawn();
    this.finder.ask(search);
    if (at) this.choose(at);
    if (isEntered) this.panes.view(this.panes.active).focus();
    for (const pane of this.panes.shown) if (tops.has(pane)) this.panes.view(pane).scroll(tops.get(pane)!);
    this.status.textContent = changes.size ? told : `${told} · no change`;
  }

  private searcher() {
    return {
      found: () => this.shown((pane) => pane.find((one) => this.finder.of(one))),
      stepped: (at: At, column: number) => {
        this.panes.show(at.pane);
        this.panes.activate(this.panes.holder(at.pane));
        this.choose(at);
        this.panes.view(this.panes.holder(at.pane)).reveal(at, column);
      },
      here: () => this.panes.view(this.panes.active).here,
      left: () => this.panes.view(this.panes.active).focus(),
    };
  }

  /** Marks what belongs to a line in all panes, and scrolls the others there; once more, if it is chosen again. */
  choose(at: At): void {
    this.at = at;
    this.marks = ofItsSide(this.exploration, at, this.links.marks(at));
    this.step = 0;
    this.follow();
    this.tell();
    this.remember();
    this.history?.choose(at, this.marks);
  }

  /** Brings each other pane to the line that this step is at. */
  private follow(): void {
    const moves = this.panes.shown.map((pane) => this.move(pane));
    for (const move of moves) move();
  }

  /** In a pane that belongs to the chosen line: the line of this step, and which of how many it is. */
  private target(pane: number): { line: number; number: number; of: number } | undefined {
    if (!this.at || pane === this.at.pane) return undefined;
    const strong = this.texts.marked(pane, this.marks[pane]!, STRONG);
    const some = strong.length ? strong : this.texts.marked(pane, this.marks[pane]!, WEAK);
    const number = ((this.step % some.length) + some.length) % some.length;
    return some.length ? { line: some[number]!, number: number + 1, of: some.length } : undefined;
  }

  /** Asks first where the pane is, and leaves the change for later: else the browser lays out each pane twice. */
  private move(pane: number): () => void {
    const view = this.panes.view(pane);
    if (view instanceof ComparedView) return view.follow(this.at, this.marks, this.step);
    const target = this.target(pane);
    const way = target ? view.way(target.line) : null;
    const marks = this.marks[pane] ?? new Uint8Array();
    const chosen = this.at?.pane === pane ? this.at.line : null;
    const stepOf = target && target.of > 1 ? `${target.number} of ${target.of}` : "";
    return () => view.mark({ marks, chosen, step: target?.line ?? null }, stepOf, way);
  }

  private go(by: number): void {
    this.step += by;
    this.follow();
  }

  private tell(): void {
    if (!this.at) return;
    const cost = this.details.cost(this.at);
    this.status.textContent = described(this.exploration, this.texts, this.at, this.marks) + (cost && ` · ${cost}`);
  }

  /** Other panes are on the screen: they show what the others show. */
  private redrawn(): void {
    if (!this.isReady) return;
    for (const pane of this.panes.shown) {
      this.panes.view(pane).heat(this.heat);
      this.panes.view(pane).find((one) => this.finder.of(one));
      if (this.changes.has(pane)) this.panes.view(pane).change(this.changes.get(pane)!);
    }
    this.follow();
    this.remember();
  }

  private shown(run: (pane: ReturnType<Panes["view"]>) => void): void {
    this.panes.shown.forEach((pane) => run(this.panes.view(pane)));
  }

  private add(): void {
    const all = this.exploration.panes.keys();
    const more = [...all].filter((pane) => !this.panes.open.includes(pane));
    const next = more.find((pane) => this.exploration.panes[pane]!.unavailable === null) ?? more[0];
    if (next === undefined) return;
    this.panes.add(next);
    this.panes.view(next).select.focus();
  }

  private heated(value: string): void {
    this.heat = this.known(value);
    this.heats.value = this.heat ?? "";
    this.shown((pane) => pane.heat(this.heat));
    this.remember();
  }

  /** What some line has. */
  private known(value: string): Quantity | null {
    return quantities(this.exploration).find((one) => one === value) ?? null;
  }

  private draw(at = this.at): void {
    const graph = at && near(used(this.exploration.panes[at.pane]!), at.line);
    if (!at || !graph) {
      this.status.textContent = "Choose an operation: of this line no operands or users are known";
      return;
    }
    const label = (line: number) => this.label({ pane: at.pane, line });
    const svg = drawing(graph, label, (line) => {
      const to = { pane: at.pane, line };
      this.choose(to);
      this.panes.view(this.panes.holder(at.pane)).reveal(to);
      this.draw(to);
    });
    this.graph.show(caption(graph), svg);
    svg.querySelector<SVGElement>(".centre")!.focus();
  }

  private label(at: At) {
    const { name = "", op = "", type = "" } = this.details.operation(at) ?? {};
    return { title: [name, op].filter(Boolean).join(" ") || this.texts.line(at).trim(), below: type };
  }

  private help(): void {
    this.keys.show(...help(this.page, this.commands));
  }

  private bound(): Command[] {
    const toPane = (key: string) => {
      const pane = this.panes.open[Number(key) - 1];
      if (pane !== undefined) this.panes.view(pane).focus();
    };
    return [
      { keys: ["ArrowUp", "ArrowDown"], what: "choose the line above or below; Enter chooses this one" },
      { keys: ["n", "Alt+ArrowDown"], what: "go to the next line that belongs to the chosen one", run: () => this.go(1) },
      { keys: ["p", "Alt+ArrowUp"], what: "go to the previous one", run: () => this.go(-1) },
      { keys: ["1", "2", "3", "4", "5", "6", "7", "8", "9"], what: "go into a pane, counted from the left", run: toPane },
      { keys: ["/", "Ctrl+f"], what: "search; Enter goes to the next hit, Shift+Enter to the previous one, Escape to the text", run: () => this.finder.focus() },
      { keys: ["i"], what: "show type, costs and source of this line; Escape hides them" },
      { keys: ["g"], what: "show operands and users as a graph", run: () => this.draw() },
      ...(this.history?.commands() ?? []),
      { keys: ["f"], what: "fold or unfold here", run: () => this.panes.view(this.panes.active).fold() },
      ...changeCommands(this.exploration, this.panes),
      { keys: ["?"], what: "show this help", run: () => this.help() },
    ];
  }

  /** Shows what the fragment asks for; what it does not say stays, or is as at first. */
  private restore(): void {
    const { panes, widths, at, heat } = parse(location.hash);
    const named = [...new Set(panes?.map((name) => this.numbered(name)))].filter((number) => number >= 0);
    this.isReady = false;
    if (named.length) this.panes.set(named, widths);
    else if (!this.panes.open.length) this.panes.set(first(this.exploration));
    this.isReady = true;
    if (heat !== undefined && (heat === null || QUANTITIES.some((one) => one === heat))) this.heated(heat ?? "");
    this.redrawn();
    if (at) this.restoreLine(at);
  }

  private restoreLine({ pane: name, line }: { pane: string; line: number }): void {
    const pane = this.numbered(name);
    const index = line - (this.exploration.panes[pane]?.first ?? 1);
    if (pane < 0 || index < 0 || index >= this.texts.lines(pane).length) return;
    this.choose({ pane, line: index });
    const holder = this.panes.holder(pane);
    if (this.panes.open.includes(holder)) this.panes.view(holder).reveal({ pane, line: index });
  }

  private numbered(name: string): number {
    return this.exploration.panes.findIndex((pane) => pane.name === name);
  }

  /** Keeps the view in the page's address, once it has been the same for a moment: browsers count such changes. */
  private remember(): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.write(), PAUSE);
  }

  private write(): void {
    const { panes } = this.exploration;
    const at = this.at && { pane: panes[this.at.pane]!.name, line: this.at.line + panes[this.at.pane]!.first };
    const open = this.panes.open.map((pane) => panes[pane]!.name);
    const heat = this.heat ?? (this.page.heat ? OFF : null);
    const fragment = format({ panes: open, widths: this.panes.widths, at, heat });
    history.replaceState(null, "", fragment);
  }
}
