/** Calls and their stages over time, a lane for each thread: zoomed and walked by keys, buttons and the mouse. */
import { element } from "../shared/elements.ts";
import { duration, whole } from "../shared/words.ts";
import { boxes, lanesOf, ticks, within, zoomed, type Box, type Lane } from "./layout.ts";
import type { Phase, Report, Timeline } from "./report.ts";
import type { Store } from "./state.ts";

const LINE = 22;
const LANE_GAP = 22;
const PHASES: Phase[] = ["call", "trace", "lower", "compile"];

export interface Chart {
  element: HTMLElement;
  /** Rows that are not shown fade. */
  update(shown: Uint8Array): void;
}

export function chart(report: Report, store: Store, showRow: (row: number) => void): Chart {
  const heading = element("h2", { id: "timeline" }, "Timeline");
  const section = element("section", { "aria-labelledby": "timeline" }, heading);
  if (report.timeline === null) {
    section.append(element("p", { class: "muted" }, report.no_timeline));
    return { element: section, update: () => {} };
  }
  const drawn = new Drawing(report, report.timeline, store, showRow);
  section.append(drawn.tools, drawn.told, drawn.frame, drawn.help);
  return { element: section, update: (shown) => drawn.update(shown) };
}

class Drawing {
  readonly tools: HTMLElement;
  readonly told = element("p", { class: "told" });
  readonly frame: HTMLElement;
  readonly help = element("p", { class: "muted keys" });
  readonly #canvas = element("div", { class: "events" });
  readonly #axis = element("div", { class: "axis", "aria-hidden": "true" });
  readonly #lanes: Lane[];
  readonly #all: readonly [number, number];
  readonly #internal: Set<number>;
  readonly #disk: Set<number>;
  readonly #report: Report;
  readonly #timeline: Timeline;
  readonly #store: Store;
  readonly #showRow: (row: number) => void;
  #shown: Uint8Array | null = null;
  #current: number;
  #waiting = false;
  #drag: { x: number; view: readonly [number, number]; moved: boolean } | null = null;

  constructor(report: Report, timeline: Timeline, store: Store, showRow: (row: number) => void) {
    [this.#report, this.#timeline, this.#store, this.#showRow] = [report, timeline, store, showRow];
    this.#lanes = lanesOf(timeline);
    this.#all = extent(timeline);
    [this.#internal, this.#disk] = [new Set(timeline.internal), new Set(timeline.disk)];
    this.#current = longest(timeline);
    this.tools = this.#tools();
    this.frame = element("div", { class: "timeline", role: "group", "aria-label": "Traces, lowerings and compilations over time, by thread" }, this.#axis, this.#canvas);
    const keys = [["←", "→", "go through the events"], ["+", "−", "zoom"], ["a", "d", "move"], ["0", "shows all"], ["Enter", "shows the call"]];
    this.help.append(...keys.flatMap((words) => [...words.slice(0, -1).map((key) => element("kbd", {}, key)), ` ${words.at(-1)} · `]), "drag to move, Ctrl and the wheel to zoom.");
    this.#listen();
    store.on((changed) => "view" in changed && this.draw());
    new ResizeObserver(() => this.draw()).observe(this.frame);
    this.#tell(this.#current);
  }

  update(shown: Uint8Array): void {
    this.#shown = shown;
    this.draw();
  }

  /** At the next frame, however often it is asked for. */
  draw(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    requestAnimationFrame(() => {
      this.#waiting = false;
      this.#draw();
    });
  }

  get #view(): readonly [number, number] {
    return within(this.#store.state.view ?? this.#all, this.#all);
  }

  #tools(): HTMLElement {
    const button = (text: string, name: string, click: () => void) => element("button", { type: "button", "aria-label": name, title: name, click }, text);
    const legend = PHASES.map((phase) => element("span", { class: "legend" }, element("i", { class: `swatch ${phase}` }), phase));
    return element(
      "div",
      { class: "tools" },
      button("←", "Move to earlier", () => this.#move(-0.4)),
      button("→", "Move to later", () => this.#move(0.4)),
      button("+", "Zoom in", () => this.#zoom(0.5)),
      button("−", "Zoom out", () => this.#zoom(2)),
      button("All", "Show all of the timeline", () => this.#see(this.#all)),
      element("span", { class: "legends" }, ...legend, element("span", { class: "legend" }, element("i", { class: "swatch call avoidable" }), "avoidable"), element("span", { class: "legend" }, element("i", { class: "swatch internal" }), "by JAX itself")),
    );
  }

  #draw(): void {
    const [from, to] = this.#view;
    const width = this.#canvas.clientWidth, pixel = (to - from) / Math.max(width, 1);
    if (!width) return;
    const at = (time: number) => (time - from) / pixel;
    this.#axis.replaceChildren(...ticks(from, to, width / 80).map((time) => placed(element("span", { class: "tick" }, mark(time, to - from)), at(time), 0)));
    const hadFocus = this.#canvas.contains(document.activeElement);
    const made: HTMLElement[] = [];
    let hasCurrent = false;
    this.#lanes.forEach((lane, number) => {
      const top = lane.top * LINE + number * LANE_GAP;
      made.push(placed(element("div", { class: "lane" }, lane.name), 0, top));
      lane.lines.forEach((line, depth) => {
        for (const box of boxes(line, this.#timeline, from, to, 2 * pixel)) {
          const left = Math.max(at(box.from), -2), right = Math.min(at(box.to), width + 2);
          const one = placed(this.#box(box), left, top + LANE_GAP - 4 + depth * LINE);
          one.style.width = `${Math.max(right - left, 2)}px`;
          if (right - left < 24) one.replaceChildren();
          if (box.events.includes(this.#current)) {
            hasCurrent = true;
            one.tabIndex = 0;
            one.classList.add("current");
          }
          made.push(one);
        }
      });
    });
    const last = this.#lanes.at(-1)!;
    this.#canvas.style.height = `${(last.top + Math.max(last.lines.length, 1)) * LINE + this.#lanes.length * LANE_GAP + 4}px`;
    if (!hasCurrent) made.find((one) => one.classList.contains("event"))?.setAttribute("tabindex", "0");
    this.#canvas.replaceChildren(...made);
    if (hadFocus) this.#canvas.querySelector<HTMLElement>(".event[tabindex='0']")?.focus({ preventScroll: true });
  }

  #box(box: Box): HTMLElement {
    const at = box.events[0]!;
    const phase = this.#timeline.phase[at]!, row = this.#timeline.row[at]!;
    const isMany = box.events.length > 1;
    const made = element("div", { role: "button", tabindex: -1, class: `event ${phase}`, "aria-label": isMany ? this.#many(box) : this.#words(at).join(", ") });
    made.dataset.event = String(at);
    if (isMany) made.dataset.many = `${box.from}~${box.to}`;
    made.classList.toggle("many", isMany);
    made.classList.toggle("internal", this.#internal.has(at));
    made.classList.toggle("avoidable", phase === "call" && this.#report.columns.avoidable[row] === 1);
    made.classList.toggle("faded", this.#shown !== null && row >= 0 && !this.#shown[row]);
    made.append(phase === "call" || this.#internal.has(at) ? this.#timeline.names[this.#timeline.name[at]!]! : phase);
    return made;
  }

  #many(box: Box): string {
    return `${whole(box.events.length)} events in ${duration(box.to - box.from)}: Enter zooms in`;
  }

  /** Its stage and name, time, place and cause. */
  #words(at: number): string[] {
    const { phase, name, names, seconds, row } = this.#timeline;
    const of = this.#report;
    const words = [`${phase[at]} ${names[name[at]!]}`, duration(seconds[at]!)];
    if (this.#internal.has(at)) words.push("by JAX itself");
    if (this.#disk.has(at)) words.push("from disk");
    if (row[at]! < 0) return words;
    const call = row[at]!;
    if (phase[at] !== "call") words.push(of.signatures[of.columns.signature[call]!]!);
    const site = of.sites[of.columns.site[call]!];
    const { reasons, work } = of.differences[of.columns.difference[call]!]!;
    const status = of.statuses[of.columns.status[call]!]!;
    return [...words, ...(site ? [site] : []), status, ...(work ? [work] : []), ...reasons.map((one) => of.reasons[one]!.text), ...(of.columns.avoidable[call] ? ["avoidable"] : [])];
  }

  #tell(at: number, box?: HTMLElement): void {
    const [first, ...more] = box?.dataset.many ? [box.getAttribute("aria-label")!] : this.#words(at);
    this.told.replaceChildren(element("strong", {}, first!), element("br"), more.join(" · "));
  }

  #listen(): void {
    const canvas = this.#canvas;
    const under = (event: Event) => (event.target as HTMLElement).closest<HTMLElement>(".event");
    canvas.addEventListener("click", (event) => {
      const box = under(event);
      if (box && !this.#drag?.moved) this.#choose(box);
    });
    canvas.addEventListener("mouseover", (event) => {
      const box = under(event);
      if (box) this.#tell(Number(box.dataset.event), box);
    });
    canvas.addEventListener("mouseleave", () => this.#tell(this.#current));
    canvas.addEventListener("focusin", (event) => {
      const box = under(event);
      if (!box) return;
      if (!box.classList.contains("current")) {
        this.#current = Number(box.dataset.event);
        canvas.querySelectorAll(".current").forEach((one) => one.classList.remove("current"));
        box.classList.add("current");
        canvas.querySelectorAll<HTMLElement>(".event[tabindex='0']").forEach((one) => (one.tabIndex = -1));
        box.tabIndex = 0;
      }
      this.#tell(this.#current, box);
    });
    this.frame.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    this.frame.addEventListener("keydown", (event) => this.#key(event));
    this.#listenToDrags();
  }

  #listenToDrags(): void {
    const canvas = this.#canvas;
    canvas.addEventListener("pointerdown", (event) => {
      this.#drag = { x: event.clientX, view: this.#view, moved: false };
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!this.#drag || !(event.buttons & 1)) return;
      const moved = event.clientX - this.#drag.x;
      if (!this.#drag.moved && Math.abs(moved) < 4) return;
      if (!this.#drag.moved) canvas.setPointerCapture(event.pointerId);
      this.#drag.moved = true;
      const [from, to] = this.#drag.view;
      const by = (moved * (to - from)) / canvas.clientWidth;
      this.#see([from - by, to - by]);
    });
  }

  #choose(box: HTMLElement): void {
    const row = this.#timeline.row[Number(box.dataset.event)]!;
    if (box.dataset.many) {
      const [from, to] = box.dataset.many.split("~").map(Number) as [number, number];
      this.#see([from - (to - from), to + (to - from)]);
    } else if (row >= 0) this.#showRow(row);
    else box.focus();
  }

  #wheel(event: WheelEvent): void {
    const isSideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (!event.ctrlKey && !event.metaKey && !isSideways) return;
    event.preventDefault();
    if (isSideways) return this.#move((event.deltaX || event.deltaY) / this.#canvas.clientWidth);
    const [from, to] = this.#view;
    const share = (event.clientX - this.#canvas.getBoundingClientRect().left) / this.#canvas.clientWidth;
    this.#see(zoomed(this.#view, 1.002 ** event.deltaY, from + share * (to - from), this.#all));
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const box = (event.target as HTMLElement).closest<HTMLElement>(".event");
    const keys: Record<string, () => void> = {
      ArrowLeft: () => this.#step(-1),
      ArrowRight: () => this.#step(1),
      ArrowUp: () => this.#step(-1, true),
      ArrowDown: () => this.#step(1, true),
      "+": () => this.#zoom(0.5),
      "=": () => this.#zoom(0.5),
      w: () => this.#zoom(0.5),
      "-": () => this.#zoom(2),
      s: () => this.#zoom(2),
      a: () => this.#move(-0.25),
      d: () => this.#move(0.25),
      "0": () => this.#see(this.#all),
      Enter: () => box && this.#choose(box),
      " ": () => box && this.#choose(box),
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]!();
  }

  /** To the next event of the same line, or with `isAcross` to the next of all, whatever the lane. */
  #step(by: 1 | -1, isAcross = false): void {
    const line = isAcross ? null : this.#lanes[this.#timeline.lane[this.#current]!]!.lines.find((one) => one.includes(this.#current));
    const next = line ? line[line.indexOf(this.#current) + by] : this.#current + by;
    if (next === undefined || next < 0 || next >= this.#timeline.began.length) return;
    this.#current = next;
    this.#bringIntoView(next);
    this.#draw();
    this.#canvas.querySelector<HTMLElement>(".event.current")?.focus();
    this.#tell(next);
  }

  #bringIntoView(at: number): void {
    const [from, to] = this.#view, began = this.#timeline.began[at]!, middle = began + this.#timeline.seconds[at]! / 2;
    if (began >= from && began <= to) return;
    this.#see([middle - (to - from) / 2, middle + (to - from) / 2]);
  }

  /** Around the current event, if that is seen. */
  #zoom(factor: number): void {
    const [from, to] = this.#view;
    const middle = this.#timeline.began[this.#current]! + this.#timeline.seconds[this.#current]! / 2;
    const around = middle > from && middle < to ? middle : (from + to) / 2;
    this.#see(zoomed(this.#view, factor, around, this.#all));
  }

  #move(share: number): void {
    const [from, to] = this.#view, by = share * (to - from);
    this.#see([from + by, to + by]);
  }

  #see(view: readonly [number, number]): void {
    const [from, to] = within(view, this.#all);
    const isAll = to - from >= this.#all[1] - this.#all[0];
    this.#store.update({ view: isAll ? null : [from, to] });
  }
}

/** From the first event to the last one's end, with some room. */
function extent(timeline: Timeline): [number, number] {
  let from = Infinity, to = -Infinity;
  timeline.began.forEach((began, at) => {
    from = Math.min(from, began);
    to = Math.max(to, began + timeline.seconds[at]!);
  });
  const room = Math.max(to - from, 1e-6) / 100;
  return [from - room, to + room];
}

function longest(timeline: Timeline): number {
  let found = 0;
  timeline.seconds.forEach((seconds, at) => {
    if (seconds > timeline.seconds[found]! && timeline.row[at]! >= 0) found = at;
  });
  return found;
}

function placed(made: HTMLElement, left: number, top: number): HTMLElement {
  made.style.left = `${left}px`;
  made.style.top = `${top}px`;
  return made;
}

/** With as many digits as the marks beside it need. */
function mark(time: number, length: number): string {
  const [unit, one] = length < 2e-3 ? ["µs", 1e-6] : length < 2 ? ["ms", 1e-3] : ["s", 1];
  const digits = length / (one as number) < 20 ? 1 : 0;
  return `${(time / (one as number)).toFixed(digits)} ${unit}`;
}
