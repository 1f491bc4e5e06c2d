/** All that is known of a row, below it. */
import { element } from "../shared/elements.ts";
import { duration } from "../shared/words.ts";
import { sentence } from "./reasons.ts";
import type { Report } from "./report.ts";

export function details(report: Report, row: number, columns: number, showRow: (row: number) => void): HTMLElement {
  const list = element("dl");
  const say = (name: string, ...values: (Node | string)[]) =>
    list.append(element("dt", {}, name), ...values.map((value) => element("dd", {}, value)));
  const { columns: of, functions, differences } = report;
  const [name, definition] = functions[of.function[row]!]!;
  say("function", element("code", {}, name), ...(definition ? [`defined at ${definition}`] : []));
  if (report.sites[of.site[row]!]) say("called at", report.sites[of.site[row]!]!);
  const stages = (["trace", "lower", "compile"] as const).filter((stage) => of[stage][row]);
  if (stages.length) say("stages", stages.map((stage) => `${stage} ${duration(of[stage][row]!)}`).join(", "));
  if (of.nearest[row]! >= 0) say("compared with", nearest(report, of.nearest[row]!, showRow));
  const { reasons, more } = differences[of.difference[row]!]!;
  for (const reason of reasons.map((at) => report.reasons[at]!)) {
    const hint = reason.hint ? [element("span", { class: "hint" }, reason.hint)] : [];
    const could = reason.avoidable ? [element("span", { class: "badge" }, "avoidable")] : [];
    say(reason.kind, element("div", { class: "reasons" }, ...could, sentence(reason), ...hint));
  }
  if (more) say("differences", `${more} more, not listed`);
  if (report.processes[of.process[row]!]) say("process", report.processes[of.process[row]!]!);
  for (const [what, text] of report.details[row] ?? [])
    say(what, text.includes("\n") ? element("pre", { tabindex: 0 }, text) : text);
  return element("tr", { role: "row", class: "details" }, element("td", { role: "cell", colspan: columns }, list));
}

function nearest(report: Report, row: number, showRow: (row: number) => void): HTMLElement {
  const text = `${report.columns.number[row]}  ${report.signatures[report.columns.signature[row]!]}`;
  return element("button", { type: "button", class: "link", click: () => showRow(row) }, text);
}
