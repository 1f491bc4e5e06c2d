/** Functions, call sites and processes; the first cell of a row filters the calls, where it can. */
import { element } from "../shared/elements.ts";
import { nothingChosen, type FacetName } from "./filters.ts";
import type { Report, Table } from "./report.ts";
import type { Store } from "./state.ts";

const MOST = 200;

export function tables(report: Report, store: Store, show: () => void): HTMLElement[] {
  return report.tables.filter((table) => table.rows.length > 0).map((table) => section(table, store, show));
}

function section(table: Table, store: Store, show: () => void): HTMLElement {
  const kind = (at: number) => (at < table.texts ? "word" : "number");
  const head = table.head.map((text, at) => element("th", { scope: "col", class: kind(at) }, text));
  const rows = table.rows.slice(0, MOST).map((row, at) => {
    const cells = row.map((text, column) =>
      element("td", { class: kind(column) }, column === 0 && table.facet ? link(text, table.facet as FacetName, table.numbers[at]!, store, show) : text),
    );
    return element("tr", {}, ...cells);
  });
  const left = table.rows.length - rows.length;
  return element(
    "section",
    { "aria-label": table.title },
    element("h2", {}, table.title),
    element("div", { class: "wide", tabindex: 0, role: "region", "aria-label": table.title }, element("table", { class: "small" }, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows))),
    ...(left > 0 ? [element("p", { class: "muted" }, `${left} more are in the text below`)] : []),
  );
}

function link(text: string, facet: FacetName, value: number, store: Store, show: () => void): HTMLElement {
  const choose = () => {
    store.update({ chosen: { ...nothingChosen(), [facet]: new Set([value]) }, text: "" });
    show();
  };
  return element("button", { type: "button", class: "link", title: "Show its calls", click: choose }, text);
}
