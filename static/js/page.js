// What every page does: once it is painted, it becomes live, sends small forms without
// leaving the page, and keeps the shell for when the server cannot be reached.

/** Which module makes which elements live. A page loads those that it needs. */
const modules = {
  "live-age, live-countdown": () => import("./age.js"),
  "live-now": () => import("./now.js"),
  "live-activity, live-refresh": () => import("./activity.js"),
  "live-try": () => import("./rules.js"),
  "live-waiting, live-offline": () => import("./waiting.js"),
};

/** How long a page waits at most for the word that it is painted, in ms. */
const patience = 500;

/** Nothing comes before the first paint: a page can be read before it is live. */
async function painted() {
  if (document.hidden) return;
  await new Promise((done) => {
    new PerformanceObserver((list) => {
      if (list.getEntriesByName("first-contentful-paint").length) done(undefined);
    }).observe({ type: "paint", buffered: true });
    setTimeout(done, patience); // Not every browser tells, and none does once it is hidden.
  });
}

painted().then(async () => {
  const loading = Object.entries(modules).filter(([elements]) => document.querySelector(elements)).map(([, load]) => load());
  loading.push(import("./forms.js").then((forms) => forms.sendInPlace(document)));
  // One that does not come keeps back none of the others. The stream is last: they are to
  // hear what it tells as soon as it is open.
  await Promise.all(loading.map((one) => one.catch(reportError)));
  if (document.querySelector("live-stream")) await import("./live.js");
  if ("serviceWorker" in navigator && window.isSecureContext) {
    // It is a comfort: a page without it is whole.
    navigator.serviceWorker.register("/service-worker.js").catch(() => undefined);
  }
});

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
