/**
 * Who may talk to the live page's server.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { Guard, type GuardOptions } from "../../src/live/guard.ts";
import { isLoopback } from "../../src/live/hostname.ts";

const LOCAL: GuardOptions = { hostname: "127.0.0.1", hosts: [], token: null };
const TOKEN = "0123456789abcdef";
const OPEN: GuardOptions = { hostname: "0.0.0.0", hosts: ["box.lan"], token: TOKEN };

function status(options: GuardOptions, headers: Record<string, string>, path = "/events"): number {
  const request = new Request(`http://server${path}`);
  // a Request refuses some of these headers, a server gets them all
  Object.defineProperty(request, "headers", { value: { get: (name: string) => headers[name] ?? null } });
  return new Guard(options).refuse(request)?.status ?? 200;
}

Deno.test("loopback is what only this machine reaches", () => {
  for (const name of ["127.0.0.1", "127.8.9.1", "localhost", "LOCALHOST", "::1", "[::1]"]) {
    assert(isLoopback(name), name);
  }
  for (const name of ["0.0.0.0", "::", "10.0.0.1", "example.org", "127.0.0.1.example.org", "localhost.example.org"]) {
    assert(!isLoopback(name), name);
  }
});

Deno.test("a server on loopback answers to loopback names alone, at any port of a tunnel", () => {
  for (const host of ["127.0.0.1:8421", "localhost:8421", "localhost:9000", "[::1]:8421", "localhost"]) {
    assertEquals(status(LOCAL, { host }), 200, host);
  }
  // the third is DNS rebinding: a name of another site that points here
  for (
    const host of ["", "10.0.0.1:8421", "attacker.example:8421", "localhost.attacker.example", "a@localhost", "x y"]
  ) {
    assertEquals(status(LOCAL, { host }), 421, host);
  }
});

Deno.test("other origins and other sites get nothing, a link may open the page", () => {
  const host = "127.0.0.1:8421";
  assertEquals(status(LOCAL, { host, origin: `http://${host}` }), 200);
  for (
    const origin of ["http://attacker.example", "null", "http://127.0.0.1:9999", "http://localhost:8421", "file://"]
  ) {
    assertEquals(status(LOCAL, { host, origin }), 403, origin);
  }
  assertEquals(status(LOCAL, { host, "sec-fetch-site": "same-origin" }), 200);
  assertEquals(status(LOCAL, { host, "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }), 403);
  assertEquals(status(LOCAL, { host, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" }, "/"), 200);
});

Deno.test("beyond loopback: the token, by address, header or cookie; addresses in numbers and listed names", () => {
  const host = "192.168.1.7:8421";
  assertEquals(status(OPEN, { host }), 401);
  assertEquals(status(OPEN, { host }, `/?token=${TOKEN}`), 200);
  assertEquals(status(OPEN, { host }, `/?token=${TOKEN}x`), 401);
  assertEquals(status(OPEN, { host, authorization: `Bearer ${TOKEN}` }), 200);
  assertEquals(status(OPEN, { host, cookie: `a=b; anneal_token=${TOKEN}` }), 200);
  assertEquals(status(OPEN, { host, cookie: "anneal_token=%E0%A4%A" }), 401);
  const cookie = `anneal_token=${TOKEN}`;
  for (const [host, want] of [["box.lan:8421", 200], ["[fe80::1]:8421", 200], ["attacker.example", 421]] as const) {
    assertEquals(status(OPEN, { host, cookie }), want, host);
  }
});

Deno.test("the right token in the address becomes a cookie that scripts cannot read", () => {
  const guard = new Guard(OPEN);
  const cookie = guard.cookieFor(new URL(`http://a/?token=${TOKEN}`));
  assert(cookie?.includes("HttpOnly") && cookie.includes("SameSite=Strict"), cookie ?? "none");
  assertEquals(guard.cookieFor(new URL("http://a/?token=wrong")), null);
  assertEquals(guard.cookieFor(new URL("http://a/")), null);
});
