/** What the page was made of: JSON, gzipped, in base64, in the element `data`. */
export async function data<T>(): Promise<T> {
  const text = document.getElementById("data")?.textContent ?? "";
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json() as Promise<T>;
}

/** The nonce of this page's content security policy, for styles that are made while it runs. */
export function nonce(): string {
  return document.querySelector("style")?.nonce ?? "";
}
