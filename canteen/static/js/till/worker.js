// The service worker: the till opens without a network. /till/sw.js is this file behind one line
// that says what the app consists of: self.SHELL = {version, page, files: ["/static/…?v=…", …]}.
// Each version has a cache of its own and a page is only ever given files of one version: a half
// new app at noon would be worse than an old one. Answers about people and sales are never kept.
const { version, page, files } = self.SHELL;
const NAME = "till-";
const CACHE = NAME + version;
const MATCH = { ignoreSearch: true, ignoreVary: true };

self.addEventListener("install", (event) => {
  event.waitUntil(fill());
});

// All of it or nothing. Without cookies, so that nothing of anybody can be in it.
async function fill() {
  const cache = await caches.open(CACHE);
  await Promise.all([page, ...files].map(async (address) => {
    const answer = await fetch(address, { cache: "reload", credentials: "omit" });
    if (!answer.ok || answer.redirected) throw new Error(`${address}: ${answer.status}`);
    await cache.put(address.split("?")[0], answer);
  }));
}

// A waiting version takes over when a page says that no sale is open, or when no page is left.
self.addEventListener("message", (event) => {
  if (event.data === "take-over") self.skipWaiting();
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      const old = (await caches.keys()).filter((name) => name.startsWith(NAME) && name !== CACHE);
      await Promise.all(old.map((name) => caches.delete(name)));
      await self.clients.claim();
    })(),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (request.method !== "GET" || address.origin !== location.origin) return;
  if (request.mode === "navigate") {
    if (address.pathname === page) event.respondWith(kept(request));
    else event.respondWith(fetch(request).catch(() => Response.redirect(`${page}#offline`)));
  } else if (address.pathname.startsWith("/static/")) {
    event.respondWith(asset(event));
  }
});

// The shell and its files come from this version's cache, at once; the browser looks for a newer
// worker by itself whenever the page is opened.
async function kept(request) {
  const cache = await caches.open(CACHE);
  return (await cache.match(request, MATCH)) ?? fetch(request);
}

// Other pages under /till ask the server first: theirs may be of another version.
async function asset(event) {
  const client = event.clientId ? await self.clients.get(event.clientId) : null;
  if (client && new URL(client.url).pathname === page) return kept(event.request);
  try {
    return await fetch(event.request);
  } catch (fault) {
    const cache = await caches.open(CACHE);
    const found = await cache.match(event.request, MATCH);
    if (found) return found;
    throw fault;
  }
}
