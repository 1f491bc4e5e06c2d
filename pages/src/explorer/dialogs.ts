/** Windows over the page: they close with Escape, with their button, and with a click beside them. */
import { button, el } from "./dom.ts";
import type { PageData } from "./exploration.ts";
import { type Command, shownKeys } from "./keys.ts";

export class Window {
  readonly element: HTMLDialogElement;
  private readonly body = el("div", { class: "body" });

  constructor(title: string) {
    const close = button("×", "Close", () => this.element.close());
    this.element = el("dialog", { "aria-label": title }, el("header", {}, el("h2", {}, title), close), this.body);
    this.element.addEventListener("click", ({ target }) => target === this.element && this.element.close());
  }

  show(...content: Node[]): void {
    this.body.replaceChildren(...content);
    if (!this.element.open) this.element.showModal();
  }
}

/** What the keys do, what the marks mean, and how the page was made. */
export function help(page: PageData, commands: readonly Command[]): Node[] {
  const rows = commands.map((one) => el("tr", {}, el("td", {}, ...shownKeys(one)), el("td", {}, one.what)));
  const marks = [
    el("p", {}, el("span", { class: "swatch strong" }, "same operation"), " what a line became, and what it came from"),
    el("p", {}, el("span", { class: "swatch weak" }, "same line"), " what comes from the same line of Python, or calls it"),
  ];
  const made = el("p", { class: "muted" }, "Made by ", el("code", {}, page.command), page.about && ` · ${page.about}`);
  return [el("table", {}, el("tbody", {}, ...rows)), ...marks, made];
}
