/** A window with the operations that differ, and what they cost before and after. */
import { Window } from "../dialogs.ts";
import { el } from "../dom.ts";
import type { At, Exploration } from "../exploration.ts";
import { amount, size } from "../figures.ts";
import { operation } from "../languages.ts";
import type { Texts } from "../texts.ts";
import type { Compared, Rows } from "./comparison.ts";
import { type Difference, differences } from "./operations.ts";

/** Rows and places that are written out. */
const MOST = 200;
const PLACES = 2;

export class Costs {
  private readonly exploration: Exploration;
  private readonly compared: Compared;
  private readonly rows: Rows;
  private readonly texts: Texts;
  private readonly chosen: (at: At) => void;
  private window: Window | null = null;

  constructor(exploration: Exploration, compared: Compared, rows: Rows, texts: Texts, chosen: (at: At) => void) {
    this.exploration = exploration;
    this.compared = compared;
    this.rows = rows;
    this.texts = texts;
    this.chosen = chosen;
  }

  show(): void {
    if (!this.window) {
      this.window = new Window("Operations that differ");
      this.window.element.classList.add("costs");
      document.body.append(this.window.element);
    }
    this.window.show(...this.content());
  }

  private content(): Node[] {
    const all = differences(this.exploration, this.compared, this.rows);
    if (!all.length) return [el("p", {}, "What differs costs nothing.")];
    const names = ["", "operation", "FLOPs", "bytes", "line"].map((name) => el("th", { scope: "col" }, name));
    const rows = all.slice(0, MOST).map((one) => this.row(one));
    const left = all.length - rows.length;
    const more = left > 0 ? [el("p", { class: "muted" }, `… ${left.toLocaleString("en")} more`)] : [];
    return [el("table", {}, el("thead", {}, el("tr", {}, ...names)), el("tbody", {}, ...rows)), ...more];
  }

  private row({ at, sign, flops, bytes, places }: Difference): HTMLElement {
    const { name = "", op = "", type = "" } = operation(this.exploration.panes[at.pane]!.language, this.texts.line(at)) ?? {};
    const go = el("button", { type: "button" }, `${name} ${op}`.trim() || this.texts.line(at).trim());
    go.addEventListener("click", () => (this.window!.element.close(), this.chosen(at)));
    const lines = places.slice(0, PLACES).join(", ") + (places.length > PLACES ? ` and ${places.length - PLACES} more` : "");
    const kind = { "+": "added", "−": "removed", "±": "changed" }[sign];
    return el(
      "tr",
      {},
      el("td", { class: kind, title: kind }, sign),
      el("td", {}, go, el("span", { class: "muted" }, ` ${type}`)),
      el("td", { class: "number" }, between(flops, sign, amount)),
      el("td", { class: "number" }, between(bytes, sign, size)),
      el("td", { class: "muted" }, lines),
    );
  }
}

/** `1.00 M → 1.01 M`; one number where there is but one side, or no difference. */
function between([before, after]: [number, number], sign: string, shown: (number: number) => string): string {
  if (sign === "−" || before === after) return shown(before);
  return sign === "+" ? shown(after) : `${shown(before)} → ${shown(after)}`;
}
