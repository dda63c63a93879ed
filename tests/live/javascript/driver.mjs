// Plays the client in Node for tests: commands come as lines of JSON, what the client tells goes out as such.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const setup = JSON.parse(process.env.SETUP);
const { WedSyncLive } = await import(pathToFileURL(setup.client).href);
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const loads = [];

async function ticket() {
  const body = JSON.stringify(setup.ticket);
  const answer = await fetch(setup.tickets_url, { method: "POST", headers: setup.headers, body });
  if (!answer.ok) throw new Error(`tickets: ${answer.status}`);
  return { ws_url: setup.ws_url, ticket: (await answer.json()).ticket };
}

const live = new WedSyncLive({ ticket, times: setup.times });
const followings = [];
let skew = 0;
const now = Date.now;
Date.now = () => now() + skew;

const commands = {
  follow({ channels, load, positions }) {
    const number = followings.length;
    followings.push(live.follow(channels, {
      live: positions,
      ...(load && { load: () => new Promise((done, fail) => (loads.push({ done, fail }), say({ load: number }))) }),
      onEvent: (event, where) => say({ event: event.payload, id: event.id, ...where, number }),
      onState: (state, details) => say({ ...details, number }),
      onRefused: (channel, error) => say({ refused: channel, code: error.code, number }),
    }));
  },
  loaded: ({ state }) => loads.shift().done(state),
  not_loaded: () => loads.shift().fail(new Error("no network")),
  jump: ({ seconds }) => (skew += seconds * 1000),
  wake: () => live.wake(),
  ask: ({ op, fields }) => live.request(op, fields).then((answer) => say({ answer }), (error) => say({ error: error.code })),
  drop: ({ number }) => followings[number].close(),
  close: () => live.close(),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...fields } = JSON.parse(line);
  commands[command](fields);
}
live.close();
