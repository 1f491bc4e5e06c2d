/** What is drawn over a text: marks of lines, hits of the search, colours. Of the lines on the screen alone. */
import { type Extension, type Line, RangeSetBuilder, StateEffect, StateField } from "@codemirror/state";
import { Decoration, type DecorationSet, type EditorView, ViewPlugin, type ViewUpdate } from "@codemirror/view";

import { insideStrings, tokens } from "./languages.ts";
import { type Marks, NONE, STRONG } from "./links.ts";
import { firstFrom, type Hit } from "./search.ts";

/** The marks of a pane's lines, the chosen line if it is there, and the one stepped to. */
export interface Marking {
  marks: Marks;
  chosen: number | null;
  step: number | null;
}

/** The hits of a pane, and the number of the one stepped to. */
export interface Found {
  hits: readonly Hit[];
  current: number;
}

export const setMarking = StateEffect.define<Marking>();
export const setFound = StateEffect.define<Found>();

const marking = held<Marking>(setMarking, { marks: new Uint8Array(), chosen: null, step: null });
const found = held<Found>(setFound, { hits: [], current: -1 });

function held<T>(effect: ReturnType<typeof StateEffect.define<T>>, first: T): StateField<T> {
  return StateField.define<T>({
    create: () => first,
    update: (value, { effects }) => effects.reduce((last, one) => (one.is(effect) ? one.value : last), value),
  });
}

export function marks(): Extension {
  return [marking, drawn(marked, (update) => changed(update, marking))];
}

export function searchHits(): Extension {
  return [found, drawn(hit, (update) => changed(update, found))];
}

export function colours(language: string, text: string): Extension {
  const inside = insideStrings(language, text);
  return drawn((view) => coloured(view, language, inside), () => false);
}

function changed(update: ViewUpdate, field: StateField<unknown>): boolean {
  return update.startState.field(field) !== update.state.field(field);
}

/** A plugin that builds its decorations anew when other lines come into view, and when `on` says so. */
export function drawn(build: (view: EditorView) => DecorationSet, on: (update: ViewUpdate) => boolean): Extension {
  class Drawn {
    decorations: DecorationSet;
    constructor(view: EditorView) {
      this.decorations = build(view);
    }
    update(update: ViewUpdate): void {
      if (update.viewportChanged || on(update)) this.decorations = build(update.view);
    }
  }
  return ViewPlugin.fromClass(Drawn, { decorations: (plugin) => plugin.decorations });
}

/** Each line once, also where the editor leaves out the middle of a long one. */
export function* visible(view: EditorView): Generator<Line> {
  let next = 0;
  for (const { from, to } of view.visibleRanges) {
    for (let at = Math.max(from, next); at <= to; at = next) {
      const line = view.state.doc.lineAt(at);
      yield line;
      next = line.to + 1;
    }
  }
}

function marked(view: EditorView): DecorationSet {
  const { marks, chosen, step } = view.state.field(marking);
  const built = new RangeSetBuilder<Decoration>();
  for (const { number, from } of visible(view)) {
    const line = number - 1;
    const mark = marks[line] ?? NONE;
    const names = [mark === NONE ? "" : mark === STRONG ? "strong" : "weak"];
    if (line === chosen) names.push("chosen");
    if (line === step) names.push("step");
    const name = names.filter(Boolean).join(" ");
    if (name) built.add(from, from, lined(name));
  }
  return built.finish();
}

function hit(view: EditorView): DecorationSet {
  const { hits, current } = view.state.field(found);
  const built = new RangeSetBuilder<Decoration>();
  let next = 0;
  for (const { from, to } of view.visibleRanges) {
    for (next = Math.max(next, firstFrom(hits, from)); next < hits.length && hits[next]!.from <= to; next++) {
      built.add(hits[next]!.from, hits[next]!.to, classed(next === current ? "hit current" : "hit"));
    }
  }
  return built.finish();
}

function coloured(view: EditorView, language: string, inside: ReadonlySet<number>): DecorationSet {
  const built = new RangeSetBuilder<Decoration>();
  for (const { number, from, text } of visible(view)) {
    if (inside.has(number - 1) && text) built.add(from, from + text.length, classed("string"));
    else for (const token of tokens(language, text)) built.add(from + token.from, from + token.to, classed(token.kind));
  }
  return built.finish();
}

export const lined = once((name) => Decoration.line({ class: name }));
export const classed = once((name) => Decoration.mark({ class: name }));

/** A decoration for each class, made once. */
function once(make: (name: string) => Decoration): (name: string) => Decoration {
  const known = new Map<string, Decoration>();
  return (name) => {
    if (!known.has(name)) known.set(name, make(name));
    return known.get(name)!;
  };
}
