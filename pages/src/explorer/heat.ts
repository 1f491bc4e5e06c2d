/** How hot lines are: their FLOPs, bytes or measured seconds. */
import type { Cost, Exploration, Pane } from "./exploration.ts";
import { amount, duration, size } from "./figures.ts";

export const QUANTITIES = ["flops", "bytes", "seconds"] as const;
export type Quantity = (typeof QUANTITIES)[number];

const WORDS: Record<Quantity, (number: number) => string> = {
  flops: (number) => `${amount(number)} FLOPs`,
  bytes: size,
  seconds: duration,
};

export interface Heat {
  /** Of the hottest line of the pane: above 0, up to 1. */
  share: number;
  title: string;
}

/** The quantities that some line has. */
export function quantities(exploration: Exploration): Quantity[] {
  return QUANTITIES.filter((quantity) => exploration.panes.some((pane) => pane.costs.some((cost) => cost[quantity])));
}

/** Of each line that has any. */
export function heats(pane: Pane, quantity: Quantity): Map<number, Heat> {
  const hot = pane.costs.filter((cost) => cost[quantity]);
  const most = hot.reduce((most, cost) => Math.max(most, cost[quantity]!), 0);
  return new Map(
    hot.map((cost) => [cost.line, { share: cost[quantity]! / most, title: WORDS[quantity](cost[quantity]!) }]),
  );
}

/** `104 M FLOPs · 3.99 MB · 1.58 ms`: of each line, what it has. */
export function costsOf(pane: Pane): Map<number, string> {
  return new Map(pane.costs.map((cost) => [cost.line, words(cost)]));
}

function words(cost: Cost): string {
  const some = QUANTITIES.filter((quantity) => cost[quantity]);
  return some.map((quantity) => WORDS[quantity](cost[quantity]!)).join(" · ");
}
