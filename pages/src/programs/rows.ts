/** The order of the rows, and the part of them that is on a page of the table. */
import type { Columns } from "./report.ts";

export const SORTS = ["order", "-order", "-time", "time"] as const;
export type Sort = (typeof SORTS)[number];
export const PAGE = 100;

/** Sorts once for each order that is asked for: a million rows take a second. */
export class Order {
  readonly seconds: Float64Array;
  #sorted = new Map<Sort, Uint32Array>();

  constructor(columns: Columns) {
    this.seconds = Float64Array.from(columns.trace, (trace, row) => trace + columns.lower[row]! + columns.compile[row]!);
  }

  /** The shown rows in this order. */
  of(sort: Sort, shown: Uint8Array): Uint32Array {
    return this.#all(sort).filter((row) => shown[row]);
  }

  #all(sort: Sort): Uint32Array {
    let sorted = this.#sorted.get(sort);
    if (!sorted) this.#sorted.set(sort, (sorted = this.#sort(sort)));
    return sorted;
  }

  #sort(sort: Sort): Uint32Array {
    const rows = Uint32Array.from(this.seconds, (_, row) => row);
    if (sort === "order") return rows;
    if (sort === "-order") return rows.reverse();
    const { seconds } = this;
    const sign = sort === "time" ? 1 : -1;
    return rows.sort((one, other) => sign * (seconds[one]! - seconds[other]!) || one - other);
  }
}

export function pages(rows: number): number {
  return Math.max(Math.ceil(rows / PAGE), 1);
}

/** What a click on a column's head makes of the order: of times the longest come first. */
export function turned(sort: Sort, column: "order" | "time"): Sort {
  if (column === "order") return sort === "order" ? "-order" : "order";
  return sort === "-time" ? "time" : "-time";
}
