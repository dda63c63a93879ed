"use strict";
// Asks for new messages once a second; if there are any, fetches the page again and replaces the panes that changed.
// The server renders and escapes everything: no markup is made here.

const POLL_MS = 1000;
const STATUS_MS = 900; // deliveries are confirmed a moment after their messages, without a new message
const seen = new Map();
let cursor = Number(document.body.dataset.cursor);
let followUps = 0;

function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    time.title = moment.toLocaleString();
    const withSeconds = time.textContent.trim().length > 5 ? "2-digit" : undefined;
    time.textContent = moment.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: withSeconds, hourCycle: "h23" });
  }
}

function scrollToEnd(root) {
  for (const list of root.querySelectorAll("[data-end]")) list.scrollTop = list.scrollHeight;
}

function swap(oldPane, newPane) {
  const places = new Map([...oldPane.querySelectorAll("[data-scroll]")].map((each) => {
    const atEnd = "end" in each.dataset && each.scrollHeight - each.scrollTop - each.clientHeight < 40;
    return [each.dataset.scroll, atEnd ? null : each.scrollTop];
  }));
  const opened = new Set([...oldPane.querySelectorAll("details[open][data-keep]")].map((each) => each.dataset.keep));
  const text = oldPane.querySelector("#mail-text:checked") !== null;
  oldPane.replaceWith(newPane);
  localTimes(newPane);
  scrollToEnd(newPane);
  for (const each of newPane.querySelectorAll("[data-scroll]")) {
    const place = places.get(each.dataset.scroll);
    if (typeof place === "number") each.scrollTop = place;
  }
  for (const each of newPane.querySelectorAll("details[data-keep]")) each.open = opened.has(each.dataset.keep);
  if (text) newPane.querySelector("#mail-text")?.click();
}

async function refresh() {
  const response = await fetch(location.href, { cache: "no-store" });
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  document.getElementById("tabs").replaceWith(document.adoptNode(fresh.getElementById("tabs")));
  for (const pane of fresh.querySelectorAll(".pane")) {
    const old = document.getElementById(pane.id);
    const typing = old?.contains(document.activeElement) && document.activeElement.value;
    if (!old || typing || seen.get(pane.id) === pane.innerHTML) continue;
    seen.set(pane.id, pane.innerHTML);
    swap(old, document.adoptNode(pane));
  }
  return Number(fresh.body.dataset.cursor);
}

async function poll() {
  const live = document.getElementById("live");
  try {
    const response = await fetch(`/_/messages?limit=1&since=${cursor}`, { cache: "no-store" });
    const news = await response.json();
    live.classList.remove("lost");
    live.textContent = "live";
    if (news.messages.length > 0) {
      followUps = 2;
      cursor = await refresh();
    } else if (followUps > 0) {
      followUps -= 1;
      await refresh();
    }
  } catch (error) {
    live.classList.add("lost");
    live.textContent = "offline";
  }
  setTimeout(poll, followUps > 0 ? STATUS_MS : POLL_MS);
}

function notice(text) {
  const place = document.getElementById("notice");
  place.textContent = text;
  place.hidden = false;
  clearTimeout(notice.timer);
  notice.timer = setTimeout(() => { place.hidden = true; }, 6000);
}

function inWords(status) {
  if (status === null) return "Recorded. No callback URL is configured, or nobody answered there.";
  if (status < 300) return `Sent to the product, which accepted it (${status}).`;
  if (status < 400) return `The product redirects elsewhere (${status}); nothing was done.`;
  if (status === 401 || status === 403) return `The product does not accept the signature (${status}).`;
  if (status === 404 || status === 410) return `The product does not know this address (${status}).`;
  if (status === 429) return "The product asks for a pause (429).";
  if (status < 500) return `The product refused it (${status}).`;
  return `The product itself has a problem (${status}). Try again in a moment.`;
}

async function reply(path, body) {
  const response = await fetch(path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) notice(answer.error);
  else notice(inWords(answer.callback_status));
  followUps = 2;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-reply]");
  if (button) reply(button.dataset.post ?? "/_/replies", JSON.parse(button.dataset.reply));
});

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-compose]");
  if (!form) return;
  event.preventDefault();
  const field = form.elements.text;
  if (field.value.trim()) reply("/_/replies", { ...JSON.parse(form.dataset.compose), text: field.value });
  field.value = "";
});

localTimes(document);
scrollToEnd(document);
setTimeout(poll, POLL_MS);
