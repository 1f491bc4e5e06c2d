/** What a program compiled, and why: totals, avoidable time, the timeline, and the calls. */
import "../shared/page.css";
import "../shared/flames.css";
import "./programs.css";
import { data } from "../shared/data.ts";
import { element } from "../shared/elements.ts";
import { flames } from "../shared/flames.ts";
import { causes } from "./causes.ts";
import { choices } from "./choices.ts";
import { facetsOf, find, nothingChosen, textFilter, type Facet } from "./filters.ts";
import { fromFragment, toFragment } from "./fragment.ts";
import { head } from "./head.ts";
import type { Report } from "./report.ts";
import { Order } from "./rows.ts";
import { Store } from "./state.ts";
import { calls } from "./table.ts";
import { tables } from "./tables.ts";
import { chart } from "./timeline.ts";

void data<Report>().then(show);

function show(report: Report): void {
  const rows = report.columns.number.length;
  const facets = facetsOf(report), order = new Order(report.columns);
  const store = new Store(fromFragment(location.hash, facets, rows));
  const table = calls(report, store, order.seconds, showRow);
  const filters = choices(facets, store, (facet) => weights(facet, order.seconds));
  const timeline = chart(report, store, showRow);
  const section = element("section", { "aria-labelledby": "calls", class: "of-calls" }, element("h2", { id: "calls" }, "Calls"), filters.element, table.element);

  function update(): void {
    const found = find(rows, facets, store.state.chosen, textFilter(report, store.state.text));
    filters.update(found);
    table.update(order.of(store.state.sort, found.shown));
    timeline.update(found.shown);
  }

  function showRow(row: number): void {
    const { shown } = find(rows, facets, store.state.chosen, textFilter(report, store.state.text));
    if (!shown[row]) store.update({ chosen: nothingChosen(), text: "" });
    table.go(row);
  }

  const showCalls = () => section.scrollIntoView({ block: "start" });
  store.on((changed) => {
    if ("chosen" in changed || "text" in changed || "sort" in changed) update();
    const fragment = toFragment(store.state, facets);
    history.replaceState(null, "", fragment ? `#${fragment}` : location.pathname + location.search);
  });
  addEventListener("hashchange", () => store.update(fromFragment(location.hash, facets, rows)));

  const text = element("details", { class: "text", open: report.flames.length > 0 }, element("summary", {}, "The whole report as text"), element("pre", { tabindex: 0 }, report.text));
  const graphs = report.flames.map(() => element("section", { class: "flames" }));
  const parts = [causes(report, store, showCalls), timeline.element, ...(rows ? [section] : []), ...tables(report, store, showCalls), ...graphs, text];
  document.body.append(head(report), element("main", {}, ...parts));
  graphs.forEach((graph, at) => flames(graph, report.flames[at]!));
  update();
}

/** The seconds of the rows of each value. */
function weights(facet: Facet, seconds: Float64Array): Float64Array {
  const sums = new Float64Array(facet.labels.length);
  for (let row = 0; row < seconds.length; row++)
    for (const value of facet.values[facet.keys[row]!] ?? []) sums[value]! += seconds[row]!;
  return sums;
}
