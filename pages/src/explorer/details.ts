/** What there is to tell of a line: its type, its costs, where it comes from. */
import { el } from "./dom.ts";
import type { At, Exploration } from "./exploration.ts";
import { costsOf } from "./heat.ts";
import { type Operation, operation } from "./languages.ts";
import type { Links } from "./links.ts";
import type { Texts } from "./texts.ts";

/** Names and places that are written out. */
const MOST = 8;

export class Details {
  private readonly exploration: Exploration;
  private readonly links: Links;
  private readonly texts: Texts;
  private readonly costs: Map<number, string>[] = [];

  constructor(exploration: Exploration, texts: Texts, links: Links) {
    this.exploration = exploration;
    this.texts = texts;
    this.links = links;
  }

  operation(at: At): Operation | undefined {
    return operation(this.exploration.panes[at.pane]!.language, this.texts.line(at));
  }

  /** `104 M FLOPs · 3.99 MB`, or nothing. */
  cost({ pane, line }: At): string {
    return (this.costs[pane] ??= costsOf(this.exploration.panes[pane]!)).get(line) ?? "";
  }

  /** For a tooltip; `null` where nothing is known. */
  of(at: At): HTMLElement | null {
    const rows = [
      ["type", this.operation(at)?.type ?? ""],
      ["costs", this.cost(at)],
      ["operation", cut(this.names(at), ", ")],
      ["Python", this.exploration.panes[at.pane]!.file === null ? cut(this.places(at), "\n") : ""],
    ].filter(([, value]) => value);
    const cells = rows.flatMap(([name, value]) => [el("dt", {}, name!), el("dd", {}, value!)]);
    return rows.length ? el("div", { class: "details" }, el("dl", {}, ...cells)) : null;
  }

  private names(at: At): string[] {
    return [...new Set(this.links.origins(at).map((origin) => this.exploration.origins[origin]!.op))].filter(Boolean);
  }

  /** The stacks of its operations, innermost first. */
  private places(at: At): string[] {
    const places = new Set(this.links.origins(at).flatMap((origin) => this.exploration.origins[origin]!.places));
    return [...places].map((place) => {
      const { file, line } = this.exploration.places[place]!;
      return `${this.exploration.files[file]}:${line}`;
    });
  }
}

function cut(words: string[], between: string): string {
  const left = words.length - MOST;
  return [...words.slice(0, MOST), ...(left > 0 ? [`… ${left} more`] : [])].join(between);
}
