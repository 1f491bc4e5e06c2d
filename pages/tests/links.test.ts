import assert from "node:assert/strict";
import test from "node:test";

import type { Exploration, Pane } from "../src/explorer/exploration.ts";
import { lines, Links, STRONG, WEAK } from "../src/explorer/links.ts";

function pane(fields: Partial<Pane>): Pane {
  const none = { name: "", language: "text", text: "", file: null, first: 1, origins: [], folds: [], operands: [] };
  return { ...none, costs: [], unavailable: null, ...fields };
}

const EXPLORATION: Exploration = {
  files: ["a.py", "b.py"],
  places: [
    { file: 0, line: 11 }, // the call
    { file: 1, line: 1 }, // what is called
    { file: 0, line: 12 },
  ],
  origins: [
    { places: [1, 0], op: "mul" },
    { places: [1, 0], op: "add" },
    { places: [2], op: "sin" },
    { places: [], op: "copy" },
  ],
  sets: [[], [0], [1], [2], [0, 2], [3]],
  panes: [
    pane({ text: "one\ntwo\nthree", file: 0, first: 10 }),
    pane({ text: "one", file: 1 }),
    pane({ text: "a\nb\nc\nd\ne\nf", origins: [0, 1, 2, 3, 4, 5] }),
    pane({ text: "g\nh", origins: [4, 0] }),
    pane({ text: "longer than\nits origins", origins: [] }),
  ],
};

function marks(pane: number, line: number): [strong: number[], weak: number[]][] {
  const links = new Links(EXPLORATION, (number) => EXPLORATION.panes[number]!.text.split("\n").length);
  return links.marks({ pane, line }).map((of) => [lines(of, STRONG), lines(of, WEAK)]);
}

test("an operation marks itself, and weakly what is of the same line", () => {
  assert.deepEqual(marks(2, 1), [[[], [1]], [[0], []], [[1, 4], [2]], [[0], []], [[], []]]);
});

test("a line of two operations marks both", () => {
  assert.deepEqual(marks(3, 0), [[[2], [1]], [[0], []], [[1, 3, 4], [2]], [[0], []], [[], []]]);
});

test("a line of Python marks what is of it, and weakly what it calls", () => {
  assert.deepEqual(marks(1, 0), [[[], [1]], [[0], []], [[1, 2, 4], []], [[0], []], [[], []]]);
  assert.deepEqual(marks(0, 1), [[[], [1]], [[0], []], [[], [1, 2, 4]], [[], [0]], [[], []]]);
});

test("an operation of an unknown place marks itself alone", () => {
  assert.deepEqual(marks(2, 5), [[[], []], [[], []], [[5], []], [[], []], [[], []]]);
});

test("a line of nothing marks nothing", () => {
  const nothing = EXPLORATION.panes.map(() => [[], []]);
  assert.deepEqual(marks(2, 0), nothing);
  assert.deepEqual(marks(0, 0), nothing);
  assert.deepEqual(marks(4, 1), nothing);
});
