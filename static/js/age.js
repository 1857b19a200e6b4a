// Ages and countdowns that go on: <live-age> and <live-countdown> around a <time>.
import { say } from "./texts.js";

const second = 1000, minute = 60 * second, hour = 60 * minute, day = 24 * hour;

/**
 * How far the server's clock is ahead of this device's, in ms.
 * @type {number}
 */
let ahead = 0;

/**
 * Learns the server's clock from a moment that it just told.
 * @param {number} serverNow
 */
export function learnClock(serverNow) {
  if (Number.isFinite(serverNow)) ahead = serverNow - Date.now();
}

/** @returns {number} The server's clock, in ms. */
export function now() { return Date.now() + ahead; }

/**
 * "4 min ago", as the server says it.
 * @param {number} ms
 */
export function ago(ms) {
  ms = Math.max(ms, 0);
  if (ms < minute) return say("s", { count: Math.floor(ms / second) });
  if (ms < hour) return say("m", { count: Math.floor(ms / minute) });
  if (ms < 2 * day) return say("h", { count: Math.floor(ms / hour) });
  return say("d", { count: Math.floor(ms / day) });
}

/**
 * "in 2 h 10 min", as the server says it.
 * @param {number} ms
 */
function until(ms) {
  if (ms <= 0) return say("inNow");
  if (ms < hour) return say("inM", { minutes: Math.ceil(ms / minute) });
  if (ms < 2 * day) return say("inH", { hours: Math.floor(ms / hour), minutes: Math.floor((ms % hour) / minute) });
  return say("inD", { count: Math.floor(ms / day) });
}

/** @type {Set<Ticking>} */
const ticking = new Set();

/** An element whose text hangs on what time it is. */
class Ticking extends HTMLElement {
  connectedCallback() { ticking.add(this); }
  disconnectedCallback() { ticking.delete(this); }
  tick() {
    const time = this.querySelector("time");
    if (!time) return;
    const text = this.text(Date.parse(time.dateTime));
    if (time.textContent !== text) time.textContent = text;
  }
  /** @param {number} _at @returns {string} */
  text(_at) { return ""; }
}

customElements.define("live-age", class extends Ticking {
  /** @param {number} at */
  text(at) { return ago(now() - at); }
});
customElements.define("live-countdown", class extends Ticking {
  /** @param {number} at */
  text(at) { return until(at - now()); }
});

// One beat for all. A page that nobody sees does not tick.
setInterval(() => { if (!document.hidden) for (const element of ticking) element.tick(); }, second);
document.addEventListener("visibilitychange", () => { if (!document.hidden) for (const element of ticking) element.tick(); });
