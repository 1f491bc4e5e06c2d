import assert from "node:assert/strict";
import test from "node:test";
import { facetsOf, nothingChosen } from "../../src/programs/filters.ts";
import { fromFragment, toFragment } from "../../src/programs/fragment.ts";
import { atFirst, type State } from "../../src/programs/state.ts";
import { report } from "./made.ts";

const facets = facetsOf(report());
const again = (state: State) => fromFragment(`#${toFragment(state, facets)}`, facets, 4);

test("what is chosen comes back, and nothing chosen is an empty fragment", () => {
  const state: State = {
    chosen: { ...nothingChosen(), cause: new Set([0, 2]), function: new Set([1]), avoidable: new Set([0]) },
    text: "a&b=c #é", sort: "-time", page: 2, open: new Set([3, 1]), view: [0.5, 1.25],
  };
  assert.deepEqual(again(state), state);
  assert.deepEqual(again(atFirst()), atFirst());
  assert.equal(toFragment(atFirst(), facets), "");
});

test("names are written, so that it can be read", () => {
  const state = { ...atFirst(), chosen: { ...nothingChosen(), cause: new Set([1]), function: new Set([0]) } };
  assert.equal(decodeURIComponent(toFragment(state, facets)).replaceAll("+", " "), "cause=shape&function=step train.py:3");
});

test("what this report does not have is left out", () => {
  const state = fromFragment("#cause=magic&cause=shape&sort=size&page=x&open=9&open=-1&open=2&view=3~1&text=", facets, 4);
  assert.deepEqual(state, { ...atFirst(), chosen: { ...nothingChosen(), cause: new Set([1]) }, open: new Set([2]) });
});
