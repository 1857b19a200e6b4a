// Pages that turn into the real one by themselves: <live-waiting> while the start waits
// for something, <live-offline> while the server cannot be reached.
import { ago } from "./age.js";
import { last } from "./last.js";
import { patchChildren } from "./patch.js";
import { say } from "./texts.js";

/** @param {number} ms @param {() => Promise<boolean>} there Whether to go on asking no more. */
function every(ms, there) {
  const ask = async () => {
    if (!document.hidden && await there().catch(() => false)) return;
    setTimeout(ask, ms);
  };
  setTimeout(ask, ms);
}

customElements.define("live-waiting", class extends HTMLElement {
  connectedCallback() {
    every(1000, async () => {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (answer.status !== 503) { location.reload(); return true; }
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const lines = this.querySelector("[data-lines]"), next = fresh.querySelector("[data-lines]");
      if (lines && next) patchChildren(lines, next);
      return false;
    });
  }
});

customElements.define("live-offline", class extends HTMLElement {
  connectedCallback() {
    this.show().catch(() => undefined);
    every(3000, async () => {
      await fetch("/health/live", { cache: "no-store" });
      location.reload();
      return true;
    });
  }

  /** Shows what was there last, and from when it is. */
  async show() {
    const was = await last(), at = this.querySelector("[data-last]");
    if (!was || !at) return;
    const clock = was.at.toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    const title = document.createElement("h2");
    title.textContent = say("from", { clock, ago: ago(Date.now() - was.at.getTime()) });
    const piece = new DOMParser().parseFromString(was.html, "text/html").body;
    for (const heading of piece.querySelectorAll("h1")) {
      const text = document.createElement("p");
      text.className = heading.className;
      text.append(...heading.childNodes);
      heading.replaceWith(text);
    }
    for (const link of piece.querySelectorAll("a")) link.removeAttribute("href");
    for (const age of piece.querySelectorAll("live-age, live-countdown")) age.replaceWith(...age.childNodes);
    for (const part of piece.querySelectorAll("[id]")) part.removeAttribute("id");
    for (const part of piece.querySelectorAll("[aria-labelledby]")) part.removeAttribute("aria-labelledby");
    at.replaceChildren(title, ...piece.childNodes);
  }
});
