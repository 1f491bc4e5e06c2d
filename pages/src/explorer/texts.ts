/** The lines of each text, split once, when first asked for. */
import type { At, Exploration } from "./exploration.ts";
import { begins } from "./languages.ts";
import { lines, type Marks } from "./links.ts";

export class Texts {
  private readonly exploration: Exploration;
  private readonly split: string[][] = [];

  constructor(exploration: Exploration) {
    this.exploration = exploration;
  }

  lines(pane: number): string[] {
    return (this.split[pane] ??= this.exploration.panes[pane]!.text.split("\n"));
  }

  line({ pane, line }: At): string {
    return this.lines(pane)[line] ?? "";
  }

  /** The lines with a mark; where an operation has several lines, its first one. */
  marked(pane: number, marks: Marks, mark: number): number[] {
    const { language } = this.exploration.panes[pane]!;
    const all = lines(marks, mark);
    const first = all.filter((line) => begins(language, this.line({ pane, line })));
    return first.length ? first : all;
  }
}
