/** Beside a text, where in all of it the marked lines are: a strip as high as the pane, to click on. */
import { el } from "./dom.ts";
import { type Marks, STRONG, WEAK } from "./links.ts";

/** As many as can be told apart. */
export const ROWS = 400;

/** The strongest mark of the lines that each row stands for. */
export function rows(marks: Marks): Marks {
  const found = new Uint8Array(Math.min(ROWS, marks.length));
  for (let line = 0; line < marks.length; line++) {
    const row = Math.floor((line * found.length) / marks.length);
    if (marks[line]! > found[row]!) found[row] = marks[line]!;
  }
  return found;
}

/** For the pointer alone: with the keyboard one steps through the lines. */
export class Overview {
  readonly element = el("div", { class: "overview", "aria-hidden": "true" });
  private readonly svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  private readonly paths = new Map([WEAK, STRONG].map((mark) => [mark, this.path(mark === STRONG ? "strong" : "weak")]));

  /** `went` gets a part of the text, from 0 to 1. */
  constructor(went: (part: number) => void) {
    this.svg.setAttribute("preserveAspectRatio", "none");
    this.svg.append(...this.paths.values());
    this.element.append(this.svg);
    this.element.addEventListener("click", ({ clientY }) => {
      const { top, height } = this.element.getBoundingClientRect();
      went((clientY - top) / height);
    });
  }

  draw(marks: Marks): void {
    const found = rows(marks);
    this.svg.setAttribute("viewBox", `0 0 1 ${found.length || 1}`);
    for (const [mark, path] of this.paths) path.setAttribute("d", bars(found, mark));
  }

  private path(name: string): SVGPathElement {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("class", name);
    return path;
  }
}

function bars(rows: Marks, mark: number): string {
  return Array.from(rows, (of, row) => (of === mark ? `M0,${row}h1v1h-1z` : "")).join("");
}
