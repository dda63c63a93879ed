// The live part of the console: follows the organization's channels over one socket and puts new events on top.
// docs/developers/realtime.md has the protocol. A page without the list of events only gets its times localized.
"use strict";

const MOST_SHOWN = 100;
const FIRST_WAIT = 500; // milliseconds
const LONGEST_WAIT = 15000;
const PING_EVERY = 20000;
const FINAL = 3500; // from here on: the server will not let this session in again

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
function summary(payload) {
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
}

class Follower {
  // `positions`: of each channel, what the page shows already; what lies behind it comes with the next connection.
  constructor(url, positions, onEvent, onState) {
    const asked = new Map();
    const [sequences, epochs] = ["last", "epoch"].map((field) => new Map(
      Object.entries(positions).map(([channel, position]) => [channel, position[field]]),
    ));
    Object.assign(this, { url, onEvent, onState, wait: FIRST_WAIT, lastId: 0, asked, epochs, positions: sequences });
    this.connect();
  }

  connect() {
    this.onState("connecting");
    const socket = new WebSocket(this.url, "wedsync.v1");
    this.socket = socket;
    this.asked.clear();
    socket.onopen = () => this.subscribe();
    socket.onmessage = (message) => this.receive(JSON.parse(message.data));
    socket.onclose = (closed) => this.lost(closed.code);
    this.watch(socket);
  }

  subscribe() {
    for (const [channel, after] of this.positions) this.follow(channel, after);
  }

  follow(channel, after) {
    const id = ++this.lastId;
    this.asked.set(id, channel);
    const epoch = this.epochs.get(channel);
    this.send({ id, op: "subscribe", channel, after, ...(epoch ? { epoch } : {}) });
  }

  send(message) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  receive(message) {
    this.heard = Date.now();
    if (message.op === "event") {
      this.positions.set(message.channel, message.sequence);
      this.onEvent(message.event);
    } else if (this.asked.has(message.id)) {
      this.answered(this.asked.get(message.id), message);
      this.asked.delete(message.id);
      if (this.asked.size === 0) {
        this.wait = FIRST_WAIT;
        this.onState("live");
      }
    }
  }

  answered(channel, answer) {
    if (answer.ok) {
      this.epochs.set(channel, answer.epoch);
      if (answer.recovered === false) this.positions.set(channel, answer.last);
    } else if (answer.error.temporary) {
      setTimeout(() => this.follow(channel, this.positions.get(channel)), 2000);
    }
  }

  // A connection that died without a word is noticed by an unanswered ping.
  watch(socket) {
    this.heard = Date.now();
    const timer = setInterval(() => {
      if (this.socket !== socket || socket.readyState > WebSocket.OPEN) return clearInterval(timer);
      if (Date.now() - this.heard > 2.5 * PING_EVERY) return socket.close();
      this.send({ id: ++this.lastId, op: "ping" });
    }, PING_EVERY);
  }

  lost(code) {
    if (code >= FINAL && code < 4000) return this.onState("off");
    this.onState("reconnecting");
    const wait = this.wait * (0.8 + 0.4 * Math.random());
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
    setTimeout(() => this.connect(), wait);
  }
}

function start() {
  localize(document);
  const list = document.getElementById("events-list");
  const indicator = document.getElementById("indicator");
  if (!list || !indicator) return;
  const events = new EventList(list);
  const address = new URL("/ws/channels/", window.location.href);
  address.protocol = window.location.protocol === "https:" ? "wss:" : "ws:";
  address.searchParams.set("organization", list.dataset.organization);
  const says = { live: "live", connecting: "connecting", reconnecting: "reconnecting", off: "not live: sign in again" };
  const onState = (state) => {
    if (state === "connecting" && indicator.dataset.state === "reconnecting") return;
    indicator.dataset.state = state;
    indicator.textContent = says[state];
  };
  new Follower(address.href, JSON.parse(list.dataset.positions), (event) => events.show(event), onState);
}

start();
