/**
 * The callback that shows a run in a browser.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { host as runtime } from "../base/host.ts";
import { checkOptions, flag, num, type OptionTable, text, texts } from "../base/options.ts";
import { Callback, CancelFit, type Handled, ORDER, silentLogger } from "../train/mod.ts";
import { isLoopback } from "./hostname.ts";
import type { FitOutcome, RunStatus } from "./messages.ts";
import type { Command, PageServer } from "./server.ts";
import { type Clock, RunState } from "./state.ts";
import { hasPictures, topLosses } from "./top_losses.ts";

/** Options of {@link LivePage}. */
export interface LivePageOptions {
  /** Port to listen on; 0 is any free one. By default 8421, or any free one where that is in use. */
  readonly port?: number;
  /** Address to listen on; `127.0.0.1`, this machine alone, by default. Any other needs a `token`. */
  readonly hostname?: string;
  /** What viewers must know, at least 16 characters; none by default, which is for loopback only. */
  readonly token?: string;
  /** Names that the machine is called by in addresses, besides numbers and `localhost`; none by default. */
  readonly hosts?: readonly string[];
  /** Heading of the page; by default the class of the model. */
  readonly title?: string;
  /** Whether viewers may pause and stop the run; true by default. */
  readonly controls?: boolean;
  /** How many of the hardest pictures are shown after a fit that somebody watches; 12 by default, 0 for none. */
  readonly topLosses?: number;
  /**
   * Seconds between two looks at the losses while somebody watches and nothing else reads them, such as the progress bar
   * of a terminal; 2 by default. `Infinity` leaves the curve to the ends of epochs.
   */
  readonly readEvery?: number;
  /** Whether the process stays, for viewers, until `close()`; by default it ends with the script. */
  readonly keepOpen?: boolean;
}

const OPTIONS: OptionTable<LivePageOptions> = {
  port: num,
  hostname: text,
  token: text,
  hosts: texts,
  title: text,
  controls: flag,
  topLosses: num,
  readEvery: num,
  keepOpen: flag,
};
/** Milliseconds between two messages to the pages. */
const SEND_MS = 200;
const DEFAULT_PORT = 8421;
const MIN_TOKEN = 16;

/**
 * Serves a page with the run's curves, metrics, learning-rate finder, device statistics and hardest pictures, and with
 * buttons that pause and stop it. It looks at what is on the host already, five times a second while somebody watches;
 * without viewers it costs two comparisons a batch.
 *
 * Needs `--allow-net` for its address.
 *
 * @example
 * ```ts ignore
 * const learn = new Learner(dls, model, { cbs: [new LivePage()] }); // prints the address
 * await learn.fitOneCycle(5);
 * ```
 */
export class LivePage extends Callback {
  /** Place in line: last, so that the page shows what the others left; see `ORDER`. */
  override readonly order: number = ORDER.last;
  /** In a run of several processes the first one serves the page. */
  override readonly rank0Only: boolean = true;
  /** What it can't write costs no fit. */
  override readonly reportsOnly: boolean = true;

  readonly #options: LivePageOptions;
  readonly #hostname: string;
  readonly #topLosses: number;
  readonly #readMs: number;
  #server: PageServer | null = null;
  #state: RunState | null = null;
  #announced = false;
  #timer: ReturnType<typeof setInterval> | null = null;

  // the fit under way
  #running = false;
  #startedAt = 0;
  #pausedMs = 0;
  #startPct = -1;
  #endedMs = 0;
  #outcome: FitOutcome | null = null;
  #readAt = 0;
  #readLosses = 0;
  #wantTop = false;

  // pause and stop
  #gate: PromiseWithResolvers<void> | null = null;
  #pausedAt = 0;
  #stopping = false;

  /**
   * Makes a LivePage.
   *
   * @param options See {@link LivePageOptions}.
   * @throws ConfigError where an address other than loopback comes without token, or a number is out of range.
   */
  constructor(options: LivePageOptions = {}) {
    super();
    checkOptions("make LivePage", options, OPTIONS);
    const { hostname = "127.0.0.1", token, port = DEFAULT_PORT, topLosses = 12, readEvery = 2 } = options;
    if (token === undefined && !isLoopback(hostname)) {
      throw new ConfigError(
        `Cannot serve the live page on ${hostname}: whoever reaches it could stop the run, give a { token }`,
      );
    }
    if (token !== undefined && token.length < MIN_TOKEN) {
      throw new ConfigError(
        `Cannot use a token of ${token.length} characters: it must have at least ${MIN_TOKEN}, as crypto.randomUUID() has`,
      );
    }
    if (!Number.isInteger(port) || port < 0 || port > 65535) {
      throw new ConfigError(`Cannot serve the live page on port ${port}: ports are whole numbers from 0 to 65535`);
    }
    if (!Number.isInteger(topLosses) || topLosses < 0 || topLosses > 100) {
      throw new ConfigError(`Cannot show ${topLosses} pictures: the number must be whole, from 0 to 100`);
    }
    if (!(readEvery > 0)) {
      throw new ConfigError(`Cannot read losses every ${readEvery} seconds: the number must be above 0`);
    }
    this.#options = options;
    this.#hostname = hostname;
    this.#topLosses = topLosses;
    this.#readMs = readEvery * 1000;
  }

  /** Address of the page, its token included; null while it is not served. */
  get url(): string | null {
    return this.#server?.url ?? null;
  }

  /** Whether the run waits, or will at its next batch. */
  get paused(): boolean {
    return this.#gate !== null;
  }

  /** How many pages are open. */
  get viewers(): number {
    return this.#server?.viewers.count ?? 0;
  }

  /** Makes the run wait before its next batch. Timers, signals and servers go on. */
  pause(): void {
    if (this.#running) this.#gate ??= Promise.withResolvers<void>();
    this.#send();
  }

  /** Lets a paused run go on. */
  resume(): void {
    this.#gate?.resolve();
    this.#gate = null;
    this.#send();
  }

  /**
   * Stops the fit under way. With a `Checkpoint` that is an interruption, as `learn.interrupt("stop")`: the fit is saved and
   * rejects, to go on with `resume: true`. Otherwise it ends before its next batch, as by a `CancelFit`, and the script goes on.
   */
  stop(): void {
    if (!this.#running) return;
    this.#stopping = true;
    if (this.learn.saver !== null) this.learn.interrupt("stop");
    this.resume();
  }

  /**
   * Starts to serve, which the first fit does otherwise.
   *
   * @throws ConfigError where the port is in use or the permission missing.
   */
  async start(): Promise<string> {
    if (this.#server === null) {
      const { port, token = null, hosts = [], keepOpen = false, title } = this.#options;
      await refuseUnpermitted(this.#hostname, port ?? DEFAULT_PORT);
      const { learn } = this;
      const state = new RunState({ title: title ?? learn.model.constructor.name, controls: this.#controls });
      this.#state = state;
      const { PageServer } = await import("./server.ts");
      this.#server = new PageServer({
        hostname: this.#hostname,
        hosts,
        token,
        port: port ?? DEFAULT_PORT,
        anyPort: port === undefined && await permitted(this.#hostname, 0),
        state: () => JSON.stringify(state.full(learn, this.#status, this.#clock)),
        busy: () => this.#running || keepOpen,
        onViewer: () => this.#watch(),
        onCommand: (command) => this.#controls && this.#obey(command),
      });
      this.#server.hold(keepOpen);
    }
    return this.#server.url;
  }

  /** Stops serving; a later fit starts again. */
  async close(): Promise<void> {
    this.#stopWatching();
    const server = this.#server;
    this.#server = null;
    this.#announced = false;
    await server?.close();
  }

  // --- events

  /** See `Callback.afterCreate`. */
  override async afterCreate(): Promise<void> {
    await this.start();
    this.#announce();
  }

  /** See `Callback.beforeFit`. */
  override async beforeFit(): Promise<void> {
    await this.start();
    this.#announce();
    this.#running = true;
    this.#stopping = this.#wantTop = false;
    this.#startedAt = this.#readAt = this.learn.clock();
    this.#pausedMs = this.#readLosses = 0;
    this.#startPct = -1;
    if (!this.#probing) this.#outcome = null;
    this.#state?.begin(this.learn);
    this.learn.defer(() => this.#end()); // also where an error ends the fit
    this.#send();
  }

  /** See `Callback.beforeTrain`. */
  override beforeTrain(): void {
    if (this.#startPct < 0) this.#startPct = this.learn.pctTrain;
  }

  /** See `Callback.beforeBatch`. */
  override beforeBatch(): Handled {
    if (this.#gate !== null || this.#stopping) return this.#hold();
    if (this.#server === null || this.#server.viewers.count === 0 || !this.#running || !this.learn.training) return;
    return this.#look();
  }

  /** See `Callback.afterEpoch`. */
  override async afterEpoch(): Promise<void> {
    if (this.#wantTop) await this.#findTop();
    this.#send();
  }

  /** Whether buttons do anything: of several processes, none may stop alone. */
  get #controls(): boolean {
    return (this.#options.controls ?? true) && this.learn.peers === null;
  }

  /** Whether the learning-rate finder tries rates: that is shown, and is no fit that ends. */
  get #probing(): boolean {
    return this.learn.phase === "probe";
  }

  /** See `Callback.afterCancelFit`. */
  override afterCancelFit(): void {
    if (!this.#probing) this.#outcome = "stopped";
  }

  /** See `Callback.afterFit`. */
  override async afterFit(): Promise<void> {
    const { learn } = this;
    if (this.#probing) return;
    this.#outcome ??= "finished";
    if (this.viewers === 0 || this.#topLosses === 0) return;
    if (learn.peers !== null) return; // a pass over the set is something that all processes do together
    if (await hasPictures(learn)) await this.#findTop();
  }

  /** Reads losses between two batches, where the progress bar or the recorder has not. */
  #look(): Handled {
    const now = this.learn.clock();
    if (now - this.#readAt < this.#readMs) return;
    this.#readAt = now;
    const had = this.#readLosses;
    this.#readLosses = this.#state?.nLosses ?? 0;
    if (this.#readLosses > had) return; // somebody did
    return this.learn.recorder.syncNow();
  }

  /** Waits while paused; ends the fit where that is asked for. */
  async #hold(): Promise<void> {
    if (this.#gate !== null) {
      this.#pausedAt = this.learn.clock();
      const stay = setInterval(() => {}, 1 << 30); // a promise alone does not keep the process
      const stopListening = this.learn.onInterrupt(() => this.resume()); // a pause keeps no run from that
      this.#send();
      try {
        while (this.#gate !== null) await this.#gate.promise;
      } finally {
        clearInterval(stay);
        stopListening();
        this.#pausedMs += this.learn.clock() - this.#pausedAt;
        this.#pausedAt = 0;
      }
    }
    const { phase, running } = this.learn;
    if (this.#stopping && this.learn.interruption === null && running && phase !== "predict" && phase !== "eval") {
      throw new CancelFit("stopped from the live page");
    }
  }

  async #findTop(): Promise<void> {
    this.#wantTop = false;
    if (this.#state !== null) this.#state.top = await topLosses(this.learn, Math.max(1, this.#topLosses));
  }

  /** The fit is over, whatever ended it. */
  #end(): void {
    this.#endedMs = this.#elapsed;
    if (this.learn.phase !== "probe") this.#outcome ??= this.learn.cutShort ? "stopped" : "failed"; // nothing else said how
    this.#running = this.#stopping = false;
    this.resume();
    if (this.#options.keepOpen ?? false) return;
    this.#stopWatching();
    this.#server?.viewers.endAll(); // pages ask again every second from now on
  }

  // --- pages

  #announce(): void {
    if (this.#announced || this.#server === null || this.learn.logger === silentLogger) return;
    this.#announced = true;
    this.learn.logger.line(`Live page: ${this.#server.url}`);
  }

  #watch(): void {
    this.#timer ??= setInterval(() => this.#send(), SEND_MS);
  }

  #stopWatching(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Tells the pages what is new. */
  #send(): void {
    const server = this.#server, state = this.#state;
    if (server === null || state === null) return;
    if (server.viewers.count === 0) return this.#stopWatching();
    server.viewers.send(JSON.stringify(state.more(this.learn, this.#status, this.#clock)));
  }

  #obey(command: Command): boolean {
    if (!this.#running) return false;
    if (command === "pause") this.pause();
    else if (command === "resume") this.resume();
    else if (command === "stop") this.stop();
    else this.#wantTop = true;
    return true;
  }

  get #status(): RunStatus {
    if (!this.#running) return "idle";
    if (this.#stopping) return "stopping";
    if (this.#gate !== null) return this.#pausedAt > 0 ? "paused" : "pausing";
    return this.learn.training ? "training" : "validating";
  }

  get #elapsed(): number {
    if (!this.#running) return this.#endedMs;
    const now = this.#pausedAt > 0 ? this.#pausedAt : this.learn.clock();
    return now - this.#startedAt - this.#pausedMs;
  }

  get #clock(): Clock {
    const outcome = this.#running ? null : this.#outcome;
    return { elapsedMs: this.#elapsed, startPct: Math.max(0, this.#startPct), outcome };
  }
}

/** Whether a port may be listened on; 0 for any. Asks for nothing: a prompt in the middle of a run would hold it. */
async function permitted(hostname: string, port: number): Promise<boolean> {
  return (await Deno.permissions.query({ name: "net", host: netAddress(hostname, port) })).state === "granted";
}

function netAddress(hostname: string, port: number): string {
  return port === 0 ? hostname : `${hostname}:${port}`;
}

async function refuseUnpermitted(hostname: string, port: number): Promise<void> {
  if (runtime.kind !== "deno") {
    throw new ConfigError(
      "Cannot serve the live page: its server needs Deno; elsewhere CSVLogger, JsonLines and TensorBoard write down the run",
    );
  }
  if (await permitted(hostname, port)) return;
  const host = netAddress(hostname, port);
  throw new ConfigError(
    `Cannot serve the live page on ${host}: the permission is missing, run with --allow-net=${host}`,
  );
}
