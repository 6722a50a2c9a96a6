/**
 * Who may talk to the page's server.
 *
 * A page on another site can make a browser send requests to loopback. What it cannot do is choose the `Origin` that the
 * browser names, and with a name of its own that it points at this machine (DNS rebinding) it cannot hide that name: it
 * stands in `Host`. An address in numbers cannot be pointed elsewhere.
 *
 * @module
 */
import { bareName, isLoopback } from "./hostname.ts";

/** What a {@link Guard} knows. */
export interface GuardOptions {
  /** Address that the server is bound to. */
  readonly hostname: string;
  /** Names, besides addresses and `localhost`, that the machine may be called by. */
  readonly hosts: readonly string[];
  /** What viewers must know; null where nothing is asked. */
  readonly token: string | null;
}

/** Name of the cookie that keeps the token. */
const COOKIE = "anneal_token";

/** Checks requests; {@link Guard.refuse} says why one is not answered. */
export class Guard {
  readonly #local: boolean;
  readonly #hosts: ReadonlySet<string>;
  readonly #token: string | null;

  constructor({ hostname, hosts, token }: GuardOptions) {
    this.#local = isLoopback(hostname);
    this.#hosts = new Set(hosts.map((h) => bareName(h)));
    this.#token = token;
  }

  /** The status and the reason why a request is refused; null where it is answered. */
  refuse(request: Request): { readonly status: number; readonly reason: string } | null {
    const host = request.headers.get("host") ?? "";
    const name = hostnameOf(host);
    if (name === null || !this.#known(name)) {
      return { status: 421, reason: `This server is not called ${JSON.stringify(host)}: list the name in \`hosts\`` };
    }
    const origin = request.headers.get("origin");
    if (origin !== null && originHost(origin) !== host.toLowerCase()) {
      return { status: 403, reason: "Requests from other origins are not answered" };
    }
    const site = request.headers.get("sec-fetch-site");
    // a link on another site may open the page, it may not do anything else
    const opens = request.method === "GET" && request.headers.get("sec-fetch-mode") === "navigate";
    if (site !== null && site !== "same-origin" && site !== "none" && !opens) {
      return { status: 403, reason: "Requests from other sites are not answered" };
    }
    if (this.#token !== null && !this.#knows(request)) {
      return { status: 401, reason: "A token is needed: open the address that the run printed, ?token=… included" };
    }
    return null;
  }

  /** The cookie to set where the address carries the right token; null where it carries none. */
  cookieFor(url: URL): string | null {
    const given = url.searchParams.get("token");
    if (this.#token === null || given === null || !same(given, this.#token)) return null;
    return `${COOKIE}=${encodeURIComponent(given)}; HttpOnly; SameSite=Strict; Path=/`;
  }

  #known(name: string): boolean {
    if (this.#hosts.has(name)) return true;
    return this.#local ? isLoopback(name) : isLoopback(name) || isAddress(name);
  }

  #knows(request: Request): boolean {
    const token = this.#token!;
    const given = [
      new URL(request.url).searchParams.get("token"),
      request.headers.get("authorization")?.replace(/^Bearer /, "") ?? null,
      cookie(request.headers.get("cookie") ?? "", COOKIE),
    ];
    return given.some((g) => g !== null && same(g, token));
  }
}

/** `a === b`, in a time that tells nothing of where they differ. */
function same(a: string, b: string): boolean {
  const { createHash, timingSafeEqual } = process.getBuiltinModule("node:crypto");
  const digest = (text: string): Uint8Array => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

function cookie(header: string, name: string): string | null {
  for (const part of header.split(";")) {
    const [key, value = ""] = part.trim().split("=");
    if (key !== name) continue;
    try {
      return decodeURIComponent(value);
    } catch {
      return null; // no text that we wrote
    }
  }
  return null;
}

function hostnameOf(host: string): string | null {
  if (!/^[\w.:[\]-]+$/.test(host)) return null; // a user, a path: no Host header of a browser
  const url = URL.parse(`http://${host}`);
  return url === null ? null : bareName(url.hostname);
}

/** Host and port of an origin, as the `Host` header has them; null for `null` and the like. */
function originHost(origin: string): string | null {
  const url = URL.parse(origin);
  return url !== null && (url.protocol === "http:" || url.protocol === "https:") ? url.host : null;
}

function isAddress(name: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(name) || name.includes(":");
}
