/** A duration to about three digits, as in the terminal: `840 µs`, `12.3 ms`, `4.56 s`. */
export function duration(seconds: number): string {
  if (seconds < 1e-3) return `${Math.round(seconds * 1e6)} µs`;
  return seconds < 1 ? `${(seconds * 1e3).toFixed(1)} ms` : `${seconds.toFixed(2)} s`;
}

/** `1 call`, `2,000 calls`. */
export function count(number: number, one: string): string {
  return `${whole(number)} ${one}${number === 1 ? "" : "s"}`;
}

/** `1,234,567`. */
export function whole(number: number): string {
  return number.toLocaleString("en-US");
}
