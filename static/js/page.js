// What every page does: counts ages on, sends small forms without leaving the page, and
// keeps the shell for when the server cannot be reached.
import "./age.js";
import "./live.js";
import "./now.js";
import "./activity.js";
import "./rules.js";
import "./waiting.js";
import { sendInPlace } from "./forms.js";

sendInPlace(document);

// A menu that was opened closes when something else is meant.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.more[open]")) {
    if (!menu.contains(/** @type {Node} */ (event.target))) menu.removeAttribute("open");
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details.more[open]");
  if (!menu) return;
  menu.removeAttribute("open");
  menu.querySelector("summary")?.focus();
});

if ("serviceWorker" in navigator && window.isSecureContext) {
  // It is a comfort: a page without it is whole.
  addEventListener("load", () => navigator.serviceWorker.register("/service-worker.js").catch(() => undefined));
}
