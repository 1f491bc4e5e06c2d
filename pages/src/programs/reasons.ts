/** Why a call was not cached. */
import { element } from "../shared/elements.ts";
import type { Reason } from "./report.ts";

/** The sentence of a reason, with what was before and what is now told apart. */
export function sentence(reason: Reason): HTMLElement {
  const change = `${reason.before} → ${reason.now}`;
  const at = reason.before && reason.now ? reason.text.indexOf(change) : -1;
  if (at < 0) return element("span", { class: "reason" }, reason.text);
  return element(
    "span",
    { class: "reason" },
    reason.text.slice(0, at),
    element("del", {}, reason.before!),
    " → ",
    element("ins", {}, reason.now!),
    reason.text.slice(at + change.length),
  );
}
