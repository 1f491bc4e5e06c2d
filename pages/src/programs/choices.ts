/** The filters: a list of checkboxes for each, with the number of rows that each would show. */
import { element } from "../shared/elements.ts";
import { whole } from "../shared/words.ts";
import { nothingChosen, type Facet, type Found } from "./filters.ts";
import type { Store } from "./state.ts";

const FEW = 8;
const MOST = 300;

export interface Choices {
  element: HTMLElement;
  /** Shows the counts of what was found. */
  update(found: Found): void;
}

/** `weights` ranks the values of a filter: the seconds of their rows. */
export function choices(facets: Facet[], store: Store, weights: (facet: Facet) => Float64Array): Choices {
  const search = element("input", { type: "search", placeholder: "Search", "aria-label": "Search calls and reasons" });
  search.value = store.state.text;
  search.addEventListener("input", () => store.update({ text: search.value }));
  store.on((changed) => {
    if (changed.text !== undefined && changed.text !== search.value) search.value = changed.text;
  });
  const reset = element("button", { type: "button", click: () => store.update({ chosen: nothingChosen(), text: "" }) }, "Show all");
  const groups = facets.map((facet) => group(facet, store, weights(facet)));
  return {
    element: element("div", { class: "choices", role: "group", "aria-label": "Filters" }, element("div", { class: "search" }, search, reset), ...groups.map((one) => one.element)),
    update(found) {
      const { chosen, text } = store.state;
      reset.disabled = !text && Object.values(chosen).every((values) => values.size === 0);
      groups.forEach((one) => one.update(found));
    },
  };
}

function group(facet: Facet, store: Store, weights: Float64Array): Choices {
  const ranked = facet.labels.map((_, value) => value).sort((one, other) => weights[other]! - weights[one]! || one - other);
  const boxes = new Map<number, Box>();
  const list = element("div", { class: "values" });
  const told = element("span", { class: "muted" });
  const more = element("button", { type: "button", class: "more" });
  let last: Found | undefined, isWhole = facet.labels.length <= FEW + 1;
  const show = (found: Found) => {
    last = found;
    const chosen = store.state.chosen[facet.name];
    told.textContent = chosen.size ? `  ${[...chosen].map((value) => facet.labels[value]![0]).join(", ")}` : "";
    const wanted = ranked.filter((value, rank) => rank < (isWhole ? MOST : FEW) || chosen.has(value));
    for (const value of wanted) if (!boxes.has(value)) boxes.set(value, box(facet, value, store));
    const elements = wanted.map((value) => boxes.get(value)!.element);
    if (elements.length !== list.children.length || elements.some((one, at) => one !== list.children[at])) list.replaceChildren(...elements);
    for (const value of wanted) boxes.get(value)!.update(found.counts.get(facet.name)![value]!, chosen.has(value));
    const left = facet.labels.length - wanted.length;
    more.hidden = left <= 0;
    more.disabled = isWhole;
    more.textContent = `${whole(left)} more${isWhole ? ": search for them" : ""}`;
  };
  more.addEventListener("click", () => {
    isWhole = true;
    if (last) show(last);
    list.querySelectorAll("input")[FEW]?.focus();
  });
  const narrow = matchMedia("(max-width: 900px)").matches;
  const isChosen = store.state.chosen[facet.name].size > 0;
  const made = element("details", { open: !narrow || isChosen }, element("summary", {}, facet.title, told), list, more);
  return { element: made, update: show };
}

interface Box {
  element: HTMLElement;
  update(count: number, isChosen: boolean): void;
}

function box(facet: Facet, value: number, store: Store): Box {
  const [label, more] = facet.labels[value]!;
  const input = element("input", { type: "checkbox" });
  input.addEventListener("change", () => {
    const chosen = new Set(store.state.chosen[facet.name]);
    if (input.checked) chosen.add(value);
    else chosen.delete(value);
    store.update({ chosen: { ...store.state.chosen, [facet.name]: chosen } });
  });
  const number = element("span", { class: "count" });
  const text = element("span", { class: "label", title: `${label} ${more}`.trim() }, ending(label), ...(more ? [element("span", { class: "muted" }, `  ${ending(more)}`)] : []));
  const made = element("label", {}, input, text, number);
  return {
    element: made,
    update(count, isChosen) {
      input.checked = isChosen;
      number.textContent = whole(count);
      made.classList.toggle("none", count === 0 && !isChosen);
    },
  };
}

/** A long path by its end: `…/models/attention.py:41`. */
function ending(label: string): string {
  const parts = label.split("/");
  return label.length > 24 && parts.length > 2 ? `…/${parts.slice(-2).join("/")}` : label;
}
