/** Numbers as the terminal writes them: `104 M`, `3.99 MB`, `1.58 ms`. */
export function amount(number: number): string {
  return scaled(number, ["", "k", "M", "G", "T", "P", "E"]);
}

export function size(bytes: number): string {
  return scaled(bytes, ["B", "kB", "MB", "GB", "TB", "PB", "EB"]);
}

export function duration(seconds: number): string {
  return scaled(seconds * 1e9, ["ns", "µs", "ms", "s"]);
}

/** `1 equation`, `1,200 equations`. */
export function count(number: number, what: string): string {
  return `${number.toLocaleString("en")} ${what}${number === 1 ? "" : "s"}`;
}

function scaled(number: number, units: readonly string[]): string {
  let power = 0;
  for (; number >= 999.5 && power < units.length - 1; power++) number /= 1000;
  const digits = power === 0 || number >= 99.95 ? 0 : number >= 9.995 ? 1 : 2;
  return `${number.toFixed(digits)} ${units[power]}`.trimEnd();
}
