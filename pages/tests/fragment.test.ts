import assert from "node:assert/strict";
import test from "node:test";

import { format, parse, type View } from "../src/explorer/fragment.ts";

const VIEW: View = { panes: ["samples/mlp.py", "jaxpr", "hlo"], widths: [40, 30, 30], at: { pane: "hlo", line: 120 }, heat: "bytes" };

test("a view can be read in the address", () => {
  assert.equal(format(VIEW), "#panes=samples/mlp.py,jaxpr,hlo&widths=40,30,30&at=hlo:120&heat=bytes");
});

test("what is written is read again, whatever the names", () => {
  const names = ["a,b", "a&b=c", "50%", "a:7", "#", "<b>", "ü/é", " "];
  for (const pane of names) {
    const view = { panes: names, widths: names.map(() => 12), at: { pane, line: 3 }, heat: null };
    assert.deepEqual({ heat: null, ...parse(format(view)) }, view);
  }
});

test("parts that say nothing sensible are left out", () => {
  for (const part of ["", "#", "#%", "#panes=", "#panes=%ff", "#widths=1,x", "#widths=-4", "#at=hlo", "#at=hlo:x", "#at=:1", "#__proto__=1"]) {
    assert.deepEqual(parse(part), {}, part);
  }
  assert.deepEqual(parse("#at=hlo:1e9&panes=hlo&&x"), { panes: ["hlo"] });
});
