/** A flame graph: a tree of boxes as wide as the time they took, each below the one around it. */
import { element } from "./elements.ts";

/** Columns with an item for each box, a box before those inside it; `frames` are the names. */
export interface Flames {
  frames: string[];
  frame: number[];
  depth: number[];
  seconds: number[];
}

interface Box {
  name: string;
  depth: number;
  seconds: number;
  began: number;
  /** Where the next box inside it begins. */
  filled: number;
  around: Box | null;
  inner: Box[];
}

const ABOUT = `A box is as wide as the time it took, and lies below the one around it: the widest are on the left,
which is not an order in time. Click one to enlarge it.`;
const KEYS = [["←", "↑", "↓", "→", "move"], ["Enter", "enlarges"], ["Esc", "shows all"], ["/", "searches"]];

/** Fills the section, which is in the document already. */
export function flames(section: HTMLElement, data: Flames): void {
  const boxes = read(data), all = boxes[0];
  if (all) new Graph(section, boxes, all).draw();
}

function read({ frames, frame, depth, seconds }: Flames): Box[] {
  const path: Box[] = [];
  return depth.map((level, at) => {
    const around = path[level - 1] ?? null;
    const began = around ? around.filled : 0;
    const box: Box = { name: frames[frame[at]!]!, depth: level, seconds: seconds[at]!, began, filled: began, around, inner: [] };
    if (around) {
      around.filled += box.seconds;
      around.inner.push(box);
    }
    return (path[level] = box);
  });
}

class Graph {
  readonly #boxes: Box[];
  readonly #all: Box;
  readonly #graph = element("div", { class: "flames-graph", role: "tree", "aria-label": "Time by stack" });
  readonly #search = element("input", { type: "search", class: "flames-search", placeholder: "Search", "aria-label": "Search the boxes" });
  readonly #reset = element("button", { type: "button", class: "flames-reset", disabled: true }, "Show all");
  readonly #found = element("output", { class: "flames-found" });
  readonly #told = element("p", { class: "flames-told" });
  /** Of the boxes that are drawn. */
  readonly #elements = new Map<Box, HTMLElement>();
  readonly #drawn = new WeakMap<Element, Box>();
  #zoomed: Box;
  #current: Box;
  #matching = new Set<Box>();

  constructor(section: HTMLElement, boxes: Box[], all: Box) {
    [this.#boxes, this.#all, this.#zoomed, this.#current] = [boxes, all, all, all];
    const keys = KEYS.flatMap((words) => [...words.slice(0, -1).flatMap((key) => [element("kbd", {}, key), " "]), `${words.at(-1)}, `]);
    const last = keys.pop() as string;
    const tools = element("div", { class: "flames-tools" }, this.#search, this.#reset, this.#found);
    const about = element("p", { class: "muted" }, `${ABOUT} `, ...keys, last.replace(", ", "."));
    section.append(element("h2", {}, "Flame graph"), tools, this.#told, this.#graph, about);
    this.#listen();
  }

  draw(): void {
    const pixel = this.#zoomed.seconds / Math.max(this.#graph.clientWidth, 1);
    const around = outwards(this.#zoomed).reverse(), drawn = [...around, ...inwards(this.#zoomed, 0.7 * pixel)];
    this.#elements.clear();
    drawn.forEach((box, at) => this.#elements.set(box, this.#element(box, at < around.length, pixel)));
    this.#graph.replaceChildren(...this.#elements.values());
    const deepest = drawn.reduce((most, box) => Math.max(most, box.depth), 0);
    this.#graph.style.height = `calc(${deepest + 1} * var(--row))`;
    this.#reset.disabled = this.#zoomed === this.#all;
    this.#choose(this.#elements.has(this.#current) ? this.#current : this.#zoomed);
  }

  #element(box: Box, isAround: boolean, pixel: number): HTMLElement {
    const isNamed = isAround || box.seconds > 24 * pixel;
    const made = element(
      "div",
      {
        class: "flame",
        tabindex: -1,
        role: "treeitem",
        "aria-level": box.depth + 1,
        "aria-label": `${box.name}, ${duration(box.seconds)}, ${share(box, this.#all)}`,
        "aria-expanded": box.inner.length ? "true" : undefined,
      },
      ...(isNamed ? [box.name, element("span", { class: "muted" }, `  ${duration(box.seconds)}`)] : []),
    );
    made.classList.toggle("around", isAround);
    made.classList.toggle("whole", box === this.#all);
    made.classList.toggle("found", this.#matching.has(box));
    made.style.left = `${isAround ? 0 : (100 * (box.began - this.#zoomed.began)) / this.#zoomed.seconds}%`;
    made.style.width = `${isAround ? 100 : (100 * box.seconds) / this.#zoomed.seconds}%`;
    made.style.top = `calc(${box.depth} * var(--row))`;
    made.style.setProperty("--hue", String(hue(box.name)));
    if (box.seconds < 2.5 * pixel) made.style.borderWidth = "0";
    if (!isNamed) made.style.padding = "0";
    this.#drawn.set(made, box);
    return made;
  }

  #tell(box: Box): void {
    const own = box.seconds - (box.filled - box.began);
    const parts = [duration(box.seconds)];
    if (box !== this.#all) parts.push(`${share(box, this.#all)} of all`);
    if (box.around && box.around !== this.#all) parts.push(`${share(box, box.around)} of ${box.around.name}`);
    if (box.inner.length && own > 1e-3 * box.seconds) parts.push(`${duration(own)} of it itself`);
    this.#told.replaceChildren(element("strong", {}, box.name), element("br"), parts.join(" · "));
  }

  /** The box that the keyboard is at: the only one that Tab stops at. */
  #choose(box: Box): void {
    this.#elements.get(this.#current)?.setAttribute("tabindex", "-1");
    this.#current = box;
    this.#elements.get(box)?.setAttribute("tabindex", "0");
    this.#tell(box);
  }

  #zoom(box: Box): void {
    const hadFocus = this.#graph.contains(document.activeElement);
    this.#zoomed = this.#current = box;
    this.draw();
    if (hadFocus) this.#elements.get(box)?.focus();
  }

  #go(box: Box | null | undefined): void {
    if (!box) return;
    if (!this.#elements.has(box) && box.around) this.#zoom(box.around);
    if (!this.#elements.has(box)) this.#zoom(box);
    this.#elements.get(box)?.focus();
  }

  /** The next box to the right, or with -1 to the left, that is as deep. */
  #beside(box: Box, step: 1 | -1): Box | undefined {
    const level = [...this.#elements.keys()].filter((one) => one.depth === box.depth);
    return level[level.indexOf(box) + step];
  }

  #find(): void {
    const wanted = this.#search.value.trim().toLowerCase();
    const matches = (box: Box) => box !== this.#all && box.name.toLowerCase().includes(wanted);
    const found = (this.#matching = new Set(wanted ? this.#boxes.filter(matches) : []));
    this.#graph.classList.toggle("searching", Boolean(wanted));
    const outermost = [...found].filter((box) => !outwards(box).some((one) => found.has(one)));
    const seconds = outermost.reduce((sum, box) => sum + box.seconds, 0);
    const told = `${found.size} ${found.size === 1 ? "box" : "boxes"}, ${duration(seconds)}, ${share({ seconds }, this.#all)}`;
    this.#found.textContent = wanted ? (found.size ? told : "nothing found") : "";
    for (const [box, made] of this.#elements) made.classList.toggle("found", found.has(box));
  }

  #listen(): void {
    const under = (event: Event) => {
      const made = (event.target as Element).closest(".flame");
      return made ? this.#drawn.get(made) : undefined;
    };
    const on = (name: string, act: (box: Box) => void) =>
      this.#graph.addEventListener(name, (event) => {
        const box = under(event);
        if (box) act(box);
      });
    on("click", (box) => this.#zoom(box));
    on("mouseover", (box) => this.#tell(box));
    on("focusin", (box) => this.#choose(box));
    this.#graph.addEventListener("mouseleave", () => this.#tell(this.#current));
    this.#reset.addEventListener("click", () => this.#zoom(this.#all));
    this.#search.addEventListener("input", () => this.#find());
    addEventListener("resize", () => this.draw());
    this.#graph.addEventListener("keydown", (event) => this.#key(event));
    this.#search.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.#go([...this.#matching].sort((one, other) => other.seconds - one.seconds)[0]);
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#zoom(this.#all);
      if (event.key !== "/" || event.target instanceof HTMLInputElement) return;
      event.preventDefault();
      this.#search.focus();
    });
  }

  #key(event: KeyboardEvent): void {
    const keys: Record<string, () => void> = {
      ArrowUp: () => this.#go(this.#current.around),
      ArrowDown: () => this.#go(this.#current.inner[0]),
      ArrowLeft: () => this.#go(this.#beside(this.#current, -1)),
      ArrowRight: () => this.#go(this.#beside(this.#current, 1)),
      Home: () => this.#go(this.#all),
      Enter: () => this.#zoom(this.#current),
      " ": () => this.#zoom(this.#current),
    };
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]!();
  }
}

function outwards(box: Box): Box[] {
  const path: Box[] = [];
  for (let one = box.around; one; one = one.around) path.push(one);
  return path;
}

function inwards(box: Box, least: number): Box[] {
  const drawn: Box[] = [], waiting = [box];
  for (let one = waiting.pop(); one; one = waiting.pop()) {
    drawn.push(one);
    for (const inner of one.inner.toReversed()) if (inner.seconds >= least) waiting.push(inner);
  }
  return drawn;
}

/** One colour for a file or a kind of operation: what a name begins with, up to its first number. */
function hue(name: string): number {
  let hash = 2166136261; // FNV-1a
  for (const letter of name.split(/[\d:.(]/)[0] || name) hash = Math.imul(hash ^ letter.codePointAt(0)!, 16777619);
  return (hash >>> 0) % 360;
}

function duration(seconds: number): string {
  const [unit, one] = ([["s", 1], ["ms", 1e-3], ["µs", 1e-6]] as const).find(([, one]) => seconds >= one) ?? ["ns", 1e-9];
  return `${Number((seconds / one).toPrecision(3))} ${unit}`;
}

function share(box: { seconds: number }, whole: Box): string {
  const percent = (100 * box.seconds) / whole.seconds;
  return `${percent < 0.1 ? "< 0.1" : percent.toFixed(1)} %`;
}
