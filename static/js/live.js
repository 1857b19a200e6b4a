// The one stream of a page: <live-stream src>. It tells the page what happens as DOM
// events, and says how old the page is once it no longer hears anything.
import { ago, learnClock } from "./age.js";
import { announce, say } from "./texts.js";

/** Every type that the page cares for; the server names the events by them. */
const types = [
  "status_update", "status_change", "bot_starting", "bot_started", "bot_stopping", "bot_stopped", "bot_paused", "bot_resumed", "bot_error",
  "login_attempting", "login_success", "login_failed", "job_seen", "job_ask", "job_left", "job_accepted", "job_rejected", "job_lost", "job_refused",
  "job_unknown", "job_failed", "job_vanished", "board_problem", "board_back", "breaker_tripped", "breaker_closed", "cap_reached",
  "configuration_updated", "analytics_update", "system_log",
];

/**
 * @typedef {{type: string, data: any, timestamp?: string, id?: number}} Envelope
 */

customElements.define("live-stream", class extends HTMLElement {
  /** @type {EventSource | null} */ source = null;
  /** @type {HTMLElement | null} */ banner = null;
  heard = Date.now();
  lost = 0;
  timer = 0;

  connectedCallback() {
    this.open();
    this.timer = window.setInterval(() => this.look(), 1000);
    addEventListener("pagehide", this.close);
    addEventListener("pageshow", this.reopen);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
    this.close();
    removeEventListener("pagehide", this.close);
    removeEventListener("pageshow", this.reopen);
  }

  reopen = () => { if (!this.source) this.open(); };
  close = () => { this.source?.close(); this.source = null; };

  open() {
    this.state("trying");
    const source = new EventSource(this.getAttribute("src") ?? "/api/events");
    this.source = source;
    source.addEventListener("open", () => this.connected());
    source.addEventListener("error", () => this.dropped(source));
    for (const type of types) source.addEventListener(type, (event) => this.tell(/** @type {MessageEvent} */ (event)));
  }

  connected() {
    this.state("on");
    if (this.lost) {
      this.lost = 0;
      this.hide();
      announce(say("back"));
      this.dispatchEvent(new CustomEvent("live-back", { bubbles: true }));
    }
    this.heard = Date.now();
  }

  /** @param {EventSource} source */
  dropped(source) {
    this.lost ||= Date.now();
    this.state("trying");
    if (source.readyState !== EventSource.CLOSED) return;
    this.close(); // The browser has given up: the answer was no stream. Try anew.
    setTimeout(() => this.ask(), 1500 + Math.random() * 1000);
  }

  /** Asks for this page before the stream: it renews the session, or leads to sign-in. */
  async ask() {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
    if (answer?.redirected) { location.reload(); return; }
    if (this.isConnected && !this.source) this.open();
  }

  /** @param {MessageEvent} event */
  tell(event) {
    this.heard = Date.now();
    /** @type {Envelope} */
    let envelope;
    try { envelope = JSON.parse(event.data); } catch { return; }
    if (envelope.timestamp && !envelope.id) learnClock(Date.parse(envelope.timestamp));
    document.dispatchEvent(new CustomEvent("live", { detail: envelope }));
  }

  /** Says how old the page is, from three seconds without a connection on. */
  look() {
    if (!this.lost || Date.now() - this.lost < 3000) return;
    if (!this.banner) {
      this.banner = document.createElement("p");
      this.banner.className = "stale";
      document.body.append(this.banner);
      document.body.classList.add("is-stale");
      announce(this.words());
    }
    this.banner.textContent = this.words();
  }

  words() {
    const at = new Date(this.heard);
    const clock = at.toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    return say("lost", { clock, ago: ago(Date.now() - this.heard) });
  }

  hide() {
    document.body.classList.remove("is-stale");
    this.banner?.remove();
    this.banner = null;
  }

  /** @param {"on" | "trying"} name */
  state(name) {
    const shown = document.querySelector(".link-state");
    if (!shown) return;
    shown.setAttribute("data-link", name);
    const text = shown.querySelector(".link-state__text");
    if (text) text.textContent = say(name);
  }
});
