// The live piece of the Now page: <live-now src>. What happens makes it fetch itself
// anew, at most once in a while; counters and the last look come with the stream. Nothing
// moves while somebody is at it.
import { keep } from "./last.js";
import { patchChildren } from "./patch.js";
import { announce } from "./texts.js";

/** The least time between two fetches, in ms. */
const pause = 400;
/** How long after a touch, a key or a scroll the page keeps still, in ms. */
const calm = 900;
/** How long a row that changed still leads where it led, in ms: a finger was on its way. */
const onItsWay = 450;

/** What somebody does who is at it. */
const acts = ["pointerdown", "pointermove", "touchmove", "wheel", "keydown"];
const canHover = matchMedia("(hover: hover)");

customElements.define("live-now", class extends HTMLElement {
  wanted = false;
  busy = false;
  /** When it was last fetched. */ last = 0;
  /** When somebody last did something here. */ touched = 0;
  /** What is to be shown once it is calm. @type {string | null} */ pending = null;
  /** @type {string | undefined} */ told;
  state = "";
  /** @type {WeakMap<Element, {href: string, until: number}>} */ was = new WeakMap();

  connectedCallback() {
    this.state = this.lead();
    keep(this).catch(() => undefined);
    document.addEventListener("live", this.hear);
    document.addEventListener("live-back", this.want);
    document.addEventListener("visibilitychange", this.want);
    for (const type of acts) addEventListener(type, this.touch, { passive: true, capture: true });
    this.addEventListener("click", this.leadOn, true);
  }

  disconnectedCallback() {
    document.removeEventListener("live", this.hear);
    document.removeEventListener("live-back", this.want);
    document.removeEventListener("visibilitychange", this.want);
    for (const type of acts) removeEventListener(type, this.touch, { capture: true });
  }

  touch = () => { this.touched = Date.now(); };

  /** @param {Event} event */
  hear = (event) => {
    const { type, data } = /** @type {CustomEvent} */ (event).detail;
    if (type !== "status_update") return this.want();
    const status = data?.bot_status ?? data ?? {};
    this.count("checks", status.total_checks);
    this.count("accepted", status.total_accepted);
    this.count("rejected", status.total_rejected);
    if (status.last_look) this.querySelector(".look time")?.setAttribute("datetime", status.last_look);
    const told = [status.status, status.mode, status.cap_reached, status.last_error, status.login_status].join();
    if (told !== this.told) this.want(); // The first one too: something may have happened since the page was made.
    this.told = told;
  };

  /** Fetches the piece anew, soon. */
  want = () => {
    if (document.hidden) return;
    this.wanted = true;
    if (this.busy) return;
    this.busy = true;
    setTimeout(() => this.fetch(), Math.max(60, this.last + pause - Date.now()));
  };

  async fetch() {
    this.wanted = false;
    this.last = Date.now();
    try {
      const answer = await fetch(this.getAttribute("src") ?? "", { headers: { Accept: "text/html" } });
      if (answer.redirected || answer.status === 403) { location.reload(); return; }
      if (answer.ok) this.offer(await answer.text());
      else if (answer.status === 503) this.want();
    } catch {
      // The stream says so, and comes back.
    } finally {
      this.busy = false;
      if (this.wanted) this.want();
    }
  }

  /** Shows the piece as soon as it is calm. @param {string} html */
  offer(html) {
    const waits = this.pending !== null;
    this.pending = html;
    if (!waits) this.whenCalm();
  }

  whenCalm() {
    const aims = this.matches(":active") || (canHover.matches && this.querySelector("a:hover, button:hover"));
    const still = this.touched + (aims ? 5 * calm : calm) - Date.now();
    if (still > 0) { setTimeout(() => this.whenCalm(), Math.max(still, 50)); return; }
    const html = this.pending ?? "";
    this.pending = null;
    this.show(html);
  }

  /** @param {string} html */
  show(html) {
    const fresh = new DOMParser().parseFromString(html, "text/html").body;
    const before = new Set(rows(this).map(told));
    for (const row of rows(fresh).reverse()) {
      if (!before.has(told(row))) announce(row.querySelector(".job__text")?.textContent?.replace(/\s+/g, " ").trim() ?? "");
    }
    const led = rows(this).map((row) => ({ row, href: row.querySelector("a")?.getAttribute("href") ?? "" }));
    const focused = this.contains(document.activeElement) ? document.activeElement?.getAttribute("href") : null;
    patchChildren(this, fresh);
    for (const { row, href } of led) {
      if (row.querySelector("a")?.getAttribute("href") !== href) this.was.set(row, { href, until: Date.now() + onItsWay });
    }
    if (focused) /** @type {HTMLElement | null} */ (this.querySelector(`a[href="${CSS.escape(focused)}"]`))?.focus({ preventScroll: true });
    const lead = this.lead();
    if (lead !== this.state) announce(this.querySelector(".hero__say strong")?.textContent ?? "");
    this.state = lead;
    keep(this).catch(() => undefined);
  }

  /** Leads where the row led a moment ago. @param {Event} event */
  leadOn = (event) => {
    const row = /** @type {Element} */ (event.target).closest(".job");
    const was = row && this.was.get(row);
    if (!was || was.until < Date.now()) return;
    event.preventDefault();
    location.assign(was.href);
  };

  /** What the bot does, whatever the time: an age in it counts on by itself. */
  lead() {
    const parts = this.querySelector(".hero__say strong")?.childNodes ?? [];
    return [...parts].filter((part) => part.nodeName !== "LIVE-AGE").map((part) => part.textContent).join("");
  }

  /** @param {string} name @param {unknown} value */
  count(name, value) {
    const at = this.querySelector(`live-count[name="${name}"]`);
    if (at && typeof value === "number") at.textContent = value.toLocaleString(document.documentElement.lang);
  }
});

/** What was told of a row: a job, and what became of it. @param {Element} row */
function told(row) { return row.getAttribute("data-job") + row.className; }

/** @param {Element} root */
function rows(root) { return [...root.querySelectorAll(".jobs--still .job")]; }
