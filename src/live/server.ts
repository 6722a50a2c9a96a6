/**
 * The page's HTTP server.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { Guard, type GuardOptions } from "./guard.ts";
import { type Command, COMMANDS, isCommand } from "./messages.ts";
import { PAGE, SCRIPT, STYLE } from "./page.gen.ts";
import { Viewers } from "./viewers.ts";

/** Bytes that a command may have. */
const MAX_BODY = 256;

/** What a {@link PageServer} needs to know of the run. */
export interface ServerOptions extends GuardOptions {
  /** 0: any free one. */
  readonly port: number;
  /** Whether another port is taken where `port` is in use. */
  readonly anyPort: boolean;
  /** The whole state, as JSON. */
  readonly state: () => string;
  /** Whether the state changes on its own, so that a stream is worth its connection. */
  readonly busy: () => boolean;
  /** Called where a page was opened. */
  readonly onViewer: () => void;
  /** Does what a button asks for; false where it cannot be done. */
  readonly onCommand: (command: Command) => boolean;
}

/** Serves the page, its stream of events, and takes its commands. */
export class PageServer {
  readonly viewers: Viewers = new Viewers();
  readonly #options: ServerOptions;
  readonly #guard: Guard;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  /** Starts to listen. Throws a {@link ConfigError} where that cannot be. */
  constructor(options: ServerOptions) {
    this.#options = options;
    this.#guard = new Guard(options);
    this.#server = listen(options, (request) => this.#answer(request));
    this.#server.unref(); // a script ends when its work is done
  }

  /** Address to open, with the token. */
  get url(): string {
    const { hostname, token } = this.#options;
    const any = hostname === "0.0.0.0" || hostname === "::";
    const name = any ? "localhost" : hostname.includes(":") ? `[${hostname}]` : hostname;
    const query = token === null ? "" : `?token=${encodeURIComponent(token)}`;
    return `http://${name}:${this.#server.addr.port}/${query}`;
  }

  /** Keeps the process alive, or lets it end. */
  hold(on: boolean): void {
    if (on) this.#server.ref();
    else this.#server.unref();
  }

  /** Ends streams and stops listening. */
  async close(): Promise<void> {
    this.viewers.endAll();
    await this.#server.shutdown();
  }

  async #answer(request: Request): Promise<Response> {
    const refusal = this.#guard.refuse(request);
    if (refusal !== null) return plain(refusal.status, refusal.reason);
    const url = new URL(request.url);
    switch (`${request.method} ${url.pathname}`) {
      case "GET /":
      case "HEAD /":
        return this.#page(url);
      case "GET /events":
        return this.#events();
      case "POST /command":
        return await this.#command(request);
      default:
        return plain(404, "There is nothing here");
    }
  }

  #page(url: URL): Response {
    const cookie = this.#guard.cookieFor(url);
    // the token leaves the address, where history and screenshots would keep it
    if (cookie !== null) return plain(303, "", { location: "/", "set-cookie": cookie });
    return new Response(PAGE, { headers: { ...HEADERS, "content-type": "text/html; charset=utf-8" } });
  }

  #events(): Response {
    const { state, busy, onViewer } = this.#options;
    if (this.viewers.full) return plain(503, "Too many pages are open");
    const stay = busy();
    const body = this.viewers.stream(state(), stay);
    if (stay) onViewer();
    return new Response(body, { headers: { ...HEADERS, "content-type": "text/event-stream" } });
  }

  async #command(request: Request): Promise<Response> {
    if (request.headers.get("content-type") !== "application/json") return plain(415, "Commands are application/json");
    const length = Number(request.headers.get("content-length") ?? NaN);
    if (!(length <= MAX_BODY)) return plain(413, `Commands have at most ${MAX_BODY} bytes`);
    const command = commandOf(await request.text());
    if (command === null) return plain(400, `Commands are {"command": …}, one of ${COMMANDS.join(", ")}`);
    return this.#options.onCommand(command) ? plain(202, "Will be done") : plain(409, "This cannot be done now");
  }
}

function listen(
  { hostname, port, anyPort }: ServerOptions,
  handler: (request: Request) => Promise<Response>,
): Deno.HttpServer<Deno.NetAddr> {
  const serve = (port: number) =>
    Deno.serve({ hostname, port, onListen: () => {}, onError: () => plain(500, "The page's server failed") }, handler);
  try {
    return serve(port);
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse && anyPort) return serve(0);
    const what = `Cannot serve the live page on ${hostname}:${port}`;
    if (error instanceof Deno.errors.AddrInUse) {
      throw new ConfigError(`${what}: the port is in use, choose another one, or 0 for any`, { cause: error });
    }
    if (error instanceof Error) throw new ConfigError(`${what}: ${error.message}`, { cause: error });
    throw error;
  }
}

function commandOf(text: string): Command | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const command = typeof value === "object" && value !== null && "command" in value ? value.command : null;
  return isCommand(command) ? command : null;
}

function plain(status: number, text: string, more: Record<string, string> = {}): Response {
  return new Response(text, { status, headers: { ...HEADERS, "content-type": "text/plain; charset=utf-8", ...more } });
}

/** How a policy names a script or style that stands in the page. */
function hashOf(text: string): string {
  return `'sha256-${process.getBuiltinModule("node:crypto").createHash("sha256").update(text).digest("base64")}'`;
}

const POLICY = [
  "default-src 'none'",
  `script-src ${hashOf(SCRIPT)}`,
  `style-src ${hashOf(STYLE)}`,
  "img-src data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": POLICY,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cache-control": "no-store",
  "connection": "close", // an idle connection would keep the process alive
};
