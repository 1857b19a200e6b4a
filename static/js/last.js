// What the Now page showed last, kept for the offline page: "this is from 14:02". It is
// kept by this browser alone, and goes away when somebody signs out.

const CACHE = "last", KEY = "/now/last";
let kept = 0;

/**
 * Keeps what an element shows, at most twice a minute.
 * @param {Element} element
 */
export async function keep(element) {
  if (!("caches" in window) || Date.now() - kept < 30_000) return;
  kept = Date.now();
  const copy = /** @type {Element} */ (element.cloneNode(true));
  for (const control of copy.querySelectorAll("form, .controls")) control.remove();
  const cache = await caches.open(CACHE);
  await cache.put(KEY, new Response(copy.innerHTML, { headers: { "Content-Type": "text/html; charset=utf-8", Date: new Date().toUTCString() } }));
}

/** @returns {Promise<{html: string, at: Date} | null>} */
export async function last() {
  if (!("caches" in window)) return null;
  const answer = await caches.match(KEY);
  if (!answer) return null;
  return { html: await answer.text(), at: new Date(answer.headers.get("Date") ?? 0) };
}
