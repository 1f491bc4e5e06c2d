import assert from "node:assert/strict";
import test from "node:test";

import { begins, insideStrings, operation, tokens } from "../src/explorer/languages.ts";

/** `text:class` of each token. */
function coloured(language: string, line: string): string[] {
  return tokens(language, line).map(({ from, to, kind }) => `${line.slice(from, to)}:${kind}`);
}

test("HLO", () => {
  assert.deepEqual(coloured("hlo", "  ROOT %add.1 = f32[8,64]{1,0} add(%x, b.2), metadata={op_name=\"a b\"}"), [
    "ROOT:keyword", "%add.1:definition", "f32:dtype", "[8,64]:shape", "{1,0}:location", "add:op", "%x:name", "b.2:name",
    "metadata:location", "op_name:attribute", "\"a b\":string",
  ]);
  assert.deepEqual(coloured("hlo", "%fused (p: f32[]) -> f32[] {").slice(0, 3), ["%fused:symbol", "f32:dtype", "[]:shape"]);
  assert.deepEqual(coloured("hlo", "add.1 = s32[] add(a, /*index=5*/b)").at(-1), "/*index=5*/:comment");
});

test("jaxpr", () => {
  assert.deepEqual(coloured("jaxpr", "    c:f32[8,2] = dot_general[preferred_element_type=float32] a bd"), [
    "c:definition", "f32:dtype", "[8,2]:shape", "dot_general:op", "preferred_element_type:attribute", "float32:dtype",
    "a:name", "bd:name",
  ]);
  assert.deepEqual(coloured("jaxpr", "{ lambda ; a:f32[3]. let"), [
    "lambda:keyword", "a:name", "f32:dtype", "[3]:shape", "let:keyword",
  ]);
});

test("StableHLO", () => {
  assert.deepEqual(coloured("stablehlo", "    %0 = stablehlo.tanh %arg0 : tensor<8x2xf32> loc(#loc3)"), [
    "%0:definition", "stablehlo.tanh:op", "%arg0:name", "8x2x:shape", "f32:dtype", "loc(#loc3):location",
  ]);
});

test("LLVM and machine code", () => {
  assert.deepEqual(coloured("llvm", "  %3 = fadd float %1, 1.0e+00 ; sum"), [
    "%3:definition", "fadd:op", "float:dtype", "%1:name", "1.0e+00:number", "; sum:comment",
  ]);
  assert.deepEqual(coloured("asm", "    vmovups ymm0, YMMWORD PTR [rdi+0x20]"), [
    "vmovups:op", "ymm0:name", "YMMWORD:attribute", "PTR:attribute", "rdi:name", "0x20:number",
  ]);
});

test("Python", () => {
  assert.deepEqual(coloured("python", "    def f(x=None): return g('#') + 1  # none"), [
    "def:keyword", "f:definition", "None:number", "return:keyword", "g:op", "'#':string", "1:number", "# none:comment",
  ]);
});

test("strings of several lines", () => {
  const text = "x = '''a\nb\n'''  # '''\ny = \"'''\"\nz = r\"\"\"c\nd\"\"\"\n";
  assert.deepEqual([...insideStrings("python", text)].sort(), [1, 2, 5]);
  assert.deepEqual([...insideStrings("hlo", text)], []);
});

test("long lines cost no more than their beginning", () => {
  assert(tokens("hlo", "1, ".repeat(1_000_000)).length < 2_000);
});

test("the parts of an operation", () => {
  assert.deepEqual(operation("hlo", "  ROOT %t.2 = (f32[2]{0}, /*index=1*/s32[]) tuple(%a, %b)"), {
    name: "t.2", op: "tuple", type: "(f32[2]{0}, /*index=1*/s32[])",
  });
  assert.deepEqual(operation("jaxpr", "    a:f32[2] b:i32[] = scan[length=3] c"), { name: "a", op: "scan", type: "f32[2] b:i32[]" });
  assert.deepEqual(operation("stablehlo", "  %3:2 = stablehlo.while(%a = %b) : tensor<i32>, tensor<f32>"), {
    name: "%3:2", op: "stablehlo.while", type: "tensor<i32>, tensor<f32>",
  });
  assert.deepEqual(operation("stablehlo", "  %0 = stablehlo.dot %a, %b : (tensor<2xf32>, tensor<2xf32>) -> tensor<f32> loc(#loc1)"), {
    name: "%0", op: "stablehlo.dot", type: "tensor<f32>",
  });
  assert.equal(operation("hlo", "}"), undefined);
  assert.equal(operation("text", "a = b"), undefined);
});

test("an equation of several lines begins once", () => {
  assert(begins("jaxpr", "    c:f32[8,2] = dot_general["));
  assert(!begins("jaxpr", "      dimension_numbers=(([1], [0]), ([], []))"));
  assert(begins("hlo", "}"));
});
