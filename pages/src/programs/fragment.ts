/** What the user chose to see, as the fragment of a URL, which can be sent; it has names, not numbers. */
import { FACETS, nothingChosen, type Facet } from "./filters.ts";
import { SORTS } from "./rows.ts";
import { atFirst, type State } from "./state.ts";

export function toFragment(state: State, facets: Facet[]): string {
  const words = new URLSearchParams();
  for (const facet of facets)
    for (const value of state.chosen[facet.name]) words.append(facet.name, label(facet, value));
  if (state.text) words.set("text", state.text);
  if (state.sort !== "order") words.set("sort", state.sort);
  if (state.page) words.set("page", String(state.page + 1));
  for (const row of state.open) words.append("open", String(row));
  if (state.view) words.set("view", state.view.map((at) => at.toFixed(6)).join("~"));
  return words.toString();
}

/** What is not known, as of another report, is left out. */
export function fromFragment(fragment: string, facets: Facet[], rows: number): State {
  const words = new URLSearchParams(fragment.replace(/^#/, ""));
  const chosen = { ...nothingChosen() };
  for (const name of FACETS) {
    const facet = facets.find((one) => one.name === name);
    if (facet) chosen[name] = new Set(words.getAll(name).map((word) => numbered(facet, word)).filter((at) => at >= 0));
  }
  const open = words.getAll("open").map(Number).filter((row) => Number.isInteger(row) && row >= 0 && row < rows);
  return {
    ...atFirst(),
    chosen,
    text: words.get("text") ?? "",
    sort: SORTS.find((sort) => sort === words.get("sort")) ?? "order",
    page: Math.max(Math.trunc(Number(words.get("page"))) - 1 || 0, 0),
    open: new Set(open),
    view: view(words.get("view")),
  };
}

function label(facet: Facet, value: number): string {
  return facet.labels[value]!.join(" ").trim();
}

function numbered(facet: Facet, word: string): number {
  return facet.labels.findIndex((_, value) => label(facet, value) === word);
}

function view(word: string | null): State["view"] {
  const [from, to] = (word ?? "").split("~").map(Number);
  return from !== undefined && to !== undefined && from < to ? [from, to] : null;
}
