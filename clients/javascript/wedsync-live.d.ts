// Types of wedsync-live.js. Times are in seconds.

/** A channel's last sequence that is known, and its epoch: what answers of the API carry under `live`. */
export interface Position {
  last: number;
  epoch: string;
}

export interface LiveEvent<Payload = Record<string, unknown>> {
  id: string;
  type: string;
  priority: "low" | "normal" | "high" | "urgent";
  occurred_at: string;
  wedding_id: string | null;
  payload: Payload;
}

export interface Refusal {
  code: string;
  message: string;
  temporary: boolean;
}

/**
 * `connecting`: not live yet. `live`: everything up to now has been shown. `waiting`: the connection is lost, and is
 * tried again in `seconds`. `ended`: the server will not let this client in again, for the reason `why`.
 */
export type StateName = "connecting" | "live" | "waiting" | "ended";

export interface State {
  state: StateName;
  code?: number;
  why?: string;
  seconds?: number;
}

export interface Handlers {
  /** Called for each event once and in order. */
  onEvent?(event: LiveEvent, where: { channel: string; sequence: number }): void;
  /**
   * Loads and shows the current state; called at the start and whenever events were missed for good. Events after the
   * positions that it returns follow; those that its state contains are not shown again.
   */
  load?(): Promise<{ live?: Record<string, Position> } | void>;
  onState?(state: StateName, details: State): void;
  /** A channel that cannot be followed, or (`unrecoverable`, without `load`) whose missed events are gone. */
  onRefused?(channel: string, error: Refusal): void;
  /** Frames other than events, such as those of presence. */
  onFrame?(frame: Record<string, unknown> & { op: string; channel: string }): void;
  /** Positions of a state that is on the page already; then `load` is called only if events were missed for good. */
  live?: Record<string, Position>;
}

export interface Times {
  /** With a connection that does not answer. */
  patience: number;
  /** For the answer that an old connection must give after a sleep. */
  trust: number;
  /** Between pings while nothing else happens. */
  ping: number;
  /** The longest wait before the second attempt; it doubles with each further one. */
  first: number;
  /** The longest wait of all. */
  longest: number;
  /** After this time a connection counts as good, and waits are short again. */
  settled: number;
  /** Until a socket is tried again where a proxy broke it. */
  stream: number;
  /** Between a tab's looks at the tab that holds the connection. */
  look: number;
  /** A jump of the clock that means the machine has slept. */
  jump: number;
}

export interface Options {
  /**
   * Gets a ticket for one connection from your own server. An error with `final: true` ends the client; after any other
   * it is asked again.
   */
  ticket?(): Promise<{ ticket: string; ws_url?: string }>;
  /** The socket's URL, where the ticket's answer does not say it, or on pages of WedSync's own, which need no ticket. */
  url?: string;
  /**
   * The name under which tabs share one connection, or `false`. It must differ between people, and between pages whose
   * tickets differ. By default tabs of an origin share one for each `url`, and workers and Node share none.
   */
  share?: string | false;
  times?: Partial<Times>;
}

export interface Feed {
  /** The last sequence that was shown of each channel. */
  readonly positions: Record<string, Position>;
  close(): void;
}

export class LiveError extends Error {
  readonly code: string;
  readonly temporary: boolean;
}

export class WedSyncLive {
  constructor(options: Options);
  follow(channels: Iterable<string>, handlers?: Handlers): Feed;
  /** The answer to a request; it waits for the connection. Throws `LiveError`. */
  request(op: string, fields?: Record<string, unknown>): Promise<Record<string, unknown>>;
  publish(
    channel: string,
    event: { type: string; payload: Record<string, unknown>; wedding_id?: string },
  ): Promise<{ event: string; sequence: number }>;
  presence(channel: string, fields?: Record<string, unknown>): Promise<Record<string, unknown>>;
  seen(channel: string, sequence: number): Promise<Record<string, unknown>>;
  /** For what no browser tells: the machine has slept, or the network is back. */
  wake(): void;
  close(): void;
}
