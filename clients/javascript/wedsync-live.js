// Follows WedSync's live channels: every event once, in order, over any network. docs/developers/realtime-clients.md
// shows how it is used, wedsync-live.d.ts has its types. It runs in browsers, workers and Node.

const TIMES = { // seconds
  patience: 5, // with a connection that does not answer
  trust: 1, // for the answer that an old connection must give after a sleep
  ping: 20, // between pings while nothing else happens
  first: 0.5, // the longest wait before the second attempt; it doubles with each further one,
  longest: 20, // up to this
  settled: 5, // after this time a connection counts as good, and waits are short again
  stream: 600, // until a socket is tried again where a proxy broke it
  look: 0.5, // between a tab's looks at the tab that holds the connection
  jump: 3, // of the clock, from which on the machine must have slept
};
const TO_THE_LINE = new Set(["want", "drop", "ask", "wake", "look", "bye"]);
const MISSED_LOOKS = 2; // unanswered, until another tab takes the connection over
const FINAL = (code) => code >= 3500 && code < 4000;

const later = (seconds, what) => setTimeout(what, seconds * 1000);
const hidden = () => globalThis.document?.visibilityState === "hidden";
const wait = (times, failures) => Math.random() * Math.min(times.longest, times.first * 2 ** failures);

export class LiveError extends Error {
  constructor({ code, message, temporary }) {
    super(message);
    Object.assign(this, { name: "LiveError", code, temporary });
  }
}
const lost = (message = "The connection was lost before the answer came.") =>
  new LiveError({ code: "connection-lost", message, temporary: true });

const address = (url) => {
  const found = new URL(url, globalThis.location?.href);
  found.protocol = found.protocol.replace("http", "ws");
  return found;
};

function openSocket(url, ticket, { opened, heard, closed }) {
  if (ticket) url.searchParams.set("ticket", ticket);
  const socket = new WebSocket(url, "wedsync.v1");
  socket.onopen = opened;
  socket.onmessage = ({ data }) => heard(JSON.parse(data));
  socket.onclose = ({ code, reason }) => closed(code, reason);
  return {
    send: (message) => socket.readyState === 1 && socket.send(JSON.stringify(message)),
    close() {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    },
  };
}

// Server-Sent Events, for networks that let no WebSocket through. It takes and tells the same messages as a socket.
function openStream(url, ticket, { opened, heard, closed }) {
  const at = new Map(); // channel -> {after, epoch}
  let token = ticket;
  url.protocol = url.protocol.replace("ws", "http");
  url.pathname = url.pathname.replace("/ws/channels/", "/api/channels/events/");
  const asking = [];
  let fetching, fresh;

  async function open() {
    fetching?.abort();
    const mine = (fetching = new AbortController());
    url.searchParams.delete("channel");
    for (const [name, { after, epoch }] of at) {
      const from = after === undefined ? "" : `@${after}${epoch ? `.${epoch}` : ""}`;
      url.searchParams.append("channel", name + from);
    }
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    try {
      const answer = await fetch(url, { headers, signal: mine.signal, cache: "no-store" });
      if (!answer.ok) return refused(answer.status, await answer.json(), Number(answer.headers.get("Retry-After")));
      let rest = "";
      const text = new TextDecoder();
      for (const reader = answer.body.getReader(); ;) {
        const { done, value } = await reader.read();
        fresh = true;
        if (done) return closed(undefined, "the stream has ended");
        const blocks = (rest + text.decode(value, { stream: true })).split("\n\n");
        rest = blocks.pop();
        for (const block of blocks) {
          take(block);
          await null; // what waited for an answer comes before the next event
          if (mine.signal.aborted) return;
        }
      }
    } catch (error) {
      if (!mine.signal.aborted) closed(undefined, error.message);
    }
  }

  function take(block) {
    const field = (name) => block.match(new RegExp(`^${name}: ?(.*)`, "m"))?.[1];
    const data = JSON.parse(field("data") ?? "null");
    const kind = field("event");
    if (kind === "subscribed") subscribed(data.channels);
    else if (kind === "token") token = data.token;
    else if (kind === "end") closed(data.code, data.reason);
    else if (data?.op === "event") {
      const known = at.get(data.channel);
      if (known) known.after = data.sequence;
      heard(data);
    } else if (data?.op) heard(data);
  }

  function subscribed(channels) {
    for (const [name, answer] of Object.entries(channels)) {
      const known = at.get(name) ?? {};
      if (answer.recovered === false || known.after === undefined) known.after = answer.last;
      known.epoch = answer.epoch;
      answer.ok = true;
    }
    for (const id of asking.splice(0)) heard({ id, ok: true, channels });
  }

  function refused(status, { detail, channel, type = "" }, seconds) {
    const error = { code: type.split("/").at(-1), message: detail };
    const channels = channel && { [channel]: { error } };
    if (channel) asking.splice(0).forEach((id) => heard({ id, ok: true, channels }));
    const final = (status === 401 && !ticket) || (status === 403 && !channel);
    closed(final ? 3500 : undefined, detail, channel ? 0 : seconds || undefined);
  }

  const carry = {
    subscribe({ id, channels }) {
      for (const [name, given] of Object.entries(channels)) at.set(name, { ...given });
      asking.push(id);
      open();
    },
    unsubscribe: ({ channel }) => at.delete(channel), // its events are ignored until the next stream
    ping({ id }) { // comments come more often
      if (fresh) heard({ id, ok: true });
      fresh = false;
    },
  };
  later(0, opened);
  return {
    send(message) {
      const error = { code: "no-socket", message: "This network lets no request through.", temporary: true };
      if (carry[message.op]) carry[message.op](message);
      else heard({ id: message.id, ok: false, error });
    },
    close: () => fetching?.abort(),
  };
}

// One connection, kept up. It knows for each wanted channel how far it has come, and tells what it hears:
// {op: "event" | "at" | "refused" | "state", ...}.
class Line {
  constructor(options, tell) {
    Object.assign(this, { options, tell, times: options.times, state: { state: "connecting" } });
    Object.assign(this, { wanted: new Map(), asked: new Map(), outbox: [], lastId: 0, turn: 0, failures: 0 });
    this.pinging = setInterval(() => this.live && this.test(this.times.patience), this.times.ping * 1000);
  }

  // channels: {name: {after?, epoch?}}. What another follower has already moved past is read again.
  want(channels) {
    const names = [];
    for (const [channel, { after, epoch }] of Object.entries(channels)) {
      const known = this.wanted.get(channel);
      if (known && !known.asking && known.epoch) {
        if (!(epoch && epoch !== known.epoch) && !(after < known.after)) {
          this.tell({ op: "at", channel, epoch: known.epoch, from: known.after, last: known.after });
          continue;
        }
      } else if (known && !(after < (known.after ?? Infinity))) continue;
      this.wanted.set(channel, { after, epoch, asking: known?.asking ?? 0 });
      names.push(channel);
    }
    if (!this.turn) this.connect();
    else this.subscribe(names);
  }

  drop(channels) {
    for (const channel of channels) {
      if (this.wanted.delete(channel) && this.live) this.ask({ op: "unsubscribe", channel }).catch(() => {});
    }
  }

  // A request's answer. It waits for the connection; one that the connection took with it fails, since nobody knows
  // whether it was carried out.
  ask(request) {
    if (this.state.state === "ended") return Promise.reject(lost("The connection has ended for good."));
    if (!this.turn) this.connect();
    if (this.live) return this.carry(request);
    return new Promise((done) => this.outbox.push(done)).then(() => this.carry(request));
  }

  carry(request) {
    return new Promise((done, fail) => {
      if (!this.wire) return fail(lost());
      const id = ++this.lastId;
      this.asked.set(id, { done, fail });
      return this.wire.send({ ...request, id });
    });
  }

  wake() {
    if (this.state.state === "ended" || !this.turn) return;
    this.failures = 0;
    if (this.live && !this.streaming) this.test(this.times.trust);
    else if (this.live || Date.now() - this.began > 500) this.connect();
  }

  close() {
    this.leave();
    for (const go of this.outbox.splice(0)) go();
    clearInterval(this.pinging);
    this.state = { state: "ended" };
  }

  async connect() {
    this.leave();
    const turn = this.turn;
    this.began = Date.now();
    this.spoke = this.tried = false;
    if (this.state.state !== "waiting") this.enter({ state: "connecting" });
    this.limit = later(this.times.patience, () => this.lost(turn, { why: "the server did not answer in time" }));
    try {
      const { options } = this;
      const pass = options.ticket ? await options.ticket() : {};
      if (turn !== this.turn) return;
      this.tried = true;
      this.wire = (this.streaming ? openStream : openSocket)(address(pass.ws_url ?? options.url), pass.ticket, {
        opened: () => turn === this.turn && this.opened(turn),
        heard: (message) => turn === this.turn && this.heard(message),
        closed: (code, why, pause) => this.lost(turn, { code, why, pause }),
      });
    } catch (error) {
      this.lost(turn, { why: error.message, final: error.final });
    }
  }

  opened(turn) {
    const first = this.subscribe([...this.wanted.keys()]) ?? this.carry({ op: "ping" });
    this.live = true;
    for (const go of this.outbox.splice(0)) go();
    first.catch(() => {}).then(() => {
      if (turn !== this.turn) return;
      clearTimeout(this.limit);
      this.limit = later(this.times.settled, () => (this.failures = 0));
      this.enter({ state: "live" });
    });
  }

  subscribe(names) {
    const channels = {};
    for (const name of this.wire ? names : []) {
      const at = this.wanted.get(name);
      if (!at) continue;
      at.asking++;
      channels[name] = { after: at.after, epoch: at.epoch };
    }
    if (!Object.keys(channels).length) return null;
    const each = (what) => Object.entries(channels).forEach(([name, at]) => what(name, at));
    return this.carry({ op: "subscribe", channels }).then(
      (answer) => each((name, at) => this.subscribed(name, at, answer.channels[name])),
      (error) => error.code !== "connection-lost" && each((name) => this.refused(name, error)),
    );
  }

  subscribed(channel, { after, epoch: asked }, answer) {
    const at = this.wanted.get(channel);
    if (!answer || !at) return;
    if (!answer.ok) return this.refused(channel, answer.error);
    const { epoch, last, oldest } = answer;
    const gone = answer.recovered === false;
    at.asking--;
    at.epoch = epoch;
    if (gone || at.after === undefined) at.after = last;
    this.tell({ op: "at", channel, asked, epoch, from: gone ? last : after ?? last, last, lost: gone, oldest });
  }

  refused(channel, error) {
    const at = this.wanted.get(channel);
    if (!at) return;
    at.asking = Math.max(0, at.asking - 1);
    if (error.temporary) later(0.5 + wait(this.times, 2), () => this.live && this.subscribe([channel]));
    else {
      this.wanted.delete(channel);
      this.tell({ op: "refused", channel, error: { code: error.code, message: error.message, temporary: false } });
    }
  }

  heard(message) {
    this.spoke = true;
    if (message.op === "event") {
      const at = this.wanted.get(message.channel);
      if (!at) return;
      if (message.sequence === at.after + 1) at.after = message.sequence;
      else if (message.sequence > at.after && !at.asking) this.lost(this.turn, { why: "an event was missing" });
      this.tell(message);
    } else if (this.asked.has(message.id)) {
      const { done, fail } = this.asked.get(message.id);
      this.asked.delete(message.id);
      if (message.ok) done(message);
      else fail(new LiveError(message.error));
    } else if (message.op) this.tell(message);
  }

  // A connection that died without a word is noticed by a ping that nobody answers.
  test(seconds) {
    const turn = this.turn;
    this.trust();
    this.testing = later(seconds, () => this.lost(turn, { why: "the server no longer answers", pause: 0 }));
    this.ask({ op: "ping" }).then(() => this.trust(), () => {});
  }

  trust() {
    clearTimeout(this.testing);
    this.testing = null;
  }

  lost(turn, { code, why, pause, final }) {
    if (turn !== this.turn) return;
    this.leave();
    this.began = 0;
    if (final || FINAL(code)) {
      for (const go of this.outbox.splice(0)) go();
      return this.enter({ state: "ended", code, why });
    }
    // 3001 says how long the server would like us to stay away.
    const asked = code === 3001 && why?.match(/\d+(\.\d+)?/);
    const now = this.choose(code) ? 0 : pause;
    const seconds = asked ? Number(asked[0]) : now ?? wait(this.times, this.failures++);
    this.enter({ state: "waiting", code, why, seconds });
    this.limit = later(seconds, () => this.connect());
  }

  // Whether the other transport is to be tried at once. A proxy that breaks sockets is not asked again for a while; a
  // socket that once came through is tried more often, since it may be the server that is away.
  choose(code) {
    const silent = this.tried && !this.spoke && !(code >= 3000);
    const streamed = this.streaming;
    if (!silent) {
      this.deaf = 0;
      if (this.spoke && !streamed) this.good = true;
      if (this.spoke && streamed && !this.until) this.until = Date.now() + this.times.stream * 1000;
      if (this.until && Date.now() > this.until) this.streaming = this.until = null;
    } else {
      this.deaf = (this.deaf ?? 0) + 1;
      this.streaming = !streamed && this.deaf >= (this.good ? 3 : 1);
    }
    return this.streaming && !streamed;
  }

  leave() {
    this.turn++;
    this.live = false;
    clearTimeout(this.limit);
    this.trust();
    this.wire?.close();
    this.wire = null;
    for (const at of this.wanted.values()) at.asking = 0;
    for (const { fail } of this.asked.values()) fail(lost());
    this.asked.clear();
  }

  enter(state) {
    this.state = state;
    this.tell({ op: "state", ...state });
  }
}

// One Line for all tabs of a browser: the tab that has the lock holds it, the others hear and ask through a
// BroadcastChannel. A tab that is closed or frozen gives the lock back, one that hangs has it taken away.
class Tabs {
  constructor(name, options, hear) {
    Object.assign(this, { name, options, hear, times: options.times, id: String(Math.random()) });
    Object.assign(this, { others: new Map(), asked: new Map(), lastId: 0, missed: 0 });
    this.known = new Promise((found) => (this.found = found));
    this.bus = new BroadcastChannel(name);
    this.bus.onmessage = ({ data }) => this.receive(data);
    this.looking = setInterval(() => this.look(), this.times.look * 1000);
    this.enter();
  }

  post(message) {
    this.bus?.postMessage({ from: this.id, ...message });
  }

  enter(steal) {
    this.seeking?.abort();
    const seeking = (this.seeking = new AbortController());
    const ended = () => {
      if (this.seeking !== seeking) return;
      this.stepDown();
      this.enter();
      this.hear({ op: "line" });
    };
    const lead = () => (this.seeking === seeking ? this.lead() : null);
    navigator.locks.request(this.name, steal ? { steal } : { signal: seeking.signal }, lead).then(ended, ended);
  }

  lead() {
    this.line = new Line(this.options, (message) => {
      this.post(message);
      this.hear(message);
    });
    this.forget();
    this.found();
    this.post({ op: "line" });
    this.hear({ op: "line" });
    return new Promise((release) => (this.release = release));
  }

  stepDown() {
    this.line?.close();
    this.line = null;
    this.others.clear();
    this.release?.();
  }

  // A frozen page hears nothing, and one that is kept for the "back" button may hold no connection.
  pause() {
    this.seeking.abort();
    this.seeking = null;
    this.post({ op: "bye" });
    this.stepDown();
  }

  want(channels) {
    if (this.line) this.line.want(channels);
    else this.post({ op: "want", channels });
  }

  drop(channels) {
    if (!this.line) return this.post({ op: "drop", channels });
    const needed = new Set([...this.others.values()].flatMap((names) => [...names]));
    return this.line.drop(channels.filter((name) => !needed.has(name)));
  }

  async ask(request) {
    await this.known;
    if (this.line) return this.line.ask(request);
    return new Promise((done, fail) => {
      this.asked.set(++this.lastId, { done, fail });
      this.post({ op: "ask", id: this.lastId, request });
    });
  }

  wake() {
    if (!this.seeking) this.enter();
    if (this.line) this.line.wake();
    else {
      this.hear({ op: "line" });
      this.post({ op: "wake" });
    }
  }

  close() {
    this.pause();
    clearInterval(this.looking);
    this.bus.close();
    this.bus = null;
  }

  look() {
    if (this.line || !this.seeking || hidden()) return;
    if (this.missed++ >= MISSED_LOOKS) {
      this.missed = 0;
      this.enter(true);
    } else this.post({ op: "look" });
  }

  forget() {
    for (const { fail } of this.asked.values()) fail(lost());
    this.asked.clear();
  }

  receive(message) {
    if (this.line) return this.serve(message);
    if (TO_THE_LINE.has(message.op) || (message.op === "answer" && message.to !== this.id)) return null;
    this.missed = 0;
    this.found();
    if (message.op === "answer") {
      const asked = this.asked.get(message.id);
      this.asked.delete(message.id);
      return message.error ? asked?.fail(new LiveError(message.error)) : asked?.done(message.answer);
    }
    if (message.op === "line") this.forget();
    // A hidden tab wakes late; one that is looked at does better.
    if (message.op === "state" && message.hidden && message.state === "waiting" && !hidden()) this.enter(true);
    return this.hear(message);
  }

  serve({ op, from, id, channels = {}, request }) {
    const names = this.others.get(from) ?? new Set();
    const answer = (content) => this.post({ op: "answer", to: from, id, ...content });
    if (op === "want") {
      Object.keys(channels).forEach((name) => names.add(name));
      this.others.set(from, names);
      this.line.want(channels);
    } else if (op === "drop") {
      channels.forEach((name) => names.delete(name));
      this.hear({ op: "dropped", channels });
    } else if (op === "bye") {
      this.others.delete(from);
      this.hear({ op: "dropped", channels: [...names] });
    } else if (op === "ask") {
      this.line.ask(request).then(
        (content) => answer({ answer: content }),
        ({ code, message, temporary }) => answer({ error: { code, message, temporary } }),
      );
    } else if (op === "wake") this.line.wake();
    if (op === "look" || op === "want") this.post({ op: "state", hidden: hidden(), ...this.line.state });
  }
}

// What one part of a page follows. Positions are its own, so that it misses nothing whoever holds the connection.
class Feed {
  constructor(client, channels, handlers) {
    Object.assign(this, { client, channels, handlers, at: new Map(), asking: new Set(), refused: new Set() });
    this.place(handlers.live);
    if (handlers.load && this.at.size < channels.length) this.load();
    else this.want(channels);
  }

  // The last sequence that was shown of each channel.
  get positions() {
    return Object.fromEntries([...this.at].map(([channel, { after, epoch }]) => [channel, { last: after, epoch }]));
  }

  close() {
    this.closed = true;
    this.client.forget(this);
  }

  place(live) {
    for (const channel of this.channels) {
      const given = live?.[channel];
      if (given) this.at.set(channel, { after: given.last, epoch: given.epoch });
    }
  }

  want(channels) {
    const wanted = {};
    for (const channel of channels) {
      this.asking.add(channel);
      wanted[channel] = this.at.get(channel) ?? {};
    }
    if (channels.length) this.client.hub.want(wanted);
  }

  wantAll() {
    this.again?.();
    if (!this.starting) this.want(this.channels.filter((channel) => !this.refused.has(channel)));
  }

  event(message) {
    const at = this.at.get(message.channel);
    if (!at || message.sequence <= at.after) return;
    if (message.sequence > at.after + 1) {
      if (!this.asking.has(message.channel)) this.want([message.channel]);
      return;
    }
    at.after = message.sequence;
    if (this.held) this.held.push(message);
    else this.show(message);
  }

  show({ event, channel, sequence }) {
    try {
      this.handlers.onEvent?.(event, { channel, sequence });
    } catch (error) {
      later(0, () => { throw error; }); // a fault of the page's own: seen, and the next event comes all the same
    }
  }

  placed({ channel, asked, epoch, from, last, lost: gone, oldest }) {
    const at = this.at.get(channel);
    const same = at && [undefined, epoch, gone ? epoch : asked].includes(at.epoch);
    if (same && !(gone && at.after !== last)) {
      at.epoch = epoch;
      if (from <= at.after) this.asking.delete(channel);
    } else {
      this.asking.delete(channel);
      this.at.set(channel, { after: last, epoch });
      this.base?.set(channel, last);
      this.held = this.held?.filter((message) => message.channel !== channel);
      if (this.handlers.load) this.load();
      else if (at) {
        const message = `Events of ${channel} are missing${oldest ? `; the oldest one kept is ${oldest}` : ""}.`;
        this.handlers.onRefused?.(channel, { code: "unrecoverable", message, temporary: false });
      }
    }
    this.report();
  }

  refuse({ channel, error }) {
    this.asking.delete(channel);
    this.refused.add(channel);
    this.handlers.onRefused?.(channel, error);
    this.report();
  }

  // Events that come meanwhile are shown afterwards, without those that the loaded state contains.
  async load() {
    this.stale = true;
    if (this.held) return;
    this.held = [];
    this.base = new Map([...this.at].map(([channel, { after }]) => [channel, after]));
    this.starting = !this.at.size;
    let state;
    for (let failures = 0; this.stale && !this.closed;) {
      this.stale = false;
      try {
        state = await this.handlers.load();
      } catch {
        this.stale = true;
        await new Promise((again) => later(wait(this.client.times, failures++), (this.again = again)));
      }
    }
    this.again = null;
    if (this.closed) return;
    const wanted = this.starting ? new Set(this.channels) : new Set();
    for (const channel of this.channels) {
      const given = state?.live?.[channel];
      const at = this.at.get(channel);
      if (!given) continue;
      const same = at?.epoch === given.epoch && given.last >= this.base.get(channel);
      if (!same) wanted.add(channel);
      this.held = this.held.filter((message) => message.channel !== channel || (same && message.sequence > given.last));
      if (!same || given.last > at.after) this.at.set(channel, { after: given.last, epoch: given.epoch });
    }
    const held = this.held;
    this.held = null;
    this.starting = false;
    held.forEach((message) => this.show(message));
    this.want([...wanted]);
    this.report();
  }

  report() {
    let { op, from, hidden: _, ...now } = this.client.state;
    if (now.state === "live" && (this.held || this.asking.size)) now = { state: "connecting" };
    if (now.state === "connecting" && this.said?.startsWith('{"state":"waiting"')) return;
    const said = JSON.stringify(now);
    if (said === this.said) return;
    this.said = said;
    this.handlers.onState?.(now.state, now);
  }
}

export class WedSyncLive {
  constructor(options) {
    this.times = { ...TIMES, ...options.times };
    this.state = { state: "connecting" };
    this.feeds = new Set();
    const all = { ...options, times: this.times };
    const hear = (message) => this.hear(message);
    const name = options.share ?? (globalThis.document ? `wedsync-live ${options.url ?? ""}` : false);
    const together = name && globalThis.BroadcastChannel && globalThis.navigator?.locks;
    this.alone = () => new Line(all, hear);
    this.hub = together ? new Tabs(name, all, hear) : this.alone();
    this.listen();
  }

  follow(channels, handlers = {}) {
    const feed = new Feed(this, [...channels], handlers);
    this.feeds.add(feed);
    feed.report();
    return feed;
  }

  request(op, fields = {}) {
    return this.hub.ask({ ...fields, op });
  }

  publish(channel, fields) {
    return this.request("publish", { ...fields, channel });
  }

  presence(channel, fields) {
    return this.request("presence", { ...fields, channel });
  }

  seen(channel, sequence) {
    return this.request("seen", { channel, sequence });
  }

  // For what no browser tells: the machine has slept, or the network is back.
  wake() {
    this.feeds.forEach((feed) => feed.again?.());
    this.hub.wake();
  }

  close() {
    this.stop();
    this.feeds.clear();
    this.hub.close();
  }

  forget(feed) {
    this.feeds.delete(feed);
    this.dropped(feed.channels);
  }

  dropped(channels) {
    const needed = new Set([...this.feeds].flatMap((each) => each.channels));
    this.hub.drop(channels.filter((channel) => !needed.has(channel)));
  }

  hear(message) {
    const { op } = message;
    if (op === "state") this.state = message;
    if (op === "refused" && message.error.code === "forbidden" && this.hub.bus && !this.hub.line) return this.goAlone();
    if (op === "dropped") return this.dropped(message.channels);
    for (const feed of this.feeds) {
      if (op === "state") feed.report();
      else if (op === "line") feed.wantAll();
      else if (!feed.channels.includes(message.channel)) continue;
      else if (op === "event") feed.event(message);
      else if (op === "at") feed.placed(message);
      else if (op === "refused") feed.refuse(message);
      else feed.handlers.onFrame?.(message);
    }
    return null;
  }

  // The tab that holds the connection may follow less than this one.
  goAlone() {
    this.hub.close();
    this.hub = this.alone();
    this.feeds.forEach((feed) => feed.wantAll());
  }

  listen() {
    const page = globalThis.document;
    const stopping = new AbortController();
    const on = (where, names, what) => {
      for (const name of names) where?.addEventListener?.(name, what, { signal: stopping.signal });
    };
    on(globalThis, ["online", "pageshow"], () => this.wake());
    on(page, ["resume"], () => this.wake());
    on(page, ["visibilitychange"], () => hidden() || this.wake());
    on(globalThis, ["pagehide"], () => this.hub.pause?.());
    on(page, ["freeze"], () => this.hub.pause?.());
    let before = Date.now();
    const clock = setInterval(() => {
      const now = Date.now();
      if (Math.abs(now - before - 1000) > this.times.jump * 1000) this.wake();
      before = now;
    }, 1000);
    this.stop = () => {
      stopping.abort();
      clearInterval(clock);
    };
  }
}
