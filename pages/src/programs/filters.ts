/** Which rows are shown, and how many there would be for each other choice. */
import type { Report } from "./report.ts";

export const FACETS = ["avoidable", "status", "cause", "function", "site", "process"] as const;
export type FacetName = (typeof FACETS)[number];

/** What rows can be chosen by: a row has the values `values[keys[row]]`, numbers of `labels`. */
export interface Facet {
  name: FacetName;
  title: string;
  labels: [label: string, more: string][];
  keys: ArrayLike<number>;
  values: number[][];
}

export type Chosen = Readonly<Record<FacetName, ReadonlySet<number>>>;

export function nothingChosen(): Chosen {
  return Object.fromEntries(FACETS.map((name) => [name, new Set<number>()])) as unknown as Chosen;
}

/** Those by which something can be chosen. */
export function facetsOf(report: Report): Facet[] {
  const { columns, functions, sites, statuses, causes, processes } = report;
  const numbers = Object.keys(processes).map(Number);
  const ofProcess: number[][] = [];
  numbers.forEach((number, at) => (ofProcess[number] = [at]));
  const all: Facet[] = [
    { name: "avoidable", title: "Avoidable", labels: [["could be avoided", ""]], keys: columns.avoidable, values: [[], [0]] },
    { name: "status", title: "Status", labels: plain(statuses), keys: columns.status, values: own(statuses) },
    { name: "cause", title: "Cause", labels: plain(causes), keys: columns.difference, values: report.differences.map((one) => one.causes) },
    { name: "function", title: "Function", labels: functions, keys: columns.function, values: own(functions) },
    { name: "site", title: "Call site", labels: plain(sites), keys: columns.site, values: own(sites) },
    { name: "process", title: "Process", labels: plain(Object.values(processes)), keys: columns.process, values: ofProcess },
  ];
  return all.filter((facet) => facet.labels.length > 0 && (facet.name !== "avoidable" || columns.avoidable.includes(1)));
}

function plain(labels: string[]): [string, string][] {
  return labels.map((label) => [label || "–", ""]);
}

function own(items: unknown[]): number[][] {
  return items.map((_, at) => [at]);
}

/** Rows whose text contains `text`, whatever the case; null if all do. */
export function textFilter(report: Report, text: string): ((row: number) => boolean) | null {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return null;
  const has = (one: string) => one.toLowerCase().includes(wanted);
  const { columns } = report;
  const reasons = report.reasons.map((one) => has(one.text) || has(one.hint ?? ""));
  const columnsWithText: [number[], boolean[]][] = [
    [columns.signature, report.signatures.map(has)],
    [columns.function, report.functions.map(([name, definition]) => has(name) || has(definition))],
    [columns.site, report.sites.map(has)],
    [columns.difference, report.differences.map((one) => has(one.work) || one.reasons.some((at) => reasons[at]))],
  ];
  const told = new Set<number>();
  for (const [row, details] of Object.entries(report.details))
    if (details.some(([name, detail]) => has(name) || has(detail))) told.add(Number(row));
  return (row) => told.has(row) || columnsWithText.some(([column, found]) => found[column[row]!]);
}

export interface Found {
  /** 1 for each row that is shown. */
  shown: Uint8Array;
  total: number;
  /** By facet: how many rows each value has among those that all other facets let pass. */
  counts: Map<FacetName, Uint32Array>;
}

export function find(rows: number, facets: Facet[], chosen: Chosen, passes: ((row: number) => boolean) | null): Found {
  const allowed = facets.map((facet) => allowedKeys(facet, chosen[facet.name]));
  const perKey = facets.map((facet) => new Uint32Array(facet.values.length));
  const shown = new Uint8Array(rows);
  let total = 0;
  for (let row = 0; row < rows; row++) {
    if (passes && !passes(row)) continue;
    let failed = -1, failures = 0;
    for (let at = 0; at < facets.length && failures < 2; at++) {
      const keys = allowed[at];
      if (keys && !keys[facets[at]!.keys[row]!]) [failed, failures] = [at, failures + 1];
    }
    if (failures === 0) {
      shown[row] = 1;
      total++;
      for (let at = 0; at < facets.length; at++) perKey[at]![facets[at]!.keys[row]!]!++;
    } else if (failures === 1) perKey[failed]![facets[failed]!.keys[row]!]!++;
  }
  return { shown, total, counts: new Map(facets.map((facet, at) => [facet.name, perValue(facet, perKey[at]!)])) };
}

/** 1 for each key with a chosen value; null if none is chosen, which allows all. */
function allowedKeys(facet: Facet, chosen: ReadonlySet<number>): Uint8Array | null {
  if (chosen.size === 0) return null;
  return Uint8Array.from(facet.values, (values) => Number((values ?? []).some((value) => chosen.has(value))));
}

function perValue(facet: Facet, perKey: Uint32Array): Uint32Array {
  const counts = new Uint32Array(facet.labels.length);
  facet.values.forEach((values, key) => values.forEach((value) => (counts[value]! += perKey[key]!)));
  return counts;
}
