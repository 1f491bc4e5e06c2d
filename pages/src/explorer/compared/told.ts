/** What a comparison comes to, in words. */
import { el } from "../dom.ts";
import { amount, count, size } from "../figures.ts";
import { noun } from "../languages.ts";
import type { PaneComparison } from "./comparison.ts";

/** `12 → 15 instructions`, `1 changed`, `3 added`, and for a tooltip `fusion +3`. */
export function told(of: PaneComparison): { parts: Node[]; more: string } {
  const [before, after] = of.operations;
  const all = before === after ? count(after, noun(of.name)) : `${before.toLocaleString("en")} → ${count(after, noun(of.name))}`;
  const counts = [
    ["changed", of.changed],
    ["added", of.added],
    ["removed", of.removed],
  ] as const;
  const some = counts.filter(([, many]) => many);
  const parts = [
    el("span", {}, all),
    ...some.map(([what, many]) => el("span", { class: what }, `${many.toLocaleString("en")} ${what}`)),
    ...(some.length ? [] : [el("span", {}, "no change")]),
    ...between("FLOPs", of.flops, amount),
    ...between("bytes", of.bytes, size),
  ];
  const ops = Object.entries(of.ops).sort(([, one], [, other]) => Math.abs(other) - Math.abs(one));
  return { parts, more: ops.map(([op, many]) => `${op} ${many > 0 ? "+" : "−"}${Math.abs(many)}`).join(", ") };
}

/** `FLOPs 1.00 M → 1.01 M`; nothing if it is the same. */
function between(name: string, both: [number | null, number | null] | null, shown: (number: number) => string): Node[] {
  if (!both || both[0] === both[1]) return [];
  const [before, after] = both.map((one) => (one === null ? "?" : shown(one)));
  return [el("span", {}, `${name} ${before} → ${after}`)];
}
