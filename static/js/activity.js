// Activity, live without moving anything: <live-activity src>. New jobs are counted on a
// button that shows them; rows that are there change in place. And <live-refresh
// events="…"> for pieces of other pages that are laid over anew when something happens.
import { patchChildren } from "./patch.js";
import { announce, say } from "./texts.js";

/** @param {string} address @returns {Promise<Document | null>} */
async function page(address) {
  const answer = await fetch(address, { headers: { Accept: "text/html" } });
  return answer.ok && !answer.redirected ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
}

customElements.define("live-activity", class extends HTMLElement {
  /** @type {Set<string>} */ fresh = new Set();
  /** @type {HTMLButtonElement | null} */ button = null;
  timer = 0;
  told = false;

  connectedCallback() { document.addEventListener("live", this.hear); document.addEventListener("live-back", this.soon); }
  disconnectedCallback() { document.removeEventListener("live", this.hear); document.removeEventListener("live-back", this.soon); }

  /** @param {Event} event */
  hear = (event) => {
    const { type, data } = /** @type {CustomEvent} */ (event).detail;
    if (type === "status_update" && !this.told) {
      this.told = true;
      return this.soon(); // Something may have happened since the page was made.
    }
    if (!type.startsWith("job_")) return;
    const ref = data?.job_ref ?? data?.number ?? "";
    if (this.knows(ref)) return this.soon();
    this.fresh.add(ref);
    this.offer();
  };

  /** @param {string | null} ref */
  knows(ref) { return [...this.querySelectorAll(".job")].some((row) => row.getAttribute("data-ref") === ref); }

  offer() {
    if (!this.button) {
      this.button = document.createElement("button");
      this.button.className = "button button--primary fresh";
      this.button.addEventListener("click", () => this.show());
      this.append(this.button);
    }
    const text = say("fresh", { count: this.fresh.size });
    if (this.button.textContent !== text) { this.button.textContent = text; announce(text); }
  }

  /** Rows that are there, changed in place, a moment later; others are offered. */
  soon = () => {
    if (this.timer) return;
    this.timer = window.setTimeout(async () => {
      this.timer = 0;
      const next = await page(location.href).catch(() => null);
      for (const row of next?.querySelectorAll(".job") ?? []) {
        const old = this.querySelector(`.job[data-key="${CSS.escape(row.getAttribute("data-key") ?? "")}"]`);
        if (old) { old.className = row.className; patchChildren(old, row); }
        else if (!this.knows(row.getAttribute("data-ref"))) this.fresh.add(row.getAttribute("data-ref") ?? "");
      }
      if (this.fresh.size) this.offer();
      this.chips(next);
    }, 600);
  };

  /** @param {Document | null} next */
  chips(next) {
    const old = document.querySelector(".chips"), now = next?.querySelector(".chips");
    if (old && now) patchChildren(old, now);
  }

  async show() {
    const next = await page(this.getAttribute("src") ?? location.href).catch(() => null);
    const list = this.querySelector("[data-list]"), now = next?.querySelector("[data-list]");
    if (!list || !now) { location.reload(); return; }
    patchChildren(list, now);
    this.chips(next);
    this.fresh.clear();
    this.button?.remove();
    this.button = null;
    scrollTo({ top: 0 });
    /** @type {HTMLElement | null} */ (list.querySelector(".job__link"))?.focus({ preventScroll: true });
  }
});

customElements.define("live-refresh", class extends HTMLElement {
  timer = 0;
  beat = 0;
  told = false;

  connectedCallback() {
    document.addEventListener("live", this.hear);
    document.addEventListener("live-back", this.soon);
    const every = Number(this.getAttribute("every"));
    if (every) this.beat = window.setInterval(() => { if (!document.hidden) this.soon(); }, every);
  }

  disconnectedCallback() {
    document.removeEventListener("live", this.hear);
    document.removeEventListener("live-back", this.soon);
    clearInterval(this.beat);
  }

  /** @param {Event} event */
  hear = (event) => {
    const { type } = /** @type {CustomEvent} */ (event).detail;
    const wanted = this.getAttribute("events")?.split(" ") ?? [];
    const first = type === "status_update" && !this.told; // Something may have happened since the page was made.
    this.told ||= first;
    if (first || wanted.includes(type) || (wanted[0] === "*" && type !== "status_update")) this.soon();
  };

  /** Lays the piece over anew, a moment later. It stays as it is under a finger. */
  soon = () => {
    if (this.timer) return;
    this.timer = window.setTimeout(async () => {
      this.timer = 0;
      const src = this.getAttribute("src");
      const next = await page(src ?? location.href).catch(() => null);
      const fresh = src ? next?.body : [...next?.querySelectorAll("live-refresh") ?? []].find((piece) => piece.getAttribute("events") === this.getAttribute("events"));
      if (fresh && !this.matches(":active")) patchChildren(this, fresh);
    }, 400);
  };
});
