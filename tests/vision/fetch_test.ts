/**
 * Fetching and unpacking: cut transfers, wrong files, hostile archives.
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { createHash } from "node:crypto";
import { pack } from "tar-stream";
import { ConfigError, DataError } from "../../src/base/errors.ts";
import { fastaiHome } from "../../src/io/fastai_home.ts";
import { fetchCached } from "../../src/io/fetch_cached.ts";
import { untar } from "../../src/io/untar.ts";
import { silentLogger } from "../../src/train/mod.ts";
import { untarData } from "../../src/vision/data/external.ts";
import { inFolder } from "./support/images.ts";
import { withServer } from "./support/server.ts";

const FILE = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 31 + (i >> 8)) & 255);
const SHA = createHash("sha256").update(FILE).digest("hex");
const MD5 = createHash("md5").update(FILE).digest("hex"); // the file is shorter than a MiB
const options = { retryMs: 1 };
const names = async (folder: string) => (await Array.fromAsync(Deno.readDir(folder))).map((e) => e.name).sort();

Deno.test("a file is fetched once, checked, and put in place", () =>
  inFolder(async (folder) => {
    const dest = join(folder, "a", "set.bin");
    await withServer(FILE, async (server) => {
      const seen: number[] = [];
      const known = { dest, bytes: FILE.length, sha256: SHA, md5Start: MD5 };
      assertEquals(await fetchCached(server.url, { ...known, onProgress: (done) => void seen.push(done) }), dest);
      assertEquals(await Deno.readFile(dest), FILE);
      assertEquals([seen.at(-1), await names(join(folder, "a"))], [FILE.length, ["set.bin"]]);
      await fetchCached(server.url, known);
      assertEquals(server.ranges.length, 1);
      await Deno.truncate(dest, 10); // torn by somebody else
      await fetchCached(server.url, known);
      await fetchCached(server.url, { ...known, force: true });
      assertEquals([server.ranges, await Deno.readFile(dest)], [[null, null, null], FILE]);
    });
  }));

Deno.test("a transfer that is cut goes on where it was, in the same call and in the next", () =>
  inFolder(async (folder) => {
    const dest = join(folder, "set.bin");
    await withServer(FILE, async (server) => {
      server.cuts.push(100_000, 50_000);
      await fetchCached(server.url, { dest, sha256: SHA, ...options });
      assertEquals(server.ranges.length, 3);
      assert(server.ranges.slice(1).every((r) => r !== null), `${server.ranges}`);
      await Deno.remove(dest);
      server.ranges.length = 0;
      server.cuts.push(100_000, 0, 0);
      const cut = { dest, retries: 1, ...options };
      await assertRejects(() => fetchCached(server.url, cut), DataError, `put the file at ${dest}; `);
      const kept = (await Deno.stat(`${dest}.part`)).size;
      assert(kept > 0 && kept <= 100_000, `${kept} bytes kept`);
      await fetchCached(server.url, { dest, sha256: SHA.slice(0, 8) }); // as torchvision's names have it
      assertEquals(server.ranges.at(-1), `bytes=${kept}-`);
      assertEquals([await Deno.readFile(dest), await names(folder)], [FILE, ["set.bin"]]);
    });
  }));

Deno.test("what is kept of another version, or by a server without versions or ranges, is not mixed in", () =>
  inFolder(async (folder) => {
    const dest = join(folder, "set.bin");
    for (const change of ["version", "no version", "no ranges"] as const) {
      await withServer(FILE, async (server) => {
        server.cuts.push(100_000, 0);
        if (change === "no version") server.etag = null;
        await assertRejects(() => fetchCached(server.url, { dest, retries: 0, ...options }), DataError);
        const body = FILE.map((b) => 255 - b);
        if (change === "version") Object.assign(server, { etag: '"v2"', body });
        if (change === "no ranges") server.ignoresRanges = true;
        server.cuts.length = 0;
        await fetchCached(server.url, { dest });
        assertEquals(await Deno.readFile(dest), change === "version" ? body : FILE, change);
        await Deno.remove(dest);
      });
    }
  }));

Deno.test("what is not the file is refused, and nothing is left in its place", () =>
  inFolder(async (folder) => {
    const dest = join(folder, "set.bin");
    await withServer(FILE, async (server) => {
      const failing = (more: object, message: string) =>
        assertRejects(() => fetchCached(server.url, { dest, retries: 0, ...more }), DataError, message);
      await failing({ bytes: 5 }, "the file has 5 bytes, not 300000");
      const other = SHA.replace(/^./, (digit) => digit === "0" ? "1" : "0");
      await failing({ sha256: other }, `its SHA-256 must be ${other}`);
      const sha256 = SHA.replace(/^./, "g");
      await assertRejects(
        () => fetchCached(server.url, { dest, sha256 }),
        ConfigError,
        "it takes 8 to 64 hexadecimal digits",
      );
      await failing({ md5Start: "0" }, "its MD5 of the first MiB must be 0");
      server.status = 404;
      await failing({}, "the server answered 404");
      server.status = 503;
      await failing({}, `the server answered 503; without a network put the file at ${dest}`);
      assertEquals((await names(folder)).includes("set.bin"), false);
    });
    const gone = "http://127.0.0.1:1/x";
    await assertRejects(() => fetchCached(gone, { dest, retries: 0 }), DataError, `put the file at ${dest}`);
    await assertRejects(() => fetchCached("ftp://x/y", { dest }), ConfigError, "https://");
    await assertRejects(() => fetchCached("nonsense", { dest }), ConfigError, "it is no address");
  }));

Deno.test("a server that falls silent counts as cut", () =>
  inFolder(async (folder) => {
    const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
    const answered = listener.accept().then(async (connection) => {
      await connection.read(new Uint8Array(4096));
      await connection.write(
        new TextEncoder().encode('HTTP/1.1 200 OK\r\netag: "1"\r\ncontent-length: 100\r\n\r\nten bytes.'),
      );
      return connection;
    });
    try {
      await assertRejects(
        () =>
          fetchCached(`http://127.0.0.1:${listener.addr.port}/x`, {
            dest: join(folder, "x"),
            stallMs: 200,
            retries: 0,
          }),
        DataError,
        "the server was silent for 0.2 s",
      );
      assertEquals(await Deno.readTextFile(join(folder, "x.part")), "ten bytes.");
    } finally {
      (await answered).close();
      listener.close();
    }
  }));

Deno.test("two calls at once fetch a file once", () =>
  inFolder(async (folder) => {
    const dest = join(folder, "set.bin");
    await withServer(FILE, async (server) => {
      await Promise.all([fetchCached(server.url, { dest }), fetchCached(server.url, { dest })]);
      assertEquals([server.ranges.length, await Deno.readFile(dest), await names(folder)], [1, FILE, ["set.bin"]]);
    });
  }));

Deno.test({
  name: "without permission a call is refused with the flag that is missing",
  permissions: { read: true, env: false, net: false, write: true },
  fn: async () => {
    assertThrows(() => fastaiHome(), ConfigError, "--allow-env=FASTAI_HOME");
    const folder = await Deno.makeTempDir();
    try {
      const call = () => fetchCached("https://example.com/a", { dest: join(folder, "x") });
      await assertRejects(call, ConfigError, "--allow-net=example.com, or put the file at " + folder);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

interface Entry {
  readonly name: string;
  readonly type?: "file" | "symlink" | "link" | "directory" | "fifo";
  readonly linkname?: string;
  readonly body?: string;
}

async function archive(path: string, entries: readonly Entry[], gzip = true): Promise<string> {
  const tar = pack();
  for (const { name, type = "file", linkname, body = "" } of entries) {
    if (type === "file") tar.entry({ name, type }, body);
    else tar.entry({ name, type, ...(linkname === undefined ? {} : { linkname }) });
  }
  tar.finalize();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for await (const chunk of tar) if (chunk instanceof Uint8Array) chunks.push(chunk.slice());
  const plain = new Blob(chunks).stream();
  const stream = gzip ? plain.pipeThrough(new CompressionStream("gzip")) : plain;
  await Deno.writeFile(path, new Uint8Array(await new Response(stream).arrayBuffer()));
  return path;
}

Deno.test("an archive is unpacked, gzipped or not, its only folder taken for the set", () =>
  inFolder(async (folder) => {
    const long = `${"deep/".repeat(40)}x.txt`;
    const entries: Entry[] = [
      { name: "set/", type: "directory" },
      { name: "set/a.txt", body: "one" },
      { name: `set/${long}`, body: "far" },
      { name: "set/link.txt", type: "symlink", linkname: "./deep/../a.txt" },
      { name: "set/hard.txt", type: "link", linkname: "set/a.txt" },
      { name: "set/a.txt", body: "two" },
    ];
    for (const gzip of [true, false]) {
      const dest = join(folder, `out${gzip}`);
      await untar(await archive(join(folder, "x.tgz"), entries, gzip), dest);
      for (const [name, text] of [["a.txt", "two"], [long, "far"], ["link.txt", "two"], ["hard.txt", "two"]]) {
        assertEquals(await Deno.readTextFile(join(dest, name)), text);
      }
    }
    await untar(
      await archive(join(folder, "y.tgz"), [{ name: "a", body: "1" }, { name: "b/c", body: "2" }]),
      join(folder, "y"),
    );
    assertEquals(await names(join(folder, "y")), ["a", "b"]);
  }));

const HOSTILE: Record<string, readonly [readonly Entry[], string]> = {
  "a parent folder": [[{ name: "a/../../x", body: "!" }], '"a/../../x" leads outside'],
  "an absolute path": [[{ name: "/tmp/x", body: "!" }], "leads outside"],
  "a drive": [[{ name: "C:\\x", body: "!" }], "leads outside"],
  "backslashes": [[{ name: "a\\..\\..\\x", body: "!" }], "leads outside"],
  "a link to an absolute path": [[{ name: "l", type: "symlink", linkname: "/etc" }], 'the link "l" leads outside'],
  "a link to a parent": [[{ name: "a/l", type: "symlink", linkname: "../../x" }], 'the link "a/l" leads outside'],
  "a file behind a link": [
    [{ name: "l", type: "symlink", linkname: "." }, { name: "l/x", body: "!" }],
    "lies behind a link",
  ],
  "a link that is written over": [
    [{ name: "l", type: "symlink", linkname: "a" }, { name: "l", body: "!" }],
    "both a link",
  ],
  "a link through a link": [
    [{ name: "a/b/l", type: "symlink", linkname: "../.." }, { name: "m", type: "symlink", linkname: "a/b/l/../x" }],
    'the link "m" leads outside',
  ],
  "a hard link outside": [[{ name: "h", type: "link", linkname: "../x" }], 'the link "h" leads outside'],
  "a hard link to nothing": [[{ name: "h", type: "link", linkname: "etc/passwd" }], "which is no file of the archive"],
  "a device": [[{ name: "f", type: "fifo" }], "is a fifo"],
  "nothing": [[], "it is empty"],
};

for (const [what, [entries, message]] of Object.entries(HOSTILE)) {
  Deno.test(`an archive with ${what} is refused and leaves nothing behind`, () =>
    inFolder(async (folder) => {
      const path = await archive(join(folder, "x.tgz"), [
        ...(what === "nothing" ? [] : [{ name: "ok", body: "" }]),
        ...entries,
      ]);
      await assertRejects(() => untar(path, join(folder, "out")), DataError, message);
      assertEquals(await names(folder), ["x.tgz"]);
    }));
}

Deno.test("bombs, torn archives and what is none are refused", () =>
  inFolder(async (folder) => {
    const zeros = "\0".repeat(20 << 20);
    const bomb = await archive(
      join(folder, "x.tgz"),
      Array.from({ length: 5 }, (_, i) => ({ name: `${i}`, body: zeros })),
    );
    await assertRejects(
      () => untar(bomb, join(folder, "out")),
      DataError,
      "more than 200 times the bytes of the archive",
    );
    const few = await archive(
      join(folder, "x.tgz"),
      Array.from({ length: 5 }, (_, i) => ({ name: `${i}`, body: "123" })),
    );
    await assertRejects(() => untar(few, join(folder, "out"), { maxBytes: 14 }), DataError, "more than 14 bytes");
    await assertRejects(() => untar(few, join(folder, "out"), { maxEntries: 4 }), DataError, "more than 4 entries");
    const whole = await Deno.readFile(few);
    await Deno.writeFile(few, whole.subarray(0, whole.length - 20));
    await assertRejects(() => untar(few, join(folder, "out")), DataError, "it is damaged or no tar archive");
    await Deno.writeFile(few, FILE);
    await assertRejects(() => untar(few, join(folder, "out")), DataError, "it is damaged or no tar archive");
    assertEquals(await names(folder), ["x.tgz"]);
  }));

Deno.test("untarData() fetches, unpacks, and next time gives the folder at once", () =>
  inFolder(async (folder) => {
    const path = await archive(join(folder, "made.tgz"), [{ name: "set/images/a.txt", body: "one" }]);
    await withServer(await Deno.readFile(path), async (server) => {
      server.cuts.push(60);
      const base = join(folder, "home"), logger = silentLogger;
      const found = await untarData(server.url, { base, logger });
      assertEquals(found, join(base, "data", "set"));
      assertEquals(await Deno.readTextFile(join(found, "images", "a.txt")), "one");
      const asked = server.ranges.length;
      await untarData(server.url, { base, logger });
      assertEquals(server.ranges.length, asked);
      await Deno.remove(found, { recursive: true });
      await untarData(server.url, { base, logger });
      assertEquals(server.ranges.length, asked, "the archive is still there");
      await untarData(server.url, { base, logger, forceDownload: true });
      assertEquals([server.ranges.length, await names(join(base, "data"))], [asked + 1, ["set"]]);
      await assertRejects(() => untarData("http://x/y.zip", { base }), ConfigError, "archives end in .tgz");
    });
  }));
