/** What the page knows of each language: its tokens, and the parts of a line with an operation. */
import { GRAMMARS } from "./grammars.ts";

export interface Token {
  from: number;
  to: number;
  kind: string;
}

/** Characters of a line that are coloured; nobody reads on, and a literal can have millions. */
const LONGEST = 5_000;

const compiled = new Map<string, { kinds: string[]; expression: RegExp }>();

/** The tokens of a line that have a colour, in their order. */
export function tokens(language: string, line: string): Token[] {
  const { kinds, expression } = grammar(language);
  const found: Token[] = [];
  for (const match of line.slice(0, LONGEST).matchAll(expression)) {
    const kind = kinds[match.findIndex((group, index) => index > 0 && group !== undefined) - 1]!;
    if (kind !== "plain" && match[0]) found.push({ from: match.index, to: match.index + match[0].length, kind });
  }
  return found;
}

function grammar(language: string) {
  let known = compiled.get(language);
  if (!known) {
    const pairs = GRAMMARS.get(language) ?? [["plain", "$^"]];
    const expression = new RegExp(pairs.map(([, one]) => `(${one})`).join("|"), "g");
    compiled.set(language, (known = { kinds: pairs.map(([kind]) => kind), expression }));
  }
  return known;
}

/** The lines that are inside a string of several lines: what a line alone does not show. Of Python alone. */
export function insideStrings(language: string, text: string): Set<number> {
  const inside = new Set<number>();
  if (language !== "python") return inside;
  let [line, at] = [0, 0];
  for (const match of text.matchAll(/#.*|("""|''')(?:[^\\]|\\[^])*?\1|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g)) {
    line += breaks(text.slice(at, match.index));
    at = match.index;
    if (match[1]) for (let more = breaks(match[0]); more > 0; more--) inside.add(line + more);
  }
  return inside;
}

function breaks(text: string): number {
  return text.split("\n").length - 1;
}

/** An operation as it is written in a line. */
export interface Operation {
  name: string;
  op: string;
  type: string;
}

const OPERATIONS = new Map([
  ["jaxpr", /^\s*(?<name>[a-z_]+)(?::(?<type>\S+))?(?<more>(?: [a-z_]+(?::\S+)?)*) = (?<op>[\w-]+)/],
  ["stablehlo", /^\s*(?:(?<name>%[\w.$-]+(?::\d+)?) = )?"?(?<op>[a-z]\w*\.\w+|call|return)"?\b/],
  ["hlo", /^\s*(?:ROOT )?%?(?<name>[A-Za-z_][\w.-]*) = (?<type>\(.*?\)|\S+) (?<op>[a-z][\w-]*)\(/],
  ["llvm", /^\s*(?:(?<name>%[\w.$-]+) = )?(?<op>[a-z]\w*)/],
]);

export function operation(language: string, line: string): Operation | undefined {
  const { name = "", op, type, more } = OPERATIONS.get(language)?.exec(line.slice(0, LONGEST))?.groups ?? {};
  if (!op) return undefined;
  return { name, op, type: language === "stablehlo" ? mlirType(line) : [type, more?.trim()].filter(Boolean).join(" ") };
}

/** What stands behind the last colon, of a function's type its result. */
function mlirType(line: string): string {
  const typed = line.replace(/ loc\(.*$/, "").split(" : ").at(-1)!;
  return typed === line ? "" : typed.split(" -> ").at(-1)!.replace(/ \{$/, "");
}

/** Whether an operation begins in this line: an equation may have several lines. */
export function begins(language: string, line: string): boolean {
  return language !== "jaxpr" || line.includes(" = ");
}

const NOUNS = new Map([
  ["python", "line"],
  ["jaxpr", "equation"],
  ["stablehlo", "operation"],
  ["hlo", "instruction"],
  ["llvm", "LLVM instruction"],
  ["asm", "machine instruction"],
]);

/** What a line of the language is called. */
export function noun(language: string): string {
  return NOUNS.get(language) ?? "text line";
}
