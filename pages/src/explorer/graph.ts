/** What is near an operation: its operands and theirs, its users and theirs. */
export interface Graph {
  /** Lines of operations; the one asked for is the first. */
  nodes: number[];
  /** From operand to user. */
  edges: [operand: number, user: number][];
  /** Neighbours that are within reach, but over the number to show. */
  left: number;
}

const STEPS = 2;
const MOST = 40;

/** `operands`: the line of an operation, and those of its operands. */
export function near(operands: readonly number[][], line: number): Graph | undefined {
  const into = new Map(operands.map(([user, ...of]) => [user!, [...new Set(of)]]));
  const users = inverse(into);
  if (!into.has(line) && !users.has(line)) return undefined;
  const reached = [...new Set([line, ...interleaved(walk(into, line), walk(users, line))])];
  const nodes = reached.slice(0, MOST);
  return { nodes, edges: among(new Set(nodes), into), left: reached.length - nodes.length };
}

function inverse(into: Map<number, number[]>): Map<number, number[]> {
  const users = new Map<number, number[]>();
  for (const [user, of] of into) {
    for (const operand of of) {
      const known = users.get(operand);
      if (known) known.push(user);
      else users.set(operand, [user]);
    }
  }
  return users;
}

/** The nearest first. */
function walk(next: Map<number, number[]>, line: number): number[] {
  const found = new Set([line]);
  let edge = [line];
  for (let step = 0; step < STEPS; step++) {
    edge = edge.flatMap((from) => next.get(from) ?? []).filter((to) => !found.has(to));
    edge.forEach((to) => found.add(to));
  }
  return [...found];
}

/** So that many users do not take the room of the operands. */
function interleaved(some: number[], others: number[]): number[] {
  const length = Math.max(some.length, others.length);
  return Array.from({ length }, (_, index) => [some[index], others[index]])
    .flat()
    .filter((line) => line !== undefined);
}

function among(nodes: Set<number>, into: Map<number, number[]>): [number, number][] {
  return [...nodes].flatMap((user) =>
    (into.get(user) ?? []).filter((operand) => nodes.has(operand)).map((operand): [number, number] => [operand, user]),
  );
}
