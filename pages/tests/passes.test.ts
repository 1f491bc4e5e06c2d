import assert from "node:assert/strict";
import test from "node:test";

import { edited, Passes } from "../src/explorer/passes.ts";
import { told } from "../src/explorer/told.ts";
import { compared } from "../src/explorer/words.ts";

const LINES = ["ENTRY %main (x: f32[]) -> f32[] {", "%x = f32[] parameter(0)", "ROOT %sin.1 = f32[] sine(%x)", "ROOT %sin.2 = f32[] sine(%x)", "ROOT %sin.2 = f32[] cosine(%x)"];
const MADE = new Passes({
  lines: LINES,
  sets: [0, 0, 1, 1, 1],
  first: [0, 1, 2],
  steps: [
    { index: 4, pipeline: "p", pass_: "one", edits: [[2, 1, 3]], replaced: [{ how: "metadata", before: [2], after: [3] }] },
    { index: 7, pipeline: "p", pass_: "two", edits: [[2, 1, 4]], replaced: [] },
  ],
  left_out: 0,
});

function words(name: string): string[] {
  return MADE.of(name).map((event) => `${event.version} ${told(event).map((part) => (typeof part === "string" ? part : part.name)).join("")}`);
}

test("edits make the next version", () => {
  const rows = [[1, 2, 7, 8, 9], [1, 0, 5]];
  assert.deepEqual([...edited(Int32Array.from([1, 2, 3, 4, 6]), rows)], [1, 7, 8, 9, 4, 5, 6]);
  assert.deepEqual([...edited(Int32Array.from([1, 2]), [])], [1, 2]);
});

test("a history goes back to what an instruction was made of", () => {
  assert.deepEqual(words("sin.2"), ["0 sin.1 is in %main", "1 sin.2 appeared in %main; made of sin.1 (same metadata)", "2 sin.2 changed"]);
});

test("a history goes on to what is there instead", () => {
  assert.deepEqual(words("sin.1"), ["0 sin.1 is in %main", "1 sin.1 vanished; replaced by sin.2 (same metadata)", "2 sin.2 changed"]);
  assert.deepEqual(words("cos"), []);
});

test("those of an origin: what is kept comes first", () => {
  assert.deepEqual(MADE.from(new Set([1])), ["sin.2", "sin.1"]);
});

test("two lines differ by words", () => {
  const [before, after] = compared("%a = f32[8] add(%b, %c)", "%a = f32[8] add(%b.1, %c)");
  assert.deepEqual(before.filter(({ isOther }) => isOther).map(({ text }) => text), ["%b"]);
  assert.deepEqual(after.filter(({ isOther }) => isOther).map(({ text }) => text), ["%b.1"]);
  assert.equal(after.map(({ text }) => text).join(""), "%a = f32[8] add(%b.1, %c)");
});
