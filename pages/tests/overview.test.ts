import assert from "node:assert/strict";
import test from "node:test";

import { NONE, STRONG, WEAK } from "../src/explorer/links.ts";
import { ROWS, rows } from "../src/explorer/overview.ts";

test("each line has its row, as long as there are enough", () => {
  assert.deepEqual([...rows(Uint8Array.of(NONE, WEAK, STRONG))], [NONE, WEAK, STRONG]);
  assert.deepEqual([...rows(new Uint8Array())], []);
});

test("a row shows the strongest of its lines", () => {
  const marks = new Uint8Array(ROWS * 10);
  marks.set([WEAK, STRONG, WEAK], 57);
  marks.set([WEAK], marks.length - 1);
  const found = rows(marks);
  assert.equal(found.length, ROWS);
  assert.deepEqual([found[4], found[5], found[6], found[ROWS - 1]], [NONE, STRONG, NONE, WEAK]);
});
