/** A report of four calls of two functions, for the tests of what is made of one. */
import type { Report, Timeline } from "../../src/programs/report.ts";

const none = [0, 0, 0, 0];

export function report(more: Partial<Report> = {}): Report {
  return {
    command: "run", subject: "train.py", about: "", totals: [], avoidable: "", seconds: 0, messages: [],
    ranked: [], timeline: null, no_timeline: "", tables: [], processes: {}, text: "", flames: [],
    statuses: ["COMPILED", "CACHED"],
    functions: [["step", "train.py:3"], ["loss", "train.py:9"]],
    sites: ["train.py:12", ""],
    causes: ["first call", "shape", "dtype"],
    signatures: ["step(f32[3])", "step(f32[4])", "loss(f32[3])"],
    reasons: [
      { kind: "shape", where: "x", before: "f32[3]", now: "f32[4]", text: "x: f32[3] → f32[4]", hint: "pad x", avoidable: true },
    ],
    differences: [
      { reasons: [], more: 0, work: "", causes: [0] },
      { reasons: [0], more: 0, work: "", causes: [1, 2] },
      { reasons: [], more: 0, work: "", causes: [] },
    ],
    columns: {
      number: [0, 1, 2, 3], status: [0, 0, 1, 0], function: [0, 0, 0, 1], site: [0, 0, 0, 1], signature: [0, 1, 0, 2],
      difference: [0, 1, 2, 1], nearest: [-1, 0, -1, -1], avoidable: [0, 1, 0, 0], process: none, trace: [1, 0, 0, 2],
      lower: none, compile: [2, 4, 0, 2], executable: none,
    },
    details: { 3: [["error", "ValueError: No"]] },
    ...more,
  };
}

export function timeline(...events: [lane: number, began: number, seconds: number][]): Timeline {
  return {
    lane: events.map(([lane]) => lane), began: events.map(([, began]) => began), seconds: events.map(([, , seconds]) => seconds),
    phase: events.map(() => "trace"), name: events.map(() => 0), row: events.map(() => -1), internal: [], disk: [],
    names: ["step"], lanes: ["thread 1", "thread 2"],
  };
}
