// Forms marked data-swap are sent without leaving the page: the answer is the same page,
// laid over this one. Without JavaScript they are ordinary forms.
import { patchChildren } from "./patch.js";

/** @param {Document} root */
export function sendInPlace(root) {
  root.addEventListener("submit", async (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    if (!form.matches("[data-swap]") || form.method !== "post") return;
    event.preventDefault();
    const button = /** @type {HTMLButtonElement | null} */ (event.submitter ?? form.querySelector("button"));
    if (button?.getAttribute("aria-busy") === "true") return;
    button?.setAttribute("aria-busy", "true");
    const body = new URLSearchParams(/** @type {any} */ (new FormData(form, event.submitter)));
    if (!body.has("back")) body.set("back", location.pathname + location.search);
    try {
      const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/html" } });
      const at = new URL(answer.url);
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (at.pathname !== location.pathname || !fresh.getElementById("main")) {
        location.assign(answer.url);
        return;
      }
      swap(fresh);
    } catch {
      form.submit(); // The browser says what is wrong with the connection.
    } finally {
      button?.removeAttribute("aria-busy");
    }
  });
}

/**
 * Lays the answer over the page.
 * @param {Document} fresh
 */
export function swap(fresh) {
  for (const id of ["main", "said"]) {
    const old = document.getElementById(id), part = fresh.getElementById(id);
    if (old && part) patchChildren(old, part);
  }
  document.title = fresh.title;
  if (document.activeElement === document.body) document.getElementById("main")?.focus({ preventScroll: true });
}
