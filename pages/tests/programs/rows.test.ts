import assert from "node:assert/strict";
import test from "node:test";
import { Order, pages, turned } from "../../src/programs/rows.ts";
import { report } from "./made.ts";

const all = Uint8Array.of(1, 1, 1, 1);

test("rows are sorted by number or by time, and equal ones stay in order", () => {
  const order = new Order(report().columns);
  assert.deepEqual([...order.seconds], [3, 4, 0, 4]);
  assert.deepEqual([...order.of("order", all)], [0, 1, 2, 3]);
  assert.deepEqual([...order.of("-order", all)], [3, 2, 1, 0]);
  assert.deepEqual([...order.of("-time", all)], [1, 3, 0, 2]);
  assert.deepEqual([...order.of("time", all)], [2, 0, 1, 3]);
  assert.deepEqual([...order.of("-time", Uint8Array.of(1, 0, 0, 1))], [3, 0]);
});

test("a click on a head sorts by it, another the other way; of times the longest come first", () => {
  assert.equal(turned("order", "time"), "-time");
  assert.equal(turned("-time", "time"), "time");
  assert.equal(turned("time", "order"), "order");
  assert.equal(turned("order", "order"), "-order");
});

test("there is always a page", () => {
  assert.deepEqual([0, 1, 100, 101, 1_000_000].map(pages), [1, 1, 1, 2, 10_000]);
});
