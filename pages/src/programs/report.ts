/** The page's data, as jitinspect/render/pages/programs.py writes it. Names are written once and numbered. */
import type { Flames } from "../shared/flames.ts";

export interface Report extends Names {
  command: string;
  subject: string;
  about: string;
  totals: string[];
  avoidable: string;
  seconds: number;
  messages: Message[];
  ranked: Cause[];
  timeline: Timeline | null;
  no_timeline: string;
  tables: Table[];
  processes: Record<string, string>;
  text: string;
  flames: Flames[];
}

export interface Names {
  statuses: string[];
  functions: [name: string, definition: string][];
  sites: string[];
  causes: string[];
  signatures: string[];
  reasons: Reason[];
  differences: Difference[];
  columns: Columns;
  details: Record<string, [name: string, text: string][]>;
}

/** An item for each row; `nearest` is a row, or -1, and `executable` is 0 where there is none. */
export type Columns = Record<
  | "number" | "status" | "function" | "site" | "signature" | "difference" | "nearest" | "avoidable"
  | "process" | "trace" | "lower" | "compile" | "executable",
  number[]
>;

export interface Reason {
  kind: string;
  where: string | null;
  before: string | null;
  now: string | null;
  text: string;
  hint: string | null;
  avoidable: boolean;
}

/** Why a call was not cached: `more` differences have no reason; `work` is what it was if not a call. */
export interface Difference {
  reasons: number[];
  more: number;
  work: string;
  causes: number[];
}

/** Compilations at one site for the same reasons. */
export interface Cause {
  text: string;
  reasons: string[];
  more: number;
  examples: string[];
  count: number;
  seconds: number;
  avoidable: boolean;
  hint: string | null;
  first: boolean;
  cause: number;
  function: number;
  site: number;
}

export type Phase = "call" | "trace" | "lower" | "compile";

/** An item for each event, by lane and then by its start; `row` is -1 where there is none. */
export interface Timeline {
  lane: number[];
  began: number[];
  seconds: number[];
  phase: Phase[];
  name: number[];
  row: number[];
  internal: number[];
  disk: number[];
  names: string[];
  lanes: string[];
}

export interface Message {
  sort: "good" | "bad" | "note" | "";
  text: string;
  details: string[];
}

/** The first `texts` columns are words. Rows are called `numbers` by the filter `facet`. */
export interface Table {
  title: string;
  head: string[];
  texts: number;
  rows: string[][];
  facet: string;
  numbers: number[];
}
