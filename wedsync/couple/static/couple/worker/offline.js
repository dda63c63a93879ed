// Keeps the page as it was last shown, marked as such, and shows it where there is no network. KEPT comes from the
// server: the files without which the page does not look or work as it should.
const HOME = new URL(self.registration.scope).pathname;
const STORE = `wedsync ${HOME}`;
const PATIENCE = 4000; // milliseconds

self.addEventListener("install", (event) => event.waitUntil(begin()));
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("message", (event) => {
  if (event.data?.op === "keep") event.waitUntil(keepHome());
});
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate") event.respondWith(page(event, url.pathname));
  else if (KEPT.includes(url.pathname)) event.respondWith(file(request));
});

async function begin() {
  const store = await caches.open(STORE);
  await Promise.allSettled(KEPT.map((path) => store.add(path)));
  await keepHome().catch(() => {});
  await self.skipWaiting();
}

async function keepHome() {
  await keep(await fetch(HOME, { cache: "no-store" }));
}

// A copy says of itself that it is one. When the link has ended, nothing is kept.
async function keep(response) {
  if ([403, 404, 410].includes(response.status)) {
    await caches.delete(STORE);
  } else if (response.status === 200 && !response.redirected) {
    const text = (await response.text()).replace('data-shown="current"', 'data-shown="stored"');
    const store = await caches.open(STORE);
    await store.put(HOME, new Response(text, { headers: response.headers }));
  }
}

async function page(event, path) {
  const stored = async () => (await (await caches.open(STORE)).match(HOME)) ?? Response.error();
  const fetched = fetch(event.request);
  if (path === HOME) event.waitUntil(fetched.then((response) => keep(response.clone())).catch(() => {}));
  try {
    return await Promise.race([fetched, patience()]);
  } catch {
    return stored();
  }
}

async function file(request) {
  const store = await caches.open(STORE);
  try {
    const response = await Promise.race([fetch(request), patience()]);
    if (response.ok) await store.put(request, response.clone());
    return response;
  } catch {
    return (await store.match(request)) ?? Response.error();
  }
}

function patience() {
  return new Promise((_, fail) => setTimeout(fail, PATIENCE, new Error("the network does not answer")));
}
