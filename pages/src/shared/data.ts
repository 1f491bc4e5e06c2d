/** What the page was made of: JSON, gzipped, in base64, in the element `data`. */
export async function data<T>(): Promise<T> {
  const text = document.getElementById("data")?.textContent ?? "";
  const bytes = decoded(text);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json() as Promise<T>;
}

/** A loop, since a call for each character of some megabytes is slow. */
function decoded(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/** The nonce of this page's content security policy, for styles that are made while it runs. */
export function nonce(): string {
  return document.querySelector("style")?.nonce ?? "";
}
