/** What was compiled again, ranked by the seconds that would be saved. A click shows these calls alone. */
import { element } from "../shared/elements.ts";
import { duration } from "../shared/words.ts";
import { nothingChosen, type Chosen } from "./filters.ts";
import type { Cause, Report } from "./report.ts";
import type { Store } from "./state.ts";

const FEW = 8;

export function causes(report: Report, store: Store, show: () => void): HTMLElement {
  const again = report.ranked.filter((cause) => !cause.first);
  const avoidable = again.filter((cause) => cause.avoidable);
  const needed = again.filter((cause) => !cause.avoidable);
  const most = again.reduce((known, cause) => Math.max(known, size(cause)), 0);
  const list = (ones: Cause[]) => shownCauses(ones, (cause) => card(cause, most, report, store, show));
  return element(
    "section",
    { "aria-labelledby": "causes" },
    element("h2", { id: "causes" }, "Avoidable time"),
    element("p", { class: "muted" }, avoidable.length ? saved(report.seconds) : "Nothing is known to be avoidable."),
    ...(avoidable.length ? list(avoidable) : []),
    ...(needed.length ? [element("h3", {}, "Compiled again for other causes"), ...list(needed)] : []),
  );
}

/** Of calls that were only planned no time is known: their number is. */
function size(cause: Cause): number {
  return cause.seconds || cause.count;
}

function saved(seconds: number): string {
  const time = seconds ? `${duration(seconds)} would be saved` : "These would be saved";
  return `${time}: without these compilations the program gets the same results. A click shows the calls.`;
}

function shownCauses(causes: Cause[], made: (cause: Cause) => HTMLElement): HTMLElement[] {
  const list = element("ol", { class: "causes" }, ...causes.slice(0, FEW).map(made));
  if (causes.length <= FEW) return [list];
  const more = element("button", { type: "button", click: () => {
    list.append(...causes.slice(FEW).map(made));
    list.querySelectorAll("button")[FEW]?.focus();
    more.remove();
  } }, `Show ${causes.length - FEW} more`);
  return [list, more];
}

function card(cause: Cause, most: number, report: Report, store: Store, show: () => void): HTMLElement {
  const [name] = report.functions[cause.function]!;
  const bar = element("span", { class: "bar", "aria-hidden": "true" });
  bar.style.width = `${(100 * size(cause)) / most}%`;
  const more = cause.count > 1 ? `  and ${cause.count - 1} more like it` : "";
  const button = element(
    "button",
    { type: "button", class: cause.avoidable ? "cause avoidable" : "cause", "aria-pressed": "false" },
    element("span", { class: "saved" }, cause.seconds ? duration(cause.seconds) : `${cause.count} ×`),
    element("span", { class: "track", "aria-hidden": "true" }, bar),
    element(
      "span",
      { class: "what" },
      ...(cause.seconds ? [element("span", { class: "times" }, `${cause.count} × `)] : []),
      element("code", {}, cause.text),
      element("span", { class: "muted" }, more),
    ),
    element("span", { class: "where muted" }, element("code", {}, name), ` called at ${report.sites[cause.site] || "an unknown line"}`),
    ...(cause.hint ? [element("span", { class: "hint" }, cause.hint)] : []),
  );
  const mine = chosenBy(cause);
  button.addEventListener("click", () => {
    store.update({ chosen: isChosen(store.state.chosen, mine) ? nothingChosen() : mine, text: "" });
    show();
  });
  const press = () => button.setAttribute("aria-pressed", String(isChosen(store.state.chosen, mine)));
  store.on((changed) => changed.chosen && press());
  press();
  return element("li", {}, button);
}

function chosenBy(cause: Cause): Chosen {
  return {
    ...nothingChosen(),
    avoidable: new Set(cause.avoidable ? [0] : []),
    cause: new Set([cause.cause]),
    function: new Set([cause.function]),
    site: new Set([cause.site]),
  };
}

function isChosen(chosen: Chosen, mine: Chosen): boolean {
  return Object.entries(mine).every(([name, wanted]) => {
    const now = chosen[name as keyof Chosen];
    return now.size === wanted.size && [...wanted].every((value) => now.has(value));
  });
}
