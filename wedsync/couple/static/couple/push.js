// The button for notifications in this browser. Without script, or where none are offered, it stays hidden.

const box = document.getElementById("push");
const { home } = document.documentElement.dataset;
const text = document.getElementById("push-text");
const button = document.getElementById("push-button");

const supported = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
const apple =
  /iPhone|iPad|iPod/.test(navigator.userAgent) || (navigator.platform === "MacIntel" && navigator.maxTouchPoints > 1);
const onHomeScreen = navigator.standalone === true || matchMedia("(display-mode: standalone)").matches;

let pushes = null; // the browser's PushManager
let subscription = null; // what the server knows, too

async function begin() {
  if (apple && !onHomeScreen) return show("homeScreen");
  if (!supported) return;
  if (Notification.permission === "denied") return show("denied");
  pushes = (await navigator.serviceWorker.ready).pushManager;
  subscription = await renewed(await pushes.getSubscription());
  show(subscription ? "on" : "off");
}

// The words of a state, with the button's where it has one.
function show(state) {
  text.textContent = box.dataset[state];
  const label = { on: box.dataset.stop, off: box.dataset.start, failed: box.dataset.start }[state];
  button.hidden = !label;
  if (label) button.textContent = label;
  box.hidden = false;
}

// A subscription that the server still has, renewed where it was made for an earlier key of ours.
async function renewed(known) {
  if (!known) return null;
  const fresh = isForOurKey(known) ? known : await replaced(known);
  const answer = await send("POST", { subscription: fresh, replaces: known.endpoint, renew: true });
  return answer.ok ? fresh : null;
}

async function replaced(known) {
  await known.unsubscribe();
  return subscribe();
}

function subscribe() {
  return pushes.subscribe({ userVisibleOnly: true, applicationServerKey: box.dataset.key });
}

function isForOurKey(known) {
  const bytes = new Uint8Array(known.options.applicationServerKey ?? []);
  const written = btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  return written === box.dataset.key;
}

async function start() {
  if ((await Notification.requestPermission()) !== "granted") return show("denied");
  const known = await pushes.getSubscription();
  const fresh = !known ? await subscribe() : isForOurKey(known) ? known : await replaced(known);
  const answer = await send("POST", { subscription: fresh });
  if (!answer.ok) throw new Error(`the subscription was answered ${answer.status}`);
  subscription = fresh;
  show("on");
}

async function stop() {
  const { endpoint } = subscription;
  await send("DELETE", { endpoint });
  await subscription.unsubscribe();
  subscription = null;
  show("off");
}

async function send(method, body) {
  const answer = await fetch(`${home}push/`, {
    method,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (method === "POST" && answer.ok) await remember(body.subscription.endpoint);
  return answer;
}

// For the service worker: some browsers do not tell it which subscription they have changed.
async function remember(endpoint) {
  await (await caches.open(`wedsync push ${home}`)).put("/endpoint", new Response(endpoint));
}

button?.addEventListener("click", async () => {
  button.disabled = true;
  await (subscription ? stop() : start()).catch(() => show("failed"));
  button.disabled = false;
});
if (box) begin().catch(() => {});
