/** The calls, a page of them at a time, so that a million are as quick as ten. */
import { element } from "../shared/elements.ts";
import { duration, whole } from "../shared/words.ts";
import { details } from "./details.ts";
import { sentence } from "./reasons.ts";
import type { Report } from "./report.ts";
import { PAGE, pages, turned } from "./rows.ts";
import type { Store } from "./state.ts";

export interface Calls {
  element: HTMLElement;
  /** Shows these rows, in this order. */
  update(rows: Uint32Array): void;
  /** Opens a row, on the page where it is, and moves the focus there. */
  go(row: number): void;
}

export function calls(report: Report, store: Store, seconds: Float64Array, showRow: (row: number) => void): Calls {
  const hasExecutables = report.columns.executable.some((number) => number > 0);
  const columns = hasExecutables ? 6 : 5;
  const order = head("#", "order", store), time = head("time", "time", store);
  const heads = [order, plainHead("status"), ...(hasExecutables ? [plainHead("executable")] : []), time, plainHead("call"), plainHead("reason")];
  const body = element("tbody", { role: "rowgroup" });
  const table = element(
    "table",
    { class: "calls", role: "table", "aria-label": "Calls" },
    element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, ...heads)),
    body,
  );
  const pager = turner(store);
  const nothing = element("p", { class: "muted", hidden: true }, "No call matches these filters.");
  let rows = new Uint32Array();

  function draw(): void {
    const { page, open, sort } = store.state;
    const at = Math.min(page, pages(rows.length) - 1);
    const focused = (document.activeElement?.closest("tbody tr") as HTMLElement | null)?.dataset.row;
    const made: HTMLElement[] = [];
    for (const row of rows.subarray(at * PAGE, (at + 1) * PAGE)) {
      made.push(line(report, row, seconds[row]!, open.has(row), hasExecutables));
      if (open.has(row)) made.push(details(report, row, columns, showRow));
    }
    body.replaceChildren(...made);
    if (focused !== undefined) button(Number(focused))?.focus();
    table.hidden = rows.length === 0;
    nothing.hidden = rows.length > 0;
    order.setAttribute("aria-sort", sort === "order" ? "ascending" : sort === "-order" ? "descending" : "none");
    time.setAttribute("aria-sort", sort === "time" ? "ascending" : sort === "-time" ? "descending" : "none");
    pager.update(at, rows.length);
  }

  const button = (row: number) => body.querySelector<HTMLElement>(`tr[data-row="${row}"] button`);
  const toggle = (row: number) => {
    const open = new Set(store.state.open);
    if (!open.delete(row)) open.add(row);
    store.update({ open });
  };

  body.addEventListener("click", (event) => {
    const target = event.target as HTMLElement;
    const line = target.closest<HTMLElement>("tr.line");
    const isSelecting = getSelection()?.toString() && !target.closest("button");
    if (line && !isSelecting) toggle(Number(line.dataset.row));
  });
  body.addEventListener("keydown", (event) => {
    const lines = [...body.querySelectorAll<HTMLElement>("tr.line button")];
    const at = lines.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: lines.length - 1 }[event.key];
    if (at < 0 || to === undefined || !lines[to]) return;
    event.preventDefault();
    lines[to].focus();
  });
  store.on((changed) => {
    const isOfRows = "chosen" in changed || "text" in changed || "sort" in changed;
    if (!isOfRows && ("page" in changed || "open" in changed)) draw();
  });

  return {
    element: element("div", { class: "rows" }, pager.element, table, nothing),
    update(found) {
      rows = found as Uint32Array<ArrayBuffer>;
      draw();
    },
    go(row) {
      const at = rows.indexOf(row);
      store.update({ page: Math.floor(at / PAGE), open: new Set([...store.state.open, row]) });
      button(row)?.focus({ preventScroll: true });
      button(row)?.closest("tr")?.scrollIntoView({ block: "center" });
    },
  };
}

function plainHead(text: string): HTMLElement {
  return element("th", { role: "columnheader", scope: "col" }, text);
}

function head(text: string, column: "order" | "time", store: Store): HTMLElement {
  const button = element("button", { type: "button", title: `Sort by ${column}`, "aria-label": text === "#" ? "order" : text }, text);
  button.addEventListener("click", () => store.update({ sort: turned(store.state.sort, column) }));
  return element("th", { role: "columnheader", scope: "col", class: column, "aria-sort": "none" }, button);
}

function line(report: Report, row: number, seconds: number, isOpen: boolean, hasExecutables: boolean): HTMLElement {
  const { columns } = report;
  const status = report.statuses[columns.status[row]!]!;
  const executable = columns.executable[row]!;
  const place = [report.sites[columns.site[row]!], report.processes[columns.process[row]!]].filter(Boolean).join(" · ");
  const toggle = element("button", { type: "button", class: "toggle", "aria-expanded": String(isOpen) }, String(columns.number[row]!));
  const cells = [
    cell("number", toggle),
    cell("status", element("span", { class: `status ${status === "–" ? "none" : status}` }, status)),
    ...(hasExecutables ? [cell("executable", executable ? `#${executable}` : "")] : []),
    cell("time", seconds ? duration(seconds) : ""),
    cell("call", element("code", {}, report.signatures[columns.signature[row]!]!), element("span", { class: "muted at" }, place)),
    cell("reasons", ...why(report, row)),
  ];
  return element("tr", { role: "row", class: status === "CACHED" ? "line cached" : "line", "data-row": row }, ...cells);
}

function cell(name: string, ...children: (Node | string)[]): HTMLElement {
  return element("td", { role: "cell", class: name }, ...children);
}

function why(report: Report, row: number): HTMLElement[] {
  const { reasons, more, work } = report.differences[report.columns.difference[row]!]!;
  const all = reasons.map((at) => report.reasons[at]!);
  const hint = all.find((reason) => reason.hint)?.hint;
  const error = report.details[row]?.find(([name]) => name === "error" || name.startsWith("raised"))?.[1];
  return [
    ...(error ? [element("span", { class: "error" }, error)] : []),
    ...(report.columns.avoidable[row] ? [element("span", { class: "badge" }, "avoidable")] : []),
    ...(work ? [element("span", { class: "muted" }, work)] : []),
    ...all.slice(0, 3).map(sentence),
    ...(all.length > 3 || more ? [element("span", { class: "muted" }, `+${Math.max(all.length - 3, 0) + more} more`)] : []),
    ...(hint ? [element("span", { class: "hint" }, hint)] : []),
  ];
}

interface Pager {
  element: HTMLElement;
  update(page: number, rows: number): void;
}

function turner(store: Store): Pager {
  let page = 0;
  const told = element("output", { "aria-live": "polite" });
  const turn = (name: string, text: string, to: () => number) =>
    element("button", { type: "button", "aria-label": name, click: () => store.update({ page: to() }) }, text);
  let last = 0;
  const back = [turn("First page", "«", () => 0), turn("Previous page", "‹", () => page - 1)];
  const on = [turn("Next page", "›", () => page + 1), turn("Last page", "»", () => last)];
  const buttons = element("span", { class: "pages" }, ...back, ...on);
  return {
    element: element("nav", { class: "pager", "aria-label": "Pages of calls" }, told, buttons),
    update(now, rows) {
      [page, last] = [now, pages(rows) - 1];
      const first = page * PAGE + 1, end = Math.min((page + 1) * PAGE, rows);
      const part = last ? `${whole(first)} to ${whole(end)} of ` : "";
      told.textContent = `${part}${whole(rows)} ${rows === 1 ? "row" : "rows"}`;
      back.forEach((one) => (one.disabled = page === 0));
      on.forEach((one) => (one.disabled = page === last));
      buttons.hidden = last === 0;
    },
  };
}
