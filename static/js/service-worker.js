// Keeps the shell of the dashboard, and shows the offline page while the server cannot be
// reached. VERSION and FILES stand in front of this file: the hash of everything that is
// kept, and what that is. What the Now page keeps of itself (see last.js) is not touched.
const SHELL = "shell-" + VERSION;

self.addEventListener("install", (event) => {
  // Where the browser can, nothing waits for this worker to start: what is kept comes from
  // where it is kept, and a page from whoever is sooner, which is the server.
  event.addRoutes?.([
    { condition: { urlPattern: `/static/${VERSION}/*` }, source: { cacheName: SHELL } },
    { condition: { requestMode: "navigate", requestMethod: "GET" }, source: "race-network-and-fetch-handler" },
  ]);
  event.waitUntil((async () => {
    const shell = await caches.open(SHELL);
    await shell.addAll(FILES);
    await self.skipWaiting();
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name.startsWith("shell-") && name !== SHELL) await caches.delete(name);
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
