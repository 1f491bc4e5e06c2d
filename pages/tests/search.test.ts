import assert from "node:assert/strict";
import test from "node:test";

import { expression, firstFrom, hits, MOST } from "../src/explorer/search.ts";

function found(text: string, wanted: string, isRegExp = false): string[] {
  return hits(text, expression(wanted, isRegExp)!).map(({ from, to }) => text.slice(from, to));
}

test("a text is not an expression", () => {
  assert.deepEqual(found("f32[8] f32x8", "f32[8]"), ["f32[8]"]);
  assert.deepEqual(found("a.b axb", "a.b"), ["a.b"]);
  assert.deepEqual(found("a.b axb", "a.b", true), ["a.b", "axb"]);
});

test("case counts where the wanted text has a capital", () => {
  assert.deepEqual(found("ROOT root", "root"), ["ROOT", "root"]);
  assert.deepEqual(found("ROOT root", "ROOT"), ["ROOT"]);
  assert.deepEqual(found("A_B", String.raw`a\Sb`, true), ["A_B"]);
});

test("lines have beginnings and ends", () => {
  assert.deepEqual(found("add\nx add\nadd", "^add$", true), ["add", "add"]);
});

test("what is no expression, and what matches nothing", () => {
  assert.equal(expression("(", true), undefined);
  assert.deepEqual(found("abc", "x*", true), []);
});

test("hits have an end", () => {
  assert.equal(found("a".repeat(MOST + 5), "a").length, MOST);
});

test("the first hit from a place on", () => {
  const all = hits("a b a b a", expression("a", false)!);
  assert.deepEqual([0, 1, 4, 5, 9].map((from) => firstFrom(all, from)), [0, 1, 1, 2, 3]);
});
