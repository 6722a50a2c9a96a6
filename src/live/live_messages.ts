/**
 * The callback that shows a run in the page that an engine works for.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { LiveRun, type LiveRunOptions } from "./live_run.ts";
import { type Command, isCommand, type Message } from "./messages.ts";

/** What a message goes through: an `EnginePage`, or whatever else posts and is posted to. */
export interface LivePort {
  /** Tells the page something. */
  post(data: unknown): void;
  /** Calls `f` with whatever the page posts; what it gives ends that. */
  onMessage(f: (data: unknown) => void): () => void;
}

/** What {@link LiveMessages} posts. */
export interface LivePosted {
  /** The state of the run, or what is new of it. */
  readonly live: Message;
}

/** What {@link LiveMessages} obeys. */
export interface LiveAsked {
  /** What a button asks for. */
  readonly live: Command;
}

function isAsked(data: unknown): data is LiveAsked {
  return typeof data === "object" && data !== null && "live" in data && isCommand(data.live);
}

function checkPort(page: LivePort): void {
  const { post, onMessage }: Partial<LivePort> = page ?? {};
  if (typeof post === "function" && typeof onMessage === "function") return;
  throw new ConfigError("Cannot make LiveMessages: it posts to the page that a task of serveEngine() gets, got none");
}

/**
 * Posts what {@link LivePage} serves, the run's curves, metrics, learning-rate finder, device statistics and hardest pictures, as
 * messages `{ live }` to the page that an engine works for; and does what the page posts, `{ live: "pause" }`, `"resume"`,
 * `"stop"` or `"topLosses"`.
 *
 * @example In the worker, and in the page
 * ```ts ignore
 * serveEngine({
 *   async train(_, page) {
 *     const learn = new Learner(dls, model, { cbs: new LiveMessages(page) });
 *     await learn.fitOneCycle(5);
 *   },
 * });
 *
 * engine.on("message", (data) => draw(data.live)); // a LiveMessage
 * pauseButton.onclick = () => engine.post({ live: "pause" });
 * ```
 */
export class LiveMessages extends LiveRun {
  #port: LivePort;
  #isOpen = false;
  #stop: (() => void) | null = null;

  /**
   * Makes a LiveMessages.
   *
   * @param page The page that the task works for.
   * @param options See {@link LiveRunOptions}.
   * @throws ConfigError where a number is out of range, or `page` is none.
   */
  constructor(page: LivePort, options: LiveRunOptions = {}) {
    super(options);
    checkPort(page);
    this.#port = page;
  }

  /** One: the page. */
  override get viewers(): number {
    return this.#isOpen ? 1 : 0;
  }

  /** Another task goes on with the learner: its page is the one that is told, everything at first. */
  connect(page: LivePort): void {
    checkPort(page);
    this.#port = page;
    this.#stop?.();
    this.#stop = null;
    if (!this.#isOpen) return;
    this.#listen();
    this.#postAll();
  }

  #listen(): void {
    this.#stop ??= this.#port.onMessage((data) => {
      if (isAsked(data)) this.obey(data.live);
    });
  }

  #postAll(): void {
    const live = this.everything();
    if (live !== null) this.#port.post({ live } satisfies LivePosted);
  }

  /** See `LiveRun`. */
  protected override async open(): Promise<void> {
    if (!this.#isOpen) {
      await this.forget();
      this.#isOpen = true;
      this.#postAll();
    }
    this.#listen();
    if (this.learn.running) this.watch();
  }

  /** See `LiveRun`. */
  protected override send(live: Message): void {
    this.#port.post({ live } satisfies LivePosted);
    // what called the fit may add to it, as the finder does its suggestions: only then nothing changes until the next one
    if (!this.busy && this.learn.runs.depth === 0) this.stopWatching();
  }
}
