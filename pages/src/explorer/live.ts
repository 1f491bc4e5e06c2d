/** A page that is served asks for later versions of itself, shows them in the same view, and marks what changed. */
import { matched, numbered, others } from "./changes.ts";
import { el } from "./dom.ts";
import type { At, Exploration } from "./exploration.ts";
import type { Search } from "./finder.ts";
import type { Texts } from "./texts.ts";

/** Milliseconds between two questions. */
const PAUSE = 1_000;
const KEY = "jitinspect-before";
const ENDED = "The server has ended: this page stays as it is.";

/** What the server tells. */
interface Told {
  version: number;
  /** What made this version. */
  told: string;
  /** What failed since, as in the terminal. */
  error: string | null;
}

/** What a pane was like: its lines as numbers, the first one on the screen, the chosen one, and those folded. */
interface Before {
  lines: number[];
  folded: number[];
  top: number | null;
  chosen: number | null;
}

/** Of a version that another one takes the place of: what that one says first, and the panes by their names. */
interface Kept {
  told: string;
  active: string;
  isEntered: boolean;
  search: Search;
  panes: Record<string, Before>;
}

/** In a pane: the lines that are new or others, and how many are gone. */
export interface Change {
  lines: number[];
  gone: number;
}

/** What the page's address does not say. */
export interface View {
  at: At | null;
  active: number;
  /** Whether the keyboard is in that pane. */
  isEntered: boolean;
  search: Search;
  /** The first line on the screen, of each pane that is there. */
  tops: Map<number, number>;
  /** The first lines of what is folded, of each pane where something is. */
  folded: Map<number, number[]>;
}

export interface Host {
  /** What is shown now; the rest is to be in the address. */
  left(): View;
  /** A later version was loaded, which is to go on there. `changes` has the panes that are not as before. */
  arrived(told: string, changes: Map<number, Change>, view: View): void;
}

export class Live {
  private readonly version: number;
  private readonly exploration: Exploration;
  private readonly texts: Texts;
  private readonly host: Host;
  private readonly bar = el("pre", { class: "failed", role: "alert", hidden: "" });

  constructor(version: number, exploration: Exploration, texts: Texts, host: Host) {
    this.version = version;
    this.exploration = exploration;
    this.texts = texts;
    this.host = host;
  }

  start(): void {
    document.body.prepend(this.bar);
    const kept = taken();
    if (kept) this.goOn(kept);
    void this.ask();
  }

  private async ask(): Promise<void> {
    try {
      const told = (await (await fetch("version")).json()) as Told;
      if (told.version !== this.version) return this.reload(told.told);
      this.show(told.error);
    } catch {
      this.show(ENDED);
    }
    setTimeout(() => void this.ask(), PAUSE);
  }

  private show(error: string | null): void {
    if (this.bar.textContent !== (error ?? "")) this.bar.textContent = error ?? "";
    this.bar.hidden = error === null;
  }

  private reload(told: string): void {
    const { at, active, isEntered, search, tops, folded } = this.host.left();
    const panes = this.exploration.panes.map(({ name }, pane): [string, Before] => {
      const chosen = at?.pane === pane ? at.line : null;
      const lines = this.lines(pane);
      return [name, { lines, top: tops.get(pane) ?? null, chosen, folded: folded.get(pane) ?? [] }];
    });
    const { name } = this.exploration.panes[active]!;
    keep({ told, active: name, isEntered, search, panes: Object.fromEntries(panes) });
    location.reload();
  }

  private goOn({ told, active, isEntered, search, panes }: Kept): void {
    const changes = new Map<number, Change>();
    const tops = new Map<number, number>();
    const folded = new Map<number, number[]>();
    let at: At | null = null;
    this.exploration.panes.forEach(({ name }, pane) => {
      const before = panes[name];
      if (!before) return;
      const now = this.lines(pane);
      const places = matched(before.lines, now);
      const gone = places.filter((place) => place === -1).length;
      if (gone || now.length !== places.length) changes.set(pane, { lines: others(places, now.length), gone });
      folded.set(pane, before.folded.map((line) => places[line]!).filter((line) => line >= 0));
      if (before.top !== null) tops.set(pane, near(places, before.top));
      if (before.chosen !== null) at = { pane, line: near(places, before.chosen) };
    });
    const number = this.exploration.panes.findIndex(({ name }) => name === active);
    this.host.arrived(told, changes, { at, active: Math.max(number, 0), isEntered, search, tops, folded });
  }

  private lines(pane: number): number[] {
    const { language, unavailable } = this.exploration.panes[pane]!;
    return unavailable === null ? numbered(language, this.texts.lines(pane)) : [];
  }
}

/** Where a line is now; if it is gone, behind the nearest one above it that is not. */
export function near(places: Int32Array, line: number): number {
  let above = line;
  while (above >= 0 && places[above] === -1) above--;
  return above < 0 ? 0 : places[above]! + (above < line ? 1 : 0);
}

/** For the page that comes next, in this tab. */
function keep(kept: Kept): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(kept));
  } catch {
    // too large, or not allowed: the next version comes without marks
  }
}

function taken(): Kept | null {
  try {
    const kept = sessionStorage.getItem(KEY);
    sessionStorage.removeItem(KEY);
    return kept === null ? null : (JSON.parse(kept) as Kept);
  } catch {
    return null;
  }
}
