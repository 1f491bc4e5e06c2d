import assert from "node:assert/strict";
import test from "node:test";
import { facetsOf, find, nothingChosen, textFilter, type FacetName } from "../../src/programs/filters.ts";
import { report } from "./made.ts";

const made = report(), facets = facetsOf(made);
const chosen = (choices: Partial<Record<FacetName, number[]>>) => ({
  ...nothingChosen(),
  ...Object.fromEntries(Object.entries(choices).map(([name, values]) => [name, new Set(values)])),
});
const found = (choices: Partial<Record<FacetName, number[]>>, text = "") =>
  find(4, facets, chosen(choices), textFilter(made, text));
const rows = (...given: Parameters<typeof found>) => [...found(...given).shown.entries()].filter(([, is]) => is).map(([row]) => row);

test("rows have one of the values that are chosen, for each filter", () => {
  assert.deepEqual(rows({}), [0, 1, 2, 3]);
  assert.deepEqual(rows({ status: [0] }), [0, 1, 3]);
  assert.deepEqual(rows({ cause: [1] }), [1, 3]);
  assert.deepEqual(rows({ cause: [0, 2], function: [0] }), [0, 1]);
  assert.deepEqual(rows({ avoidable: [0] }), [1]);
  assert.deepEqual(rows({ status: [1], function: [1] }), []);
});

test("a count is of what the other filters let pass", () => {
  const counts = (choices: Parameters<typeof found>[0], name: FacetName) => [...found(choices).counts.get(name)!];
  assert.deepEqual(counts({}, "status"), [3, 1]);
  assert.deepEqual(counts({ status: [1] }, "status"), [3, 1]);
  assert.deepEqual(counts({ status: [1] }, "function"), [1, 0]);
  assert.deepEqual(counts({}, "cause"), [1, 2, 2]);
  assert.deepEqual(counts({ status: [1], function: [1] }, "cause"), [0, 0, 0]);
  assert.equal(found({ status: [0] }).total, 3);
});

test("text is looked for in calls, places, reasons, hints and errors", () => {
  assert.deepEqual(rows({}, "  STEP(f32[4]) "), [1]);
  assert.deepEqual(rows({}, "train.py:9"), [3]);
  assert.deepEqual(rows({}, "train.py:12"), [0, 1, 2]);
  assert.deepEqual(rows({}, "pad X"), [1, 3]);
  assert.deepEqual(rows({}, "valueerror"), [3]);
  assert.deepEqual(rows({ function: [0] }, "pad x"), [1]);
  assert.deepEqual(rows({}, ".*"), []);
});

test("processes are chosen by their names, whatever their numbers", () => {
  const job = report({ processes: { 2: "process 2", 7: "process 7" } });
  job.columns.process = [7, 2, 7, 7];
  const ofJob = facetsOf(job);
  const { shown, counts } = find(4, ofJob, chosen({ process: [1] }), null);
  assert.deepEqual([...shown], [1, 0, 1, 1]);
  assert.deepEqual([...counts.get("process")!], [1, 3]);
});
