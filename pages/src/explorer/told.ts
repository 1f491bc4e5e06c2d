/** In words, as in the terminal: what a pass did to an instruction. */
import type { PassEvent, Replacement, Step } from "./passes.ts";

/** Part of a sentence; `name` is that of an instruction, which has a history of its own. */
export type Part = string | { name: string };

const BETWEEN = new Map([
  ["pipeline-start", "(before its passes)"],
  ["after_optimizations", "(after all passes)"],
]);
const HOW = { metadata: "same metadata", users: "its users use it now" };
/** `1 pass`, `7 passes`. */
export function passCount(number: number): string {
  return `${number.toLocaleString("en")} ${number === 1 ? "pass" : "passes"}`;
}

/** Names that are written out. */
const MOST = 6;

export function passed(step: Step | undefined, leftOut: number): string {
  if (step) return `${step.index} ${BETWEEN.get(step.pass_) ?? step.pass_} (${step.pipeline})`;
  return leftOut ? "(earlier passes are left out)" : "(XLA's input)";
}

export function told(event: PassEvent): Part[] {
  const parts = [[{ name: event.instruction }, ...happened(event)]];
  if (event.fuses.length) parts.push(["a fusion of ", ...named(event.fuses)]);
  else if (!event.replacements.length) {
    if (event.event === "appeared") parts.push(["what it was made of is unknown"]);
    if (event.event === "vanished") parts.push(["what is in its place, if anything, is unknown"]);
  }
  for (const one of event.replacements) parts.push(replacement(one, event.event === "appeared"));
  return parts.flatMap((part, at) => (at ? ["; ", ...part] : part));
}

function happened(event: PassEvent): Part[] {
  const isMoved = event.event === "changed" && event.from !== event.computation;
  if (event.event === "given") return [" is", ...place(event, "in")];
  if (event.event === "moved") return [` moved from %${event.from}`, ...place(event, "to")];
  return [` ${event.event}`, ...(event.event === "appeared" || isMoved ? place(event, "in") : [])];
}

function place({ computation, calledBy }: PassEvent, where: string): Part[] {
  return [` ${where} %${computation}`, ...(calledBy.length ? [", which ", ...named(calledBy), " calls"] : [])];
}

function replacement({ how, others }: Replacement, isNew: boolean): Part[] {
  if (how !== "unknown") return [isNew ? "made of " : "replaced by ", ...named(others), ` (${HOW[how]})`];
  if (isNew) return ["what it was made of is unknown: ", ...named(others), " vanished with the same metadata"];
  return ["what is in its place is unknown: ", ...named(others), " appeared with the same metadata"];
}

function named(names: string[]): Part[] {
  const shown = names.slice(0, MOST).flatMap((name, at): Part[] => (at ? [", ", { name }] : [{ name }]));
  return names.length > MOST ? [...shown, `, ${names.length - MOST} more`] : shown;
}
