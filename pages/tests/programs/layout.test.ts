import assert from "node:assert/strict";
import test from "node:test";
import { boxes, lanesOf, ticks, within, zoomed } from "../../src/programs/layout.ts";
import { timeline } from "./made.ts";

test("an event lies below the one around it, and beside what has ended", () => {
  const made = timeline([0, 0, 10], [0, 0, 4], [0, 4, 3], [0, 5, 1], [0, 12, 1], [1, 3, 1]);
  const [first, second] = lanesOf(made);
  assert.deepEqual(first!.lines, [[0, 4], [1, 2], [3]]);
  assert.deepEqual([second!.lines, second!.top], [[[5]], 3]);
});

test("events that overlap are never upon each other", () => {
  const made = timeline([0, 0, 10], [0, 5, 10], [0, 12, 1], [0, 14, 9]);
  for (const line of lanesOf(made)[0]!.lines)
    line.slice(1).forEach((at, before) => assert(made.began[at]! >= made.began[line[before]!]! + made.seconds[line[before]!]!));
});

test("a clock that is read twice makes no new line", () => {
  const made = timeline([0, 0, 1.0000001], [0, 1, 1]);
  assert.deepEqual(lanesOf(made)[0]!.lines, [[0, 1]]);
});

test("what is too small to be told apart becomes one, and nothing is lost", () => {
  const made = timeline(...Array.from({ length: 1000 }, (_, at): [number, number, number] => [0, at / 1000, 0.0005]), [0, 2, 1]);
  const line = Array.from({ length: 1001 }, (_, at) => at);
  const drawn = boxes(line, made, 0, 3, 0.01);
  assert(drawn.length < 100);
  assert.deepEqual(drawn.flatMap((box) => box.events), line);
  assert.deepEqual(drawn.at(-1), { events: [1000], from: 2, to: 3 });
  assert.equal(boxes(line, made, 0, 3, 0.0001).length, 1001);
  assert.deepEqual(boxes(line, made, 1.5, 3, 0.01).map((box) => box.events), [[1000]]);
});

test("marks are at round times", () => {
  assert.deepEqual(ticks(0, 10, 5), [0, 2, 4, 6, 8, 10]);
  assert.deepEqual(ticks(0.95, 2.1, 4), [1, 1.5, 2]);
});

test("a zoom keeps the time below the mouse, and stays inside", () => {
  assert.deepEqual(zoomed([0, 10], 0.5, 4, [0, 10]), [2, 7]);
  assert.deepEqual(zoomed([2, 7], 4, 4, [0, 10]), [0, 10]);
  assert.deepEqual(within([-3, 2], [0, 10]), [0, 5]);
  assert.deepEqual(within([8, 13], [0, 10]), [5, 10]);
  assert.deepEqual(within([-5, 50], [0, 10]), [0, 10]);
});
