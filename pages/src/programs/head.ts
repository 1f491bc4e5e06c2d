/** What was run, its totals, and what is to be known of it. */
import { element } from "../shared/elements.ts";
import { themed } from "../shared/theme.ts";
import type { Message, Report } from "./report.ts";

export function head(report: Report): HTMLElement {
  const theme = element("button", { type: "button" });
  themed(theme);
  return element(
    "header",
    {},
    element(
      "div",
      { class: "title" },
      element("h1", {}, element("span", { class: "muted" }, `${report.command} `), element("code", {}, report.subject)),
      theme,
    ),
    element("p", { class: "muted about" }, report.about),
    element("ul", { class: "totals", "aria-label": "Totals" }, ...report.totals.map((text) => element("li", {}, text)), ...avoidable(report)),
    ...(report.messages.length ? [messages(report.messages)] : []),
  );
}

function avoidable(report: Report): Node[] {
  return report.avoidable ? [element("li", { class: "avoidable" }, report.avoidable)] : [];
}

function messages(all: Message[]): HTMLElement {
  const items = all.map(({ sort, text, details }) => {
    const lines = details.map((line) => element("li", {}, line));
    return element("li", { class: `message ${sort}` }, text, ...(lines.length ? [element("ul", {}, ...lines)] : []));
  });
  return element("ul", { class: "messages", "aria-label": "Messages" }, ...items);
}
