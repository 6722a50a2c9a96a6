/**
 * The callback that shows a run in a browser.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { host as runtime } from "../base/host.ts";
import { checkOptions, flag, num, type OptionTable, text, texts } from "../base/options.ts";
import { silentLogger } from "../train/mod.ts";
import { isLoopback } from "./hostname.ts";
import { LIVE_RUN, LiveRun, type LiveRunOptions, runOptions } from "./live_run.ts";
import type { Message } from "./messages.ts";
import type { PageServer } from "./server.ts";

/** Options of {@link LivePage}. */
export interface LivePageOptions extends LiveRunOptions {
  /** Port to listen on; 0 is any free one. By default 8421, or any free one where that is in use. */
  readonly port?: number;
  /** Address to listen on; `127.0.0.1`, this machine alone, by default. Any other needs a `token`. */
  readonly hostname?: string;
  /** What viewers must know, at least 16 characters; none by default, which is for loopback only. */
  readonly token?: string;
  /** Names that the machine is called by in addresses, besides numbers and `localhost`; none by default. */
  readonly hosts?: readonly string[];
  /** Whether the process stays, for viewers, until `close()`; by default it ends with the script. */
  readonly keepOpen?: boolean;
}

const OPTIONS: OptionTable<LivePageOptions> = {
  ...LIVE_RUN,
  port: num,
  hostname: text,
  token: text,
  hosts: texts,
  keepOpen: flag,
};
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
export class LivePage extends LiveRun {
  readonly #options: LivePageOptions;
  readonly #hostname: string;
  #server: PageServer | null = null;
  #announced = false;

  /**
   * Makes a LivePage.
   *
   * @param options See {@link LivePageOptions}.
   * @throws ConfigError where an address other than loopback comes without token, or a number is out of range.
   */
  constructor(options: LivePageOptions = {}) {
    super(runOptions(checkOptions("make LivePage", options, OPTIONS)));
    const { hostname = "127.0.0.1", token, port = DEFAULT_PORT } = options;
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
    this.#options = options;
    this.#hostname = hostname;
  }

  /** Address of the page, its token included; null while it is not served. */
  get url(): string | null {
    return this.#server?.url ?? null;
  }

  /** How many pages are open. */
  override get viewers(): number {
    return this.#server?.viewers.count ?? 0;
  }

  /**
   * Starts to serve, which the first fit does otherwise.
   *
   * @throws ConfigError where the port is in use or the permission missing.
   */
  async start(): Promise<string> {
    if (this.#server === null) {
      const { port, token = null, hosts = [], keepOpen = false } = this.#options;
      await refuseUnpermitted(this.#hostname, port ?? DEFAULT_PORT);
      await this.forget();
      const { PageServer } = await import("./server.ts");
      this.#server = new PageServer({
        hostname: this.#hostname,
        hosts,
        token,
        port: port ?? DEFAULT_PORT,
        anyPort: port === undefined && await permitted(this.#hostname, 0),
        state: () => JSON.stringify(this.everything()),
        busy: () => this.busy || keepOpen,
        onViewer: () => this.watch(),
        onCommand: (command) => this.obey(command),
      });
      this.#server.hold(keepOpen);
    }
    return this.#server.url;
  }

  /** Stops serving; a later fit starts again. */
  async close(): Promise<void> {
    this.stopWatching();
    const server = this.#server;
    this.#server = null;
    this.#announced = false;
    await server?.close();
  }

  /** See `LiveRun`. */
  protected override async open(): Promise<void> {
    await this.start();
    this.#announce();
  }

  /** See `LiveRun`. */
  protected override send(message: Message): void {
    this.#server?.viewers.send(JSON.stringify(message));
  }

  /** See `LiveRun`. */
  protected override runEnded(): void {
    if (this.#options.keepOpen ?? false) return;
    this.stopWatching();
    this.#server?.viewers.endAll(); // pages ask again every second from now on
  }

  #announce(): void {
    if (this.#announced || this.#server === null || this.learn.logger === silentLogger) return;
    this.#announced = true;
    this.learn.logger.line(`Live page: ${this.#server.url}`);
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
