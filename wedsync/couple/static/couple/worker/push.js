// Shows what a push message says; Safari shows the same message by itself. Renews a subscription that the browser has
// changed. HOME is the page's path.
self.addEventListener("push", (event) => event.waitUntil(notify(event.data.json().notification)));
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data.navigate));
});
self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(renew(event)));

async function notify({ title, body = "", navigate, lang, dir, tag }) {
  await self.registration.showNotification(title, { body, lang, dir, tag, renotify: true, data: { navigate } });
}

// A link to this page shows the page that is open already.
async function open(url) {
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const page = windows.find((each) => new URL(each.url).pathname === HOME);
  if (page && new URL(url).pathname.startsWith("/couple/open/")) return page.focus();
  return self.clients.openWindow(url);
}

async function renew({ oldSubscription, newSubscription }) {
  const replaces = oldSubscription?.endpoint ?? (await remembered());
  const fresh = newSubscription ?? (await subscribeAgain());
  const answer = await fetch(`${HOME}push/`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ subscription: fresh, replaces, renew: true }),
  });
  if (answer.ok) await (await pushStore()).put("/endpoint", new Response(fresh.endpoint));
}

async function subscribeAgain() {
  const { key } = await (await fetch(`${HOME}push/`)).json();
  return self.registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
}

async function remembered() {
  return (await (await (await pushStore()).match("/endpoint"))?.text()) ?? "";
}

function pushStore() {
  return caches.open(`wedsync push ${HOME}`);
}
