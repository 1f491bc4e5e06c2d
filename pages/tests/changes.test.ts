import assert from "node:assert/strict";
import test from "node:test";

import { matched, numbered, others } from "../src/explorer/changes.ts";

/** The lines of `after` that are marked, and how many of `before` are gone. */
function changed(language: string, before: string, after: string): [string[], number] {
  const lines = after.split("\n");
  const places = matched(numbered(language, before.split("\n")), numbered(language, lines));
  return [others(places, lines.length).map((line) => lines[line]!), places.filter((place) => place === -1).length];
}

test("lines that are new, other and gone", () => {
  assert.deepEqual(changed("python", "a\nb\nc", "a\nb\nc"), [[], 0]);
  assert.deepEqual(changed("python", "a\nb\nc", "a\nx\nb\ny"), [["x", "y"], 1]);
  assert.deepEqual(changed("python", "a\nb\nc", "a\nc"), [[], 1]);
  assert.deepEqual(changed("python", "", "a\nb"), [["a", "b"], 1]);
  assert.deepEqual(changed("python", "x y z a b".replaceAll(" ", "\n"), "a b x y z".replaceAll(" ", "\n")), [["a", "b"], 2]);
});

test("a line that there is very often is known by its neighbours", () => {
  const blocks = Array.from({ length: 100 }, (_, number) => `block ${number} {\n}`);
  const more = blocks.toSpliced(50, 0, "new {\n}");
  assert.deepEqual(changed("python", blocks.join("\n"), more.toSpliced(0, 1, "other {\n}").join("\n")), [["other {", "}", "new {"], 1]);
});

test("the rows of pairs are the longest, in order", () => {
  let seed = 1;
  const random = (below: number) => (seed = (seed * 48271) % 2147483647) % below;
  for (let round = 0; round < 300; round++) {
    const text = () => Array.from({ length: random(12) }, () => random(4));
    const [before, after] = [text(), text()];
    const kept = [...matched(before, after)].flatMap((is, was) => (is === -1 ? [] : [[was, is] as const]));
    kept.forEach(([was, is], at) => assert(before[was] === after[is] && (at === 0 || is > kept[at - 1]![1])));
    assert.equal(kept.length, common(before, after));
  }
});

/** How many lines two texts have in common at most. */
function common([first, ...before]: number[], after: number[]): number {
  if (first === undefined) return 0;
  const at = after.indexOf(first);
  return Math.max(common(before, after), at < 0 ? 0 : 1 + common(before, after.slice(at + 1)));
}

test("names of values that follow from others are no change", () => {
  const jaxpr = ["    c:f32[8] = tanh a", "    d:f32[8] = sin a\n    e:f32[8] = tanh d"];
  assert.deepEqual(changed("jaxpr", jaxpr[0]!, jaxpr[1]!), [["    d:f32[8] = sin a"], 0]);
  assert.deepEqual(changed("jaxpr", "    c:f32[8] = mul a 2.0:f32[]", "    c:f32[8] = mul a 3.0:f32[]")[0].length, 1);
  const hlo = "  ROOT %add.3 = f32[8]{0} add(%x.1, %y)";
  assert.deepEqual(changed("hlo", hlo, hlo.replace("add.3", "add.14").replace("x.1", "x.2")), [[], 0]);
  assert.deepEqual(changed("hlo", hlo, hlo.replace("(%x.1", "(%z.1"))[0].length, 1);
  assert.deepEqual(changed("hlo", "%fused (param_0.6: f32[]) -> f32[] {", "%fused.1 (param_0.14: f32[]) -> f32[] {"), [[], 0]);
  assert.deepEqual(changed("stablehlo", "  %1 = stablehlo.tanh %0", "  %12 = stablehlo.tanh %arg0")[0].length, 1);
  assert.deepEqual(changed("stablehlo", "  %1 = stablehlo.tanh %0", "  %12 = stablehlo.tanh %11"), [[], 0]);
});
