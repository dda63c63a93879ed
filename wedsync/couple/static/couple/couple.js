// The couple's page while it is open: follows the wedding's channel, and replaces the parts that have changed.
// Without this script the page shows the wedding as it stood when it was loaded.

const root = document.documentElement;
const { home, client, liveWords, connectingWords } = root.dataset;
const parts = () => document.getElementById("parts");
const [channel] = Object.keys(JSON.parse(parts().dataset.live));
const { since, looked } = parts().dataset; // what the reader had seen before this visit
const MOST_LOOKS = 20; // for what an event is about to change
const POLL = 15; // seconds, where no live connection is possible at all

let shown = Number(parts().dataset.last); // the last sequence on the page
let reported = 0; // the last sequence that the server knows to be seen
let looks = 0;
let loading = null;
let live = null;

class Ended extends Error {
  final = true;
}

// Loads the parts as they are now; who asks meanwhile gets what is read after this request.
function load() {
  if (loading) return (loading.again ??= loading.then(load, load));
  loading = read().finally(() => (loading = null));
  return loading;
}

async function read() {
  const url = `${home}parts/?${new URLSearchParams({ since, looked })}`;
  const answer = await fetch(url, { cache: "no-store" });
  if (answer.status === 403) end();
  if (!answer.ok) throw new Error(`the page's state was answered ${answer.status}`);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  show(fresh);
  return { live: JSON.parse(parts().dataset.live) };
}

function end() {
  location.reload();
  throw new Ended("the link has ended");
}

function show(fresh) {
  const before = document.activeElement?.closest("[data-part]")?.id;
  for (const part of fresh.querySelectorAll("[data-part]")) {
    const old = document.getElementById(part.id);
    if (old && withoutTokens(old) !== withoutTokens(part)) replace(old, part, before === part.id);
  }
  const { dataset } = fresh.getElementById("parts");
  Object.assign(parts().dataset, dataset);
  root.dataset.shown = "current";
  announce();
  report();
  navigator.serviceWorker?.controller?.postMessage({ op: "keep" });
  if (dataset.settled === "no" && looks++ < MOST_LOOKS) setTimeout(() => load().catch(stay), 150 + 50 * looks);
  else if (dataset.settled === "yes") looks = 0;
}

// Tokens against forgery differ in each answer, and say nothing.
function withoutTokens(part) {
  const copy = part.cloneNode(true);
  for (const input of copy.querySelectorAll("[name=csrfmiddlewaretoken]")) input.remove();
  for (const item of copy.querySelectorAll(".arrived")) item.classList.remove("arrived");
  return copy.outerHTML.replaceAll(' class=""', "");
}

function replace(old, part, hadFocus) {
  for (const item of part.querySelectorAll("[data-sequence]")) {
    if (Number(item.dataset.sequence) > shown) item.classList.add("arrived");
  }
  if (old.hidden && !part.hidden && part.id === "emergency") say("alarm", part.querySelector("h2").textContent);
  old.replaceWith(part);
  if (hadFocus) part.querySelector("a, button")?.focus({ preventScroll: true });
}

// Says politely what is new; an emergency is said at once.
function announce() {
  const items = [...document.querySelectorAll("[data-sequence]")].filter((item) => Number(item.dataset.sequence) > shown);
  const words = items.reverse().map((item) => item.querySelector("h3").textContent);
  if (words.length) say("said", words.join(". "));
  shown = Math.max(shown, Number(parts().dataset.last));
}

function say(id, words) {
  document.getElementById(id).textContent = words;
}

// Tells the server what the reader has had on the screen.
async function report() {
  if (document.visibilityState !== "visible" || shown <= reported || root.dataset.shown !== "current") return;
  const sequence = shown;
  reported = sequence;
  try {
    if (!live) throw new Error("no connection");
    await live.seen(channel, sequence);
  } catch {
    await post("seen/", { sequence }).catch(() => (reported = 0));
  }
}

async function post(path, fields) {
  const token = document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
  const answer = await fetch(home + path, {
    method: "POST",
    redirect: "manual",
    headers: { "X-CSRFToken": token },
    body: new URLSearchParams(fields),
  });
  if (answer.status === 403) end();
  if (!answer.ok && answer.type !== "opaqueredirect") throw new Error(`${path} was answered ${answer.status}`);
  return answer;
}

async function ticket() {
  return (await post("ticket/", {})).json();
}

// What is on the page stays there, marked as not current.
function stay() {
  root.dataset.shown = "stored";
}

function indicate(state) {
  const indicator = document.getElementById("indicator");
  indicator.dataset.state = state;
  indicator.textContent = state === "live" ? liveWords : connectingWords;
  if (state === "ended") load().catch(stay);
}

async function follow() {
  const { WedSyncLive } = await import(client);
  live = new WedSyncLive({ ticket, url: new URL("/ws/channels/", location.href).href, share: `couple ${home}` });
  live.follow([channel], {
    live: root.dataset.shown === "current" ? JSON.parse(parts().dataset.live) : undefined,
    load,
    onEvent: () => void load().catch(stay),
    onState: (state) => {
      indicate(state);
      if (state === "live" && root.dataset.shown === "stored") load().catch(stay);
    },
  });
}

function poll() {
  setInterval(() => document.visibilityState === "visible" && load().catch(stay), POLL * 1000);
}

addEventListener("offline", stay);
addEventListener("online", () => load().catch(stay));
addEventListener("pageshow", (event) => event.persisted && load().catch(stay));
document.addEventListener("visibilitychange", report);
if (!navigator.onLine) stay();
navigator.serviceWorker?.register(`${home}worker.js`, { scope: home }).catch(() => {});
report();
follow().catch(poll);
