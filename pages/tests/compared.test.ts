import assert from "node:assert/strict";
import test from "node:test";

import { Cells } from "../src/explorer/compared/cells.ts";
import { AFTER, BEFORE, type PaneComparison, Rows } from "../src/explorer/compared/comparison.ts";

/** Ten equal rows, a changed one, two removed ones, an added one, and twelve equal ones. */
const comparison: PaneComparison = {
  before: "hlo before",
  after: "hlo after",
  name: "hlo",
  operations: [25, 24],
  changed: 1,
  added: 1,
  removed: 2,
  rows: [[0, 0, 0, 10], [1, 10, 10, 1], [2, 11, -1, 2], [3, -1, 11, 1], [0, 13, 12, 12]],
  words: [0],
  changes: [[[2, 4], [2, 5]]],
  ops: {},
  flops: null,
  bytes: null,
};
const rows = new Rows(comparison);

test("rows have the lines of both sides, and changed words", () => {
  assert.equal(rows.length, 26);
  assert.deepEqual([...rows.lines[BEFORE]].slice(9, 15), [9, 10, 11, 12, -1, 13]);
  assert.deepEqual([...rows.lines[AFTER]].slice(9, 15), [9, 10, -1, -1, 11, 12]);
  assert.deepEqual([rows.words(10, BEFORE), rows.words(10, AFTER), rows.words(9, AFTER)], [[2, 4], [2, 5], []]);
  assert.deepEqual([rows.row(AFTER, 12), rows.row(BEFORE, 12), rows.row(BEFORE, 99)], [14, 12, -1]);
});

test("changes are one stretch where they touch; what is far from them can be folded", () => {
  assert.deepEqual(rows.changes(), [[10, 13]]);
  assert.deepEqual(rows.unchanged(3, 4), [[0, 6], [17, 25]]);
  assert.deepEqual(rows.unchanged(3, 8), [[17, 25]]);
  assert.deepEqual(new Rows({ ...comparison, rows: [[0, 0, 0, 9]] }).unchanged(3, 4), [[0, 8]]);
});

test("a document of one side has blanks, one of both has a changed row twice", () => {
  const before = Cells.ofSide(rows, BEFORE);
  assert.deepEqual(before.lines.slice(10, 15), [10, 11, 12, -1, 13]);
  const both = Cells.ofBoth(rows);
  assert.deepEqual(both.lines.slice(9, 16), [9, 10, 10, 11, 12, 11, 12]);
  assert.deepEqual(both.sides.slice(9, 16), [AFTER, BEFORE, AFTER, BEFORE, BEFORE, AFTER, AFTER]);
  assert.deepEqual([both.at(10, BEFORE), both.at(10, AFTER), both.at(9, BEFORE)], [10, 11, 9]);
  assert.deepEqual(both.span(10, 13), [10, 14]);
});
