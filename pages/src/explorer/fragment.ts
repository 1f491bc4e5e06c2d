/** A view in the fragment of the page's address, so that it can be sent: `#panes=net.py,hlo&at=hlo:120&heat=bytes`. */
export interface View {
  panes: string[];
  /** In percent of the page, one for each pane. */
  widths: number[];
  /** The chosen line, with the number that its pane shows for it. */
  at: { pane: string; line: number } | null;
  heat: string | null;
}

/** Of heat: none, on a page that begins with some. */
export const OFF = "none";

export function format(view: View): string {
  const parts = [`panes=${view.panes.map(encoded).join(",")}`];
  if (view.widths.length > 1) parts.push(`widths=${view.widths.map(Math.round).join(",")}`);
  if (view.at) parts.push(`at=${encoded(view.at.pane)}:${view.at.line}`);
  if (view.heat) parts.push(`heat=${encoded(view.heat)}`);
  return `#${parts.join("&")}`;
}

/** What of a view a fragment says. Parts that say nothing sensible are left out: anybody can write one. */
export function parse(fragment: string): Partial<View> {
  const view: Partial<View> = {};
  for (const part of fragment.replace(/^#/, "").split("&")) {
    const [key, value] = [part.slice(0, part.indexOf("=")), part.slice(part.indexOf("=") + 1)];
    Object.assign(view, READERS.get(key)?.(value));
  }
  return view;
}

const READERS = new Map<string, (value: string) => Partial<View> | undefined>([
  ["panes", (value) => ifAny({ panes: value.split(",").flatMap((name) => decoded(name) ?? []) })],
  ["widths", (value) => widths(value.split(",").map(Number))],
  ["at", (value) => chosen(value)],
  ["heat", (value) => ({ heat: value === OFF ? null : decoded(value) || null })],
]);

function ifAny(view: { panes: string[] }): Partial<View> | undefined {
  return view.panes.some(Boolean) ? { panes: view.panes.filter(Boolean) } : undefined;
}

function widths(numbers: number[]): Partial<View> | undefined {
  return numbers.every((width) => width >= 1 && width <= 100) ? { widths: numbers } : undefined;
}

function chosen(value: string): Partial<View> | undefined {
  const [, name, line] = /^(.+):(\d{1,9})$/.exec(value) ?? [];
  const pane = name === undefined ? undefined : decoded(name);
  return pane ? { at: { pane, line: Number(line) } } : undefined;
}

/** Slashes and spaces of a path can be read. */
function encoded(name: string): string {
  return encodeURIComponent(name).replaceAll("%2F", "/");
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined; // a lone percent sign, say
  }
}
