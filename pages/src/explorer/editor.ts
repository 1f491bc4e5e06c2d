/** One text, as CodeMirror draws it: read with the keyboard, never written. */
import {
  cursorCharLeft,
  cursorCharRight,
  cursorDocEnd,
  cursorDocStart,
  cursorLineBoundaryBackward,
  cursorLineBoundaryForward,
  cursorLineDown,
  cursorLineUp,
  cursorPageDown,
  cursorPageUp,
  selectAll,
  selectLineDown,
  selectLineUp,
} from "@codemirror/commands";
import { Compartment, EditorState, type Extension, StateEffect, StateField, Text } from "@codemirror/state";
import {
  EditorView,
  gutter,
  GutterMarker,
  highlightSpecialChars,
  hoverTooltip,
  keymap,
  lineNumbers,
  showTooltip,
  type Tooltip,
  tooltips,
} from "@codemirror/view";

import { nonce } from "../shared/data.ts";
import { colours, marks, searchHits } from "./decorations.ts";
import { el } from "./dom.ts";
import type { Pane } from "./exploration.ts";
import { folding } from "./folding.ts";
import type { Heat } from "./heat.ts";

export interface Listener {
  /** A line was clicked, or walked to with the keyboard. */
  chosen(line: number): void;
  /** What there is to tell of a line. */
  told(line: number): HTMLElement | null;
}

export const heatBars = new Compartment();
export const changeBars = new Compartment();
const setTold = StateEffect.define<Tooltip | null>();

export function editor(pane: Pane, listener: Listener): EditorView {
  const doc = Text.of(pane.text.split("\n")); // which is what the numbers of lines mean, whatever else breaks them
  return new EditorView({ state: EditorState.create({ doc, extensions: extensions(pane, listener) }) });
}

function extensions(pane: Pane, listener: Listener): Extension {
  return [
    reading(pane.name, listener),
    numbers(pane, listener),
    heatBars.of([]),
    changeBars.of([]),
    folding(pane),
    marks(),
    colours(pane.language, pane.text),
    searchHits(), // after the colours, so that a hit is one element around them
  ];
}

/** What every text has: it is read, and its lines are chosen. */
export function reading(label: string, listener: Listener): Extension {
  return [
    EditorView.cspNonce.of(nonce()),
    EditorState.readOnly.of(true),
    EditorView.editable.of(false),
    EditorView.contentAttributes.of({ tabindex: "0", "aria-label": label, "aria-readonly": "true" }),
    highlightSpecialChars(),
    choosing(listener),
    telling(listener),
    keymap.of(KEYS),
  ];
}

function numbers(pane: Pane, { chosen }: Listener): Extension {
  return lineNumbers({
    formatNumber: (number) => String(number + pane.first - 1),
    domEventHandlers: {
      mousedown: (view, block) => (chosen(view.state.doc.lineAt(block.from).number - 1), true),
    },
  });
}

/** Of keys the selection tells; a click also counts where the cursor is already. */
function choosing({ chosen }: Listener): Extension {
  return [
    EditorView.updateListener.of(({ state, transactions }) => {
      const isKey = transactions.some((one) => one.isUserEvent("select") && !one.isUserEvent("select.pointer"));
      if (isKey && state.selection.main.empty) chosen(cursorLine(state));
    }),
    EditorView.domEventHandlers({
      click: (event, view) => {
        const isText = (event.target as HTMLElement).closest(".cm-line") && !(event.target as HTMLElement).closest("button");
        if (isText && view.state.selection.main.empty) chosen(cursorLine(view.state));
      },
    }),
    keymap.of([{ key: "Enter", run: (view) => (chosen(cursorLine(view.state)), true) }]),
  ];
}

/** The line that the cursor is in: the keyboard's place in a pane. */
export function cursorLine(state: EditorState): number {
  return state.doc.lineAt(state.selection.main.head).number - 1;
}

function telling({ told }: Listener): Extension {
  return [
    tooltips({ parent: document.body }),
    hoverTooltip((view, at) => tooltip(view.state, at, told)),
    StateField.define<Tooltip | null>({
      create: () => null,
      update: (value, { effects, selection }) =>
        effects.reduce((last, one) => (one.is(setTold) ? one.value : last), selection ? null : value),
      provide: (field) => showTooltip.from(field),
    }),
    keymap.of([
      { key: "i", run: (view) => tell(view, tooltip(view.state, view.state.selection.main.head, told)) },
      { key: "Escape", run: (view) => tell(view, null) },
    ]),
  ];
}

function tell(view: EditorView, value: Tooltip | null): boolean {
  view.dispatch({ effects: setTold.of(value) });
  return value !== null;
}

function tooltip(state: EditorState, at: number, told: Listener["told"]): Tooltip | null {
  const line = state.doc.lineAt(at);
  const dom = told(line.number - 1);
  return dom && { pos: at, above: true, create: () => ({ dom }) };
}

/** A gutter with a bar for each hot line. */
export function heatGutter(heats: ReadonlyMap<number, Heat>): Extension {
  if (!heats.size) return [];
  return gutter({
    class: "heat",
    lineMarker: (view, block) => {
      const heat = heats.get(view.state.doc.lineAt(block.from).number - 1);
      return heat ? new Bar(heat) : null;
    },
    initialSpacer: () => new Bar({ share: 0, title: "" }),
  });
}

/** A gutter that marks the lines that a save changed. */
export function changeGutter(lines: ReadonlySet<number>): Extension {
  if (!lines.size) return [];
  return gutter({
    class: "changes",
    lineMarker: (view, block) => (lines.has(view.state.doc.lineAt(block.from).number - 1) ? CHANGED : null),
    initialSpacer: () => CHANGED,
  });
}

const CHANGED = new (class extends GutterMarker {
  override toDOM(): HTMLElement {
    return el("div", { title: "changed by the last save" });
  }
})();

class Bar extends GutterMarker {
  private readonly heat: Heat;

  constructor(heat: Heat) {
    super();
    this.heat = heat;
  }

  override eq(other: Bar): boolean {
    return other.heat === this.heat;
  }

  override toDOM(): HTMLElement {
    const bar = el("div", { title: this.heat.title });
    bar.style.width = `${this.heat.share * 100}%`;
    return bar;
  }
}

const KEYS = [
  { key: "ArrowUp", run: cursorLineUp, shift: selectLineUp, preventDefault: true },
  { key: "ArrowDown", run: cursorLineDown, shift: selectLineDown, preventDefault: true },
  { key: "ArrowLeft", run: cursorCharLeft },
  { key: "ArrowRight", run: cursorCharRight },
  { key: "PageUp", run: cursorPageUp },
  { key: "PageDown", run: cursorPageDown },
  { key: "Home", run: cursorLineBoundaryBackward },
  { key: "End", run: cursorLineBoundaryForward },
  { key: "Mod-Home", run: cursorDocStart },
  { key: "Mod-End", run: cursorDocEnd },
  { key: "Mod-a", run: selectAll },
];
