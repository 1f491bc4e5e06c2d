/** The panel with the history of an instruction: only the passes that changed it, in their order. */
import { button, choice, el } from "./dom.ts";
import type { At, Exploration } from "./exploration.ts";
import type { Command } from "./keys.ts";
import { type Links, type Marks, STRONG, lines as marked } from "./links.ts";
import { type PassEvent, Passes, type PassHistory } from "./passes.ts";
import type { Texts } from "./texts.ts";
import { type Part, passCount, passed, told } from "./told.ts";
import { compared, type Word } from "./words.ts";

const WIDE = matchMedia("(min-width: 1024px)");
const HINT = "Choose an instruction of the HLO, or a line that became one: here is what XLA's passes did to it.";
const NOTHING = "No instruction of XLA's is known to belong to this line.";
/** Lines of a module that are shown before and after an instruction. */
const AROUND = 12;

export class History {
  readonly element = el("aside", { class: "history", "aria-label": "History by pass" });
  private readonly data: PassHistory;
  private readonly exploration: Exploration;
  private readonly links: Links;
  private readonly texts: Texts;
  private readonly hlo: number;
  private readonly list = el("ol", { "aria-label": "Passes that changed it" });
  private readonly told = el("p", { class: "muted", role: "status" }, HINT);
  private readonly names = choice("Instruction", [], (name) => this.show(name));
  private readonly back = button("←", "Back to the instruction before", () => this.goBack());
  private passes: Passes | undefined;
  private way: string[] = [];
  private at = -1;
  private waiting: { at: At; marks: readonly Marks[] } | null = null;

  constructor(data: PassHistory, exploration: Exploration, texts: Texts, links: Links) {
    this.data = data;
    this.exploration = exploration;
    this.links = links;
    this.texts = texts;
    this.hlo = exploration.panes.findIndex(({ language }) => language === "hlo");
    const previous = button("▲", "Previous pass that changed it (k)", () => this.step(-1));
    const next = button("▼", "Next pass that changed it (j)", () => this.step(1));
    const close = button("×", "Close the history (h)", () => this.toggle());
    this.element.append(el("header", {}, el("h2", {}, "History"), this.back, this.names, previous, next, close));
    this.element.append(this.told, this.list);
    this.element.hidden = !WIDE.matches;
    this.named([]);
  }

  commands(): Command[] {
    return [
      { keys: ["h"], what: "show or hide what XLA's passes did to the chosen line", run: () => this.toggle() },
      { keys: ["j", "k"], what: "go to the next or the previous pass that changed it", run: (key) => this.step(key === "j" ? 1 : -1) },
    ];
  }

  /** Hidden, it follows when it is shown again. */
  toggle(): void {
    this.element.hidden = !this.element.hidden;
    this.follow();
  }

  /** What is chosen is painted first: this takes longer. */
  choose(at: At, marks: readonly Marks[]): void {
    this.waiting = { at, marks };
    setTimeout(() => this.follow());
  }

  private follow(): void {
    if (!this.waiting || this.element.hidden) return;
    const { at, marks } = this.waiting;
    this.waiting = null;
    this.way = [];
    const names = this.of(at, marks);
    this.named(names);
    if (names[0] === undefined) this.tell(NOTHING);
    else this.show(names[0]);
  }

  private get all(): Passes {
    return (this.passes ??= new Passes(this.data));
  }

  /** The instructions that a line stands for: those of the compiled HLO come first. */
  private of(at: At, marks: readonly Marks[]): string[] {
    if (at.pane === this.hlo) return this.defined(at.line);
    const origins = new Set(this.links.same(at));
    const sets = new Set([...this.exploration.sets.keys()].filter((set) => this.exploration.sets[set]!.some((one) => origins.has(one))));
    const kept = marked(marks[this.hlo]!, STRONG).flatMap((line) => this.defined(line));
    return [...new Set([...kept, ...this.all.from(sets)])];
  }

  private defined(line: number): string[] {
    const name = /^\s*(?:ROOT )?%?([\w.-]+) = /.exec(this.texts.line({ pane: this.hlo, line }))?.[1];
    return name !== undefined && this.all.has(name) ? [name] : [];
  }

  private named(names: string[]): void {
    const shown = names.map((name) => el("option", { value: name }, `%${name}${this.all.isKept(name) ? "" : " (removed)"}`));
    this.names.replaceChildren(...shown);
    this.names.disabled = !names.length;
  }

  private tell(text: string): void {
    this.told.textContent = text;
    this.list.replaceChildren();
    this.at = -1;
    this.back.hidden = this.way.length < 2;
  }

  /** The history of an instruction; the one before can be gone back to. */
  private show(name: string): void {
    if (![...this.names.options].some(({ value }) => value === name)) this.named([name, ...this.values()]);
    this.names.value = name;
    if (this.way.at(-1) !== name) this.way.push(name);
    const events = this.all.of(name);
    const passes = new Set(events.map(({ version }) => version).filter(Boolean)).size;
    this.tell(`${passes ? passCount(passes) : "No pass"} changed it${this.leftOut()}`);
    this.list.replaceChildren(...events.map((event, at) => this.item(event, at)));
    this.element.scrollTop = 0;
  }

  private values(): string[] {
    return [...this.names.options].map(({ value }) => value);
  }

  private leftOut(): string {
    const { left_out: passes } = this.data;
    return passes ? ` · earlier text is left out, to keep this page small: of the first ${passCount(passes)} that changed the module` : "";
  }

  private goBack(): void {
    this.way.pop();
    const name = this.way.at(-1);
    if (name !== undefined) this.show(name);
  }

  private item(event: PassEvent, at: number): HTMLElement {
    const step = this.data.steps[event.version - 1];
    const words = told(event).map((part) => this.part(part, event.instruction));
    const made = el("li", { tabindex: "-1" }, el("h3", {}, passed(step, this.data.left_out)), el("p", {}, ...words), ...difference(event));
    if (event.event !== "vanished") made.append(this.module(event));
    made.addEventListener("focusin", () => this.mark(at));
    made.addEventListener("pointerdown", () => this.mark(at));
    return made;
  }

  private part(part: Part, own: string): Node {
    if (typeof part === "string") return document.createTextNode(part);
    const { name } = part;
    if (name === own) return el("code", {}, `%${name}`);
    const link = el("button", { type: "button", class: "name", title: `History of %${name}` }, `%${name}`);
    link.addEventListener("click", () => this.show(name));
    return link;
  }

  /** The module after that pass, around the instruction; made when it is opened. */
  private module(event: PassEvent): HTMLElement {
    const made = el("details", {}, el("summary", {}, "Module text here"));
    made.addEventListener("toggle", () => {
      if (made.open && made.children.length === 1) made.append(...around(this.all, event));
    });
    return made;
  }

  /** Goes to the next or the previous event, by keys or buttons. */
  step(by: number): void {
    if (this.element.hidden) this.toggle();
    const items = [...this.list.children] as HTMLElement[];
    const to = Math.min(Math.max(this.at + by, 0), items.length - 1);
    items[to]?.focus();
  }

  private mark(at: number): void {
    this.at = at;
    [...this.list.children].forEach((item, number) => {
      if (number === at) item.setAttribute("aria-current", "step");
      else item.removeAttribute("aria-current");
    });
  }
}

/** The lines before and after; what an instruction was made of, or what is in its place, stands on the other side. */
function difference({ event, before, after, replacements }: PassEvent): HTMLElement[] {
  const known = replacements.filter(({ how }) => how !== "unknown").flatMap(({ lines }) => lines);
  const others = [...new Set(known)];
  if (event === "given" || event === "moved") return [el("pre", { class: "lines", tabindex: "0" }, line(" ", [{ text: after!, isOther: false }]))];
  const [old, made] = [before === null ? others : [before], after === null ? others : [after]];
  const pair = old.length === 1 && made.length === 1 ? compared(old[0]!, made[0]!) : null;
  const removed = pair ? [line("-", pair[0])] : old.map((text) => line("-", [{ text, isOther: false }]));
  const added = pair ? [line("+", pair[1])] : made.map((text) => line("+", [{ text, isOther: false }]));
  return [el("pre", { class: "lines", tabindex: "0" }, ...removed, ...added)];
}

function line(sign: string, words: Word[]): HTMLElement {
  const tag = sign === "-" ? "del" : "ins";
  const shown = words.map(({ text, isOther }) => (isOther ? el("b", {}, text) : text));
  return sign === " " ? el("span", {}, "  ", ...shown, "\n") : el(tag, {}, `${sign} `, ...shown, "\n");
}

function around(passes: Passes, { version, instruction, computation }: PassEvent): HTMLElement[] {
  const { lines, at } = passes.around(version, instruction);
  const [from, to] = [Math.max(at - AROUND, 0), Math.min(at + AROUND + 1, lines.length)];
  const where = from || to < lines.length ? `lines ${from + 1} to ${to} of ${lines.length} of` : "all of";
  const shown = lines.slice(from, to).map((text, number) => {
    const indented = `${from + number ? "  " : ""}${text}\n`;
    return from + number === at ? el("mark", {}, indented) : indented;
  });
  const text = el("pre", { class: "lines", tabindex: "0", "aria-label": `Module text after the pass` }, ...shown);
  return [el("p", { class: "muted" }, `After the pass: ${where} %${computation}`), text];
}
