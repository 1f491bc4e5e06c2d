/** Elements: attributes, and children whose strings become text nodes. The program's text is never mark-up. */
export function el<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Record<string, string> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** A button that says what it does, and the key that does the same. */
export function button(text: string, title: string, run: () => void): HTMLButtonElement {
  const made = el("button", { type: "button", title, "aria-label": title.replace(/ \(.*\)$/, "") }, text);
  made.addEventListener("click", run);
  return made;
}

/** A field of `select` with options as pairs of value and text. */
export function choice(label: string, options: [string, string][], changed: (value: string) => void) {
  const made = el("select", { "aria-label": label, title: label });
  made.append(...options.map(([value, text]) => el("option", { value }, text)));
  made.addEventListener("change", () => changed(made.value));
  return made;
}
