import assert from "node:assert/strict";
import test from "node:test";

import { amount, count, duration, size } from "../src/explorer/figures.ts";

test("as the terminal writes them", () => {
  assert.deepEqual([0, 840, 999.4, 1000, 12_345, 104_000_000].map(amount), ["0", "840", "999", "1.00 k", "12.3 k", "104 M"]);
  assert.deepEqual([840, 3_990_000, 16.9e9].map(size), ["840 B", "3.99 MB", "16.9 GB"]);
  assert.deepEqual([8.4e-7, 1.58e-3, 4.56, 4000].map(duration), ["840 ns", "1.58 ms", "4.56 s", "4000 s"]);
  assert.deepEqual([1, 2, 1200].map((many) => count(many, "line")), ["1 line", "2 lines", "1,200 lines"]);
});
