// The live part of the console: follows the organization's channels and puts new events on top. A page without the list
// of events only gets its times localized.
import { WedSyncLive } from "../live/wedsync-live.js";

const MOST_SHOWN = 100;

function localize(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    if (!Number.isNaN(moment.getTime())) {
      time.textContent = moment.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
    }
  }
}

const words = (name) => String(name).replaceAll("_", " ");
const written = (value) => String(value ?? "none");

// As summary() of overview.py says it of the events that the page starts with.
export function summary(payload) {
  if (Array.isArray(payload.changes)) {
    return payload.changes
      .slice(0, 4)
      .map((change) => `${words(change.field)} ${written(change.before)} → ${written(change.after)}`)
      .join(", ");
  }
  const changing = new Set(["capacity", "guest_count", "date"]);
  const before = payload.before ?? payload.previous;
  return Object.entries(payload)
    .filter(([name, value]) => !["wedding_id", "form_id", "previous", "before", "alert_id", "system_id"].includes(name))
    .filter(([, value]) => ["string", "number", "boolean"].includes(typeof value) && value !== "")
    .slice(0, 4)
    .map(([name, value]) =>
      before != null && changing.has(name)
        ? `${words(name)} ${written(before)} → ${written(value)}`
        : `${words(name)}: ${written(value)}`,
    )
    .join(", ");
}

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

class EventList {
  constructor(list) {
    this.list = list;
    this.weddings = JSON.parse(list.dataset.weddings);
    this.empty = document.getElementById("no-events");
  }

  show(event) {
    if (this.list.querySelector(`[data-event="${CSS.escape(event.id)}"]`)) return;
    const item = element("li", `event fresh ${event.priority}`);
    item.dataset.event = event.id;
    const head = element("div", "event-head");
    const link = element("a", "", event.type);
    link.href = this.list.dataset.trace.replace("00000000-0000-0000-0000-000000000000", event.id);
    const time = element("time");
    time.dateTime = event.occurred_at;
    head.append(element("span", `badge ${event.priority}`, event.priority), link, time);
    const line = element("p");
    const ours = /^(ops|system)\./.test(event.type);
    const unlinked = ours ? "WedSync" : "not linked to a wedding";
    const wedding = event.wedding_id ? this.weddings[event.wedding_id] ?? "a wedding" : unlinked;
    line.append(element("strong", event.wedding_id || ours ? "" : "bad", wedding));
    const said = summary(event.payload);
    if (said) line.append(` · ${said}`);
    item.append(head, line);
    localize(item);
    this.list.prepend(item);
    this.empty.hidden = true;
    while (this.list.children.length > MOST_SHOWN) this.list.lastElementChild.remove();
  }

  // The list as the server has it now; returns the positions that it belongs to.
  async load() {
    const answer = await fetch(window.location.href);
    if (!answer.ok) throw new Error(`The page could not be loaded: ${answer.status}`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const list = page.getElementById(this.list.id);
    if (!list) throw new Error("The page has no events; the session may have ended.");
    localize(list);
    this.list.replaceChildren(...list.children);
    this.empty.hidden = this.list.children.length > 0;
    return { live: JSON.parse(list.dataset.positions) };
  }
}

function stateInWords(state, { why, seconds }) {
  if (state === "live") return "live";
  if (state === "ended") return "not live: sign in again";
  if (state === "connecting") return "connecting";
  const reason = why ? ` (${why})` : "";
  return `connection lost${reason}: ${seconds > 1 ? `trying again in ${Math.round(seconds)} s` : "trying again"}`;
}

// Channels that cannot be followed, so that nobody waits for their events.
class NotFollowed {
  constructor(notice) {
    this.notice = notice;
    this.names = new Map();
  }

  add(channel, error) {
    this.names.set(channel, error.message);
    const listed = [...this.names].map(([name, message]) => `${name} (${message})`).join(", ");
    this.notice.textContent = `Not live here: ${listed}`;
    this.notice.hidden = false;
  }
}

function start() {
  localize(document);
  const list = document.getElementById("events-list");
  const indicator = document.getElementById("indicator");
  if (!list || !indicator) return;
  const events = new EventList(list);
  const notFollowed = new NotFollowed(document.getElementById("not-followed"));
  const positions = JSON.parse(list.dataset.positions);
  const live = new WedSyncLive({ url: `/ws/channels/?organization=${encodeURIComponent(list.dataset.organization)}` });
  live.follow(Object.keys(positions), {
    live: positions,
    load: () => events.load(),
    onEvent: (event) => events.show(event),
    onRefused: (channel, error) => notFollowed.add(channel, error),
    onState(state, details) {
      indicator.dataset.state = state;
      indicator.textContent = stateInWords(state, details);
    },
  });
}

start();
