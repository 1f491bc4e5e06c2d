import assert from "node:assert/strict";
import test from "node:test";

import { type Pane, used } from "../src/explorer/exploration.ts";
import { near } from "../src/explorer/graph.ts";

test("rows of operands are relative: to the row before, and to the operation", () => {
  const rows = [[5, 1], [-1, 1, 3], [7, -2]];
  assert.deepEqual(used({ operands: rows } as Pane), [[5, 4], [4, 3, 1], [11, 13]]);
  assert.deepEqual(used({ operands: [] as number[][] } as Pane), []);
});

test("operands and users, two steps each way", () => {
  const chain = [[1, 0], [2, 1], [3, 2], [4, 3], [5, 4], [6, 5]];
  const { nodes, edges, left } = near(chain, 3)!;
  assert.deepEqual(nodes.sort(), [1, 2, 3, 4, 5]);
  assert.deepEqual(edges.sort(), [[1, 2], [2, 3], [3, 4], [4, 5]]);
  assert.equal(left, 0);
});

test("not what else an operand is used for", () => {
  assert.deepEqual(near([[1, 0], [2, 0], [3, 1]], 1)!.nodes.sort(), [0, 1, 3]);
});

test("an operand that is used twice is one", () => {
  assert.deepEqual(near([[1, 0, 0]], 1), { nodes: [1, 0], edges: [[0, 1]], left: 0 });
});

test("of thousands of users some are shown, and the operands still are", () => {
  const users = Array.from({ length: 5000 }, (_, at) => [at + 10, 5]);
  const { nodes, left } = near([[5, 1, 2], ...users], 5)!;
  assert.equal(nodes.length, 40);
  assert.equal(left, 5003 - 40);
  assert([5, 1, 2].every((line) => nodes.includes(line)));
});

test("a circle ends, and what is no operation has no graph", () => {
  assert.deepEqual(near([[1, 2], [2, 1]], 1)!.nodes.sort(), [1, 2]);
  assert.equal(near([[1, 2]], 7), undefined);
});
