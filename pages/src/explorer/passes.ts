/** A module after each of XLA's passes, and the history of an instruction in them: as `model/pass_histories.py`. */
export interface PassHistory {
  /** The different lines of all versions: heads of computations, which end in `{`, and instructions. */
  lines: string[];
  /** For each line, the index in `Exploration.sets` of what its metadata says. */
  sets: number[];
  /** The numbers of the lines before the first step. */
  first: number[];
  steps: Step[];
  /** So many passes before the first step changed lines, too. */
  left_out: number;
}

export interface Step {
  index: number;
  pipeline: string;
  pass_: string;
  /** How many lines stay, how many of those that follow are removed, and the numbers of those there instead. */
  edits: number[][];
  replaced: Replaced[];
}

export type How = "metadata" | "users" | "unknown";

interface Replaced {
  how: How;
  before: number[];
  after: number[];
}

export interface Replacement {
  how: How;
  others: string[];
  lines: string[];
  alike: string[];
}

/** What a pass did to an instruction. */
export interface PassEvent {
  /** The number of the version after the pass; 0 is the first, which no pass of these made. */
  version: number;
  event: "given" | "appeared" | "changed" | "moved" | "vanished";
  instruction: string;
  before: string | null;
  after: string | null;
  from: string | null;
  computation: string | null;
  calledBy: string[];
  fuses: string[];
  replacements: Replacement[];
}

/** A module between two passes: for the number of each name its line, and the line of its computation's head; -1 if it is not there. */
interface Version {
  numbers: Int32Array;
  at: Int32Array;
  heads: Int32Array;
}

/** Of more in the place of one, or that one was made of, each has a history of its own. */
const MOST_FOLLOWED = 8;
const DEFINED = /^(?:ROOT )?%?([\w.-]+) = /;
const HEAD = /^(?:ENTRY )?%?([^\s(]+) .*\{$/;
const CALLING = "calls|to_apply|body|condition|true_computation|false_computation|branch_computations|called_computations|comparator|select|scatter";
const CALLS = new RegExp(`\\b(?:${CALLING})=(\\{[^}]*\\}|%[\\w.-]+)`, "g");

export class Passes {
  readonly data: PassHistory;
  private readonly numbers = new Map<string, number>();
  private readonly names: string[] = [];
  /** The number of the name that a line defines, -1 for heads. */
  private readonly defines: Int32Array;
  private readonly versions: Version[];

  constructor(data: PassHistory) {
    this.data = data;
    this.defines = Int32Array.from(data.lines, (line) => this.numbered(DEFINED.exec(line)?.[1]));
    this.versions = replayed(data).map((numbers) => this.version(numbers));
  }

  private numbered(name: string | undefined): number {
    if (name === undefined) return -1;
    let number = this.numbers.get(name);
    if (number === undefined) {
      this.numbers.set(name, (number = this.names.length));
      this.names.push(name);
    }
    return number;
  }

  private version(numbers: Int32Array): Version {
    const at = new Int32Array(this.names.length).fill(-1);
    const heads = new Int32Array(this.names.length).fill(-1);
    let head = -1;
    for (const number of numbers) {
      const name = this.defines[number]!;
      if (name < 0) head = number;
      else [at[name], heads[name]] = [number, head];
    }
    return { numbers, at, heads };
  }

  /** Instructions that some version has and whose metadata says one of these sets; those of the last version come first. */
  from(sets: Set<number>): string[] {
    const found = new Set<number>();
    this.data.sets.forEach((set, line) => {
      if (sets.has(set) && this.defines[line]! >= 0) found.add(this.defines[line]!);
    });
    const { at } = this.versions.at(-1)!;
    const rank = (name: number) => (at[name]! < 0 ? 1 : 0);
    return [...found].sort((one, other) => rank(one) - rank(other)).map((name) => this.names[name]!);
  }

  has(name: string): boolean {
    return this.numbers.has(name);
  }

  /** Whether the module that XLA ended with has it. */
  isKept(name: string): boolean {
    return this.isIn(this.versions.at(-1)!, name);
  }

  /** Its last appearance, back to what it was made of, and on to what replaced it. */
  of(name: string): PassEvent[] {
    const last = this.versions.findLastIndex((version) => this.isIn(version, name));
    if (last < 0) return [];
    const earlier: PassEvent[][] = [];
    let followed = [name];
    for (let version = last; version > 0; version--) {
      const events = this.events(version, followed);
      earlier.unshift(events);
      followed = next(followed, events, "appeared");
    }
    const given = followed.map((one) => this.given(one));
    const later: PassEvent[] = [];
    followed = [name];
    for (let version = last + 1; version < this.versions.length; version++) {
      const events = this.events(version, followed);
      later.push(...events);
      followed = next(followed, events, "vanished").filter((one) => this.isIn(this.versions[version]!, one));
    }
    return [...given, ...earlier.flat(), ...later];
  }

  private isIn(version: Version, name: string): boolean {
    const number = this.numbers.get(name);
    return number !== undefined && version.at[number]! >= 0;
  }

  private line(version: Version, name: string): string | null {
    return this.isIn(version, name) ? this.data.lines[version.at[this.numbers.get(name)!]!]! : null;
  }

  private computation(version: Version, name: string): string | null {
    const head = this.isIn(version, name) ? version.heads[this.numbers.get(name)!]! : -1;
    return head < 0 ? null : (HEAD.exec(this.data.lines[head]!)?.[1] ?? null);
  }

  private given(name: string): PassEvent {
    const version = this.versions[0]!;
    const computation = this.computation(version, name);
    const known = { instruction: name, before: null, after: this.line(version, name), from: null, computation };
    return { version: 0, event: "given", ...known, calledBy: this.callers(version, computation), fuses: [], replacements: [] };
  }

  private events(version: number, names: string[]): PassEvent[] {
    return names.flatMap((name) => this.event(version, name) ?? []);
  }

  private event(version: number, instruction: string): PassEvent | undefined {
    const [was, is] = [this.versions[version - 1]!, this.versions[version]!];
    const [before, after] = [this.line(was, instruction), this.line(is, instruction)];
    const [from, computation] = [this.computation(was, instruction), this.computation(is, instruction)];
    if (before === after && from === computation) return undefined;
    const event = before === null ? "appeared" : after === null ? "vanished" : before === after ? "moved" : "changed";
    const isOther = event === "appeared" || event === "vanished";
    const fuses = event === "appeared" ? this.fused(is, after!) : [];
    const replacements = isOther ? this.replacements(version, instruction, before === null) : [];
    const calledBy = this.callers(is, computation);
    return { version, event, instruction, before, after, from, computation, calledBy, fuses, replacements };
  }

  /** Those known; if there are none, those that may be. */
  private replacements(version: number, name: string, isNew: boolean): Replacement[] {
    const side = this.versions[isNew ? version : version - 1]!;
    const number = side.at[this.numbers.get(name)!]!;
    const links = this.data.steps[version - 1]!.replaced.filter((one) => (isNew ? one.after : one.before).includes(number));
    const known = links.filter(({ how }) => how !== "unknown");
    return (known.length ? known : links).map(({ how, before, after }) => {
      const [own, others] = isNew ? [after, before] : [before, after];
      const alike = own.filter((line) => line !== number).map((line) => this.name(line));
      return { how, others: others.map((line) => this.name(line)), lines: others.map((line) => this.data.lines[line]!), alike };
    });
  }

  private name(line: number): string {
    return this.names[this.defines[line]!]!;
  }

  /** The instructions that call a computation. */
  private callers(version: Version, computation: string | null): string[] {
    if (computation === null) return [];
    return this.lines(version)
      .filter(([line]) => line.includes(computation) && called(line).includes(computation))
      .map(([, name]) => this.names[name]!);
  }

  /** The lines of instructions, and the numbers of their names. */
  private lines(version: Version): [string, number][] {
    const found: [string, number][] = [];
    for (const line of version.numbers) if (this.defines[line]! >= 0) found.push([this.data.lines[line]!, this.defines[line]!]);
    return found;
  }

  /** What is in the computation of a fusion, without its parameters. */
  private fused(version: Version, line: string): string[] {
    const inside = / fusion\(/.test(line) ? called(line) : [];
    if (!inside.length) return [];
    return this.lines(version)
      .filter(([one, name]) => !/ parameter\(\d+\)/.test(one) && inside.includes(this.computation(version, this.names[name]!) ?? ""))
      .map(([, name]) => this.names[name]!);
  }

  /** The computation that an instruction is in, in a version: its lines, and which of them is the instruction's. */
  around(number: number, instruction: string): { lines: string[]; at: number } {
    const version = this.versions[number]!;
    const name = this.numbers.get(instruction)!;
    const start = version.numbers.indexOf(version.heads[name]!);
    let end = start + 1;
    while (end < version.numbers.length && this.defines[version.numbers[end]!]! >= 0) end++;
    const numbers = version.numbers.slice(start, end);
    return { lines: Array.from(numbers, (line) => this.data.lines[line]!), at: numbers.indexOf(version.at[name]!) };
  }
}

function called(line: string): string[] {
  return [...line.matchAll(CALLS)].flatMap(([, names]) => [...names!.matchAll(/%([\w.-]+)/g)].map(([, name]) => name!));
}

function replayed({ first, steps }: PassHistory): Int32Array[] {
  const versions: Int32Array[] = [Int32Array.from(first)];
  for (const { edits } of steps) versions.push(edited(versions.at(-1)!, edits));
  return versions;
}

export function edited(before: Int32Array, edits: readonly number[][]): Int32Array {
  const added = edits.reduce((sum, [, removed = 0, ...numbers]) => sum + numbers.length - removed, 0);
  const after = new Int32Array(before.length + added);
  let [from, to] = [0, 0];
  for (const [stay = 0, removed = 0, ...numbers] of edits) {
    after.set(before.subarray(from, from + stay), to);
    after.set(numbers, to + stay);
    from += stay + removed;
    to += stay + numbers.length;
  }
  after.set(before.subarray(from), to);
  return after;
}

/** Each that is there on the other side of the pass, or what is in its place there. */
function next(names: string[], events: PassEvent[], end: PassEvent["event"]): string[] {
  const ended = new Map(events.filter(({ event }) => event === end).map((one) => [one.instruction, one]));
  const found = new Set<string>();
  for (const name of names) {
    const links = ended.get(name)?.replacements.filter(({ how }) => how !== "unknown");
    const known = links?.flatMap(({ others }) => others) ?? [name];
    if (known.length <= MOST_FOLLOWED) for (const one of known) found.add(one);
  }
  return [...found];
}
