/**
 * Files from the hub: a server of the test's own that answers as Hugging Face's does, and another for the contents.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { createHash } from "node:crypto";
import { ConfigError, DataError, downloadHub, fetchCached } from "../../mod.ts";

const COMMIT = "0123456789abcdef0123456789abcdef01234567", NEXT = COMMIT.replaceAll("0", "f");
const LARGE = Uint8Array.from({ length: 200_000 }, (_, i) => (i * 31 + (i >> 8)) & 255);
const SHA = createHash("sha256").update(LARGE).digest("hex");
const SMALL = new TextEncoder().encode('{"layers": 2}');
const TOKEN = "hf_secret";

interface Hub {
  readonly endpoint: string;
  /** Method, address and token of each request; those of contents begin with "cdn". */
  readonly asked: string[];
  readonly ranges: (string | null)[];
  /** Bytes after which each of the next contents is cut. */
  readonly cuts: number[];
  commit: string;
  large: Uint8Array<ArrayBuffer>;
  /** Answers of the hub itself, in place of the file. */
  answer: Response | null;
}

/** Runs `body` with a hub that has `config.json` and, elsewhere, `model.safetensors`. */
async function withHub(body: (hub: Hub, cacheDir: string) => Promise<void>): Promise<void> {
  const quiet = { port: 0, hostname: "127.0.0.1", onListen: () => {} };
  const told = (request: Request) => request.headers.get("authorization") ?? "no token";
  const cdn = Deno.serve(quiet, (request) => {
    hub.asked.push(`cdn ${told(request)}`);
    const range = request.headers.get("range"), cut = hub.cuts.shift();
    hub.ranges.push(range);
    const from = range === null ? 0 : Number(/\d+/.exec(range)![0]), rest = hub.large.slice(from);
    const headers = new Headers({ etag: '"v1"', "content-length": String(rest.length) });
    if (range !== null) headers.set("content-range", `bytes ${from}-${hub.large.length - 1}/${hub.large.length}`);
    const status = range === null ? 200 : 206;
    if (cut === undefined) return new Response(rest, { status, headers });
    let sent = false;
    return new Response(
      new ReadableStream({
        pull(controller) {
          if (sent) return new Promise((go) => setTimeout(go, 20)).then(() => controller.close());
          sent = true;
          controller.enqueue(rest.slice(0, cut));
        },
      }),
      { status, headers },
    );
  });
  const server = Deno.serve(quiet, (request) => {
    const { pathname } = new URL(request.url);
    hub.asked.push(`${request.method} ${pathname} ${told(request)}`);
    if (hub.answer !== null) return hub.answer.clone();
    if (pathname.startsWith("/old/name/")) {
      return new Response(null, { status: 307, headers: { location: pathname.replace("/old/name/", "/o/r/") } });
    }
    const headers = new Headers({ "x-repo-commit": hub.commit });
    if (pathname.endsWith("/config.json")) {
      headers.set("etag", 'W/"abc123"');
      headers.set("content-length", String(SMALL.length));
      return new Response(request.method === "HEAD" ? null : SMALL, { headers });
    }
    if (pathname.endsWith("/model.safetensors")) {
      headers.set("x-linked-etag", `"${SHA}"`);
      headers.set("x-linked-size", String(LARGE.length));
      headers.set("location", `http://127.0.0.1:${cdn.addr.port}/blob?signed=1`);
      return new Response(null, { status: 302, headers });
    }
    return new Response(null, { status: 404, headers: { "x-error-code": "EntryNotFound" } });
  });
  const hub: Hub = {
    endpoint: `http://127.0.0.1:${server.addr.port}`,
    asked: [],
    ranges: [],
    cuts: [],
    commit: COMMIT,
    large: LARGE,
    answer: null,
  };
  const folder = await Deno.makeTempDir();
  try {
    await body(hub, folder);
  } finally {
    await Promise.all([server.shutdown(), cdn.shutdown()]);
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("small and large files lie where Hugging Face's library looks, and are fetched once", () =>
  withHub(async (hub, cacheDir) => {
    const options = { endpoint: `${hub.endpoint}/`, cacheDir, token: "" };
    const config = await downloadHub("o/r", "config.json", options);
    assertEquals(config, join(cacheDir, "models--o--r", "snapshots", COMMIT, "config.json"));
    assertEquals(await Deno.readFile(config), SMALL);
    const seen: number[] = [];
    const large = await downloadHub("o/r", "sub/model.safetensors", {
      ...options,
      onProgress: (n) => void seen.push(n),
    });
    assertEquals([await Deno.readFile(large), seen.at(-1)], [LARGE, LARGE.length]);
    assertEquals(await Deno.realPath(large), await Deno.realPath(join(cacheDir, "models--o--r", "blobs", SHA)));
    assertEquals(await Deno.readTextFile(join(cacheDir, "models--o--r", "refs", "main")), COMMIT);
    hub.asked.length = 0;
    assertEquals(await downloadHub("o/r", "sub/model.safetensors", options), large);
    assertEquals(hub.asked, ["HEAD /o/r/resolve/main/sub/model.safetensors no token"]);
    await downloadHub("o/r", "sub/model.safetensors", { ...options, revision: COMMIT });
    assertEquals(hub.asked.length, 1, "a commit's file does not change");
    hub.commit = NEXT; // another commit with the same content
    assertEquals(await downloadHub("o/r", "sub/model.safetensors", options), large.replace(COMMIT, NEXT));
    assertEquals(hub.asked.filter((a) => a.startsWith("cdn")), []);
    await Deno.truncate(await Deno.realPath(large), 10); // torn by somebody else
    assertEquals(await Deno.readFile(await downloadHub("o/r", "sub/model.safetensors", options)), LARGE);
    const copy = large.replace(COMMIT, NEXT); // as it lies where there are no links
    await Deno.remove(copy);
    await Deno.writeTextFile(copy, "torn");
    assertEquals(await Deno.readFile(await downloadHub("o/r", "sub/model.safetensors", options)), LARGE);
    hub.asked.length = 0;
    await downloadHub("o/r", "config.json", { ...options, repoType: "dataset", revision: "refs/pr/1" });
    assertEquals(hub.asked[0], "HEAD /datasets/o/r/resolve/refs%2Fpr%2F1/config.json no token");
    assertEquals(await Deno.readTextFile(join(cacheDir, "datasets--o--r", "refs", "refs", "pr", "1")), NEXT);
    assertEquals(await Deno.readFile(await downloadHub("old/name", "config.json", options)), SMALL);
  }));

Deno.test("the token goes to the hub alone", () =>
  withHub(async (hub, cacheDir) => {
    await downloadHub("o/r", "model.safetensors", { endpoint: hub.endpoint, cacheDir, token: TOKEN });
    const path = "/o/r/resolve/main/model.safetensors";
    assertEquals(hub.asked, [`HEAD ${path} Bearer ${TOKEN}`, `GET ${path} Bearer ${TOKEN}`, "cdn no token"]);
    assertEquals(
      JSON.stringify(await Array.fromAsync(Deno.readDir(join(cacheDir, "models--o--r", "blobs")))).includes(TOKEN),
      false,
    );
  }));

Deno.test("what was cut goes on; what is not what was announced is refused and not kept", () =>
  withHub(async (hub, cacheDir) => {
    const options = { endpoint: hub.endpoint, cacheDir, token: "", retries: 0 };
    const get = () => downloadHub("o/r", "model.safetensors", options);
    hub.cuts.push(100_000, 0);
    await assertRejects(get, DataError, "bytes are kept");
    hub.cuts.length = 0;
    assertEquals(await Deno.readFile(await get()), LARGE);
    assert(hub.ranges.at(-1)!.startsWith("bytes="), "it goes on where it was");
    for (
      const [wrong, why] of [[LARGE.slice(0, -1), "the file has 200000 bytes, not 199999"], [
        LARGE.map((b) => b ^ 1),
        "its SHA-256 must be",
      ]] as const
    ) {
      await Deno.remove(join(cacheDir, "models--o--r"), { recursive: true });
      hub.large = wrong;
      await assertRejects(get, DataError, why);
      assertEquals(await Deno.stat(join(cacheDir, "models--o--r", "snapshots")).catch(() => null), null);
    }
    hub.large = LARGE;
    assertEquals(await Deno.readFile(await get()), LARGE);
  }));

Deno.test("who may not, and what there is not, is told", () =>
  withHub(async (hub, cacheDir) => {
    const get = (more = {}) =>
      downloadHub("o/r", "model.safetensors", { endpoint: hub.endpoint, cacheDir, token: "", ...more });
    const answers = [
      [401, {}, "there is no such repository, or it is not for everybody: no token was sent"],
      [401, { token: TOKEN }, "the token that was sent does not open it"],
      [403, { code: "GatedRepo", token: TOKEN }, `accepted at ${hub.endpoint}/o/r`],
      [404, { code: "RepoNotFound" }, "there is no such repository"],
      [404, { code: "RevisionNotFound", revision: "v9" }, "no such revision"],
      [200, {}, "does not answer as a hub does"],
      [500, {}, "answered 500"],
    ] as const;
    for (const [status, more, why] of answers) {
      const { code, ...options } = { code: undefined, ...more } as { code?: string };
      hub.answer = new Response(null, { status, headers: code === undefined ? {} : { "x-error-code": code } });
      const { message } = await assertRejects(() => get(options), DataError, why);
      assert(!message.includes(TOKEN), message);
    }
    hub.answer = null;
    await assertRejects(
      () => downloadHub("o/r", "none.bin", { endpoint: hub.endpoint, cacheDir, token: "" }),
      DataError,
      "no such file",
    );
    for (
      const [repo, file, revision] of [["o/r/x", "a", "main"], ["..", "a", "main"], ["o/r", "../a", "main"], [
        "o/r",
        "a",
        "../../x",
      ]]
    ) {
      await assertRejects(
        () => downloadHub(repo, file, { endpoint: hub.endpoint, cacheDir, revision }),
        ConfigError,
        "Cannot download",
      );
    }
    await assertRejects(() => get({ endpoint: "ftp://x" }), ConfigError, "starts with https://");
    hub.commit = "../../../etc"; // a hub that means no good
    await assertRejects(() => get(), DataError, "does not answer as a hub does");
  }));

Deno.test("without a network the file of the last time is taken", async () => {
  const folder = await Deno.makeTempDir();
  let path = "";
  await withHub(async (hub, cacheDir) => {
    path = await downloadHub("o/r", "config.json", { endpoint: hub.endpoint, cacheDir, token: "" });
    hub.answer = new Response(null, { status: 503 });
    assertEquals(await downloadHub("o/r", "config.json", { endpoint: hub.endpoint, cacheDir, token: "" }), path);
    const offline = { endpoint: "http://127.0.0.1:9", cacheDir, token: "" };
    assertEquals(await downloadHub("o/r", "config.json", offline), path);
    assertEquals(await downloadHub("o/r", "config.json", { ...offline, localFilesOnly: true }), path);
    await assertRejects(() => downloadHub("o/r", "other", offline), DataError, "cannot be reached");
    await assertRejects(
      () => downloadHub("o/r", "other", { ...offline, localFilesOnly: true }),
      DataError,
      "it is not there",
    );
  });
  await Deno.remove(folder, { recursive: true });
});

Deno.test("processes that want the same file fetch it once, and take what the environment says", () =>
  withHub(async (hub, home) => {
    const script = `import { downloadHub } from ${JSON.stringify(new URL("../../src/io/hub.ts", import.meta.url).href)};
      console.log(await downloadHub("o/r", "model.safetensors"));`;
    const run = async () => {
      const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", "-"].slice(0, 3).concat(`data:text/typescript,${encodeURIComponent(script)}`),
        env: { HF_HOME: home, HF_ENDPOINT: hub.endpoint, HF_TOKEN: TOKEN },
      }).output();
      assert(success, new TextDecoder().decode(stderr));
      return new TextDecoder().decode(stdout).trim();
    };
    const paths = await Promise.all([run(), run()]);
    assertEquals(paths[0], join(home, "hub", "models--o--r", "snapshots", COMMIT, "model.safetensors"));
    assertEquals(paths[1], paths[0]);
    assertEquals(hub.asked.filter((a) => a.startsWith("cdn")).length, 1);
    assert(hub.asked.some((a) => a.endsWith(`Bearer ${TOKEN}`)));
    assertEquals(await Deno.readFile(paths[0]), LARGE);
  }));

Deno.test({
  name: "where an address leads is asked only if that is permitted",
  permissions: { net: ["127.0.0.1"], read: true, write: true, env: true },
  fn: async () => {
    const folder = await Deno.makeTempDir();
    const server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen: () => {} },
      () => new Response(null, { status: 302, headers: { location: "http://localhost:1/file" } }),
    );
    const url = `http://127.0.0.1:${server.addr.port}/file`;
    await assertRejects(
      () => fetchCached(url, { dest: join(folder, "file"), retries: 0 }),
      ConfigError,
      "it is not permitted, run again with --allow-net=localhost:1",
    );
    await server.shutdown();
    await Deno.remove(folder, { recursive: true });
  },
});
