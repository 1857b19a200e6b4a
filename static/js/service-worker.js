// Keeps the shell of the dashboard, and shows the offline page while the server cannot be
// reached. It keeps nothing that somebody has to be signed in for. VERSION stands in
// front of this file: the hash of everything that is kept.
const SHELL = "shell-" + VERSION;

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const shell = await caches.open(SHELL);
    await shell.addAll(["/offline", ...["app.css", "js/page.js", "js/age.js", "js/live.js", "js/now.js", "js/activity.js", "js/rules.js", "js/waiting.js", "js/forms.js", "js/patch.js", "js/texts.js", "icons/icon.svg"].map((name) => `/static/${VERSION}/${name}`)]);
    await self.skipWaiting();
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name !== SHELL) await caches.delete(name);
    await self.clients.claim();
  })());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  const path = new URL(request.url).pathname;
  if (path.startsWith(`/static/${VERSION}/`)) {
    event.respondWith(caches.match(request).then((kept) => kept ?? fetch(request)));
  } else if (request.mode === "navigate") {
    event.respondWith(fetch(request).catch(async () => (await caches.match("/offline")) ?? Response.error()));
  }
});
