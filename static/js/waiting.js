// Pages that turn into the real one by themselves: <live-waiting> while the start waits
// for something, <live-offline> while the server cannot be reached.
import { patchChildren } from "./patch.js";

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
    every(3000, async () => {
      await fetch("/health/live", { cache: "no-store" });
      location.reload();
      return true;
    });
  }
});
