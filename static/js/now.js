// The live piece of the Now page: <live-now src>. What happens makes it fetch itself
// anew, at most once in a while; counters and the last look come with the stream.
import { now } from "./age.js";
import { held, patchChildren } from "./patch.js";
import { announce } from "./texts.js";

/** The least time between two fetches, in ms. */
const pause = 400;

customElements.define("live-now", class extends HTMLElement {
  wanted = false;
  busy = false;
  /** @type {number} */ last = 0;
  /** @type {string} */ state = "";

  connectedCallback() {
    this.state = this.lead();
    document.addEventListener("live", this.hear);
    document.addEventListener("live-back", this.want);
    document.addEventListener("visibilitychange", this.want);
    for (const type of ["pointerleave", "focusout", "pointerup"]) this.addEventListener(type, this.settle, true);
  }

  disconnectedCallback() {
    document.removeEventListener("live", this.hear);
    document.removeEventListener("live-back", this.want);
    document.removeEventListener("visibilitychange", this.want);
  }

  /** @param {Event} event */
  hear = (event) => {
    const { type, data } = /** @type {CustomEvent} */ (event).detail;
    if (type !== "status_update") return this.want();
    const status = data?.bot_status ?? data ?? {};
    this.count("checks", status.total_checks);
    this.count("accepted", status.total_accepted);
    this.count("rejected", status.total_rejected);
    if (status.last_look) this.querySelector(".hero live-age[data-look] time, .hero__say .look time")?.setAttribute("datetime", status.last_look);
    const told = [status.status, status.mode, status.cap_reached, status.last_error, status.login_status].join();
    if (told !== this.told) { if (this.told !== undefined) this.want(); this.told = told; }
  };
  /** @type {string | undefined} */ told;

  /** Fetches the piece anew, soon. */
  want = () => {
    if (document.hidden) return;
    this.wanted = true;
    if (this.busy) return;
    this.busy = true;
    setTimeout(() => this.fetch(), Math.max(60, this.last + pause - Date.now()));
  };

  /** What was held back while a finger was on it. */
  settle = () => { if (this.held) setTimeout(() => { if (this.held) this.want(); }, 300); };
  held = false;

  async fetch() {
    this.wanted = false;
    this.last = Date.now();
    try {
      const answer = await fetch(this.getAttribute("src") ?? "", { headers: { Accept: "text/html" } });
      if (answer.redirected || answer.status === 403) { location.reload(); return; }
      if (answer.ok) this.show(await answer.text());
      else if (answer.status === 503) this.want();
    } catch {
      // The stream says so, and comes back.
    } finally {
      this.busy = false;
      if (this.wanted) this.want();
    }
  }

  /** @param {string} html */
  show(html) {
    const fresh = new DOMParser().parseFromString(html, "text/html").body;
    this.held = [...this.querySelectorAll("[data-hold]")].some(held);
    const before = new Set([...this.querySelectorAll(".job")].map((row) => row.getAttribute("data-key")));
    for (const row of [...fresh.querySelectorAll(".job")].reverse()) {
      if (!before.has(row.getAttribute("data-key"))) announce(row.querySelector(".job__text")?.textContent?.replace(/\s+/g, " ").trim() + ".");
    }
    patchChildren(this, fresh);
    const lead = this.lead();
    if (lead !== this.state) announce(lead);
    this.state = lead;
  }

  lead() { return this.querySelector(".hero__say strong")?.textContent ?? ""; }

  /** @param {string} name @param {unknown} value */
  count(name, value) {
    const at = this.querySelector(`live-count[name="${name}"]`);
    if (at && typeof value === "number") at.textContent = value.toLocaleString(document.documentElement.lang);
  }
});

export { now };
