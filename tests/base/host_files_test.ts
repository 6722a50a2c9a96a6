import { assert, assertEquals, assertRejects } from "@std/assert";
import { denoFiles } from "../../src/base/host_deno_files.ts";
import { fileFault, type HostFiles, piecesOf } from "../../src/base/host_files.ts";
import { nodeFiles } from "../../src/base/host_node_files.ts";
import { faultOf, tryFiles } from "../support/try_files.ts";

for (const [name, make] of [["Deno", denoFiles], ["Node", nodeFiles]] as const) {
  /** Tests of what the rest of the package relies on. */
  const filesTest = (what: string, fn: (files: HostFiles, dir: string) => Promise<void>): void =>
    Deno.test(`${name}'s files: ${what}`, async () => {
      const dir = await Deno.makeTempDir();
      try {
        await fn(make(), dir);
      } finally {
        await Deno.remove(dir, { recursive: true });
      }
    });

  filesTest("are written, read, renamed and removed, and say what is wrong alike", async (files, dir) => {
    assertEquals(await tryFiles(files, dir), []);
  });

  filesTest("links are made and told from what they lead to", async (files, dir) => {
    await files.writeTextFile(`${dir}/a`, "text");
    await files.link(`${dir}/a`, `${dir}/b`);
    await files.symlink("a", `${dir}/c`);
    assertEquals(await files.readTextFile(`${dir}/b`), "text");
    const { isFile } = await files.lstat(`${dir}/c`);
    assertEquals([isFile, (await files.stat(`${dir}/c`)).isFile], [false, true]);
    assertEquals(await files.realPath(`${dir}/c`), await Deno.realPath(`${dir}/a`));
    await files.flushFolder(dir);
  });

  filesTest("whole folders are renamed and removed", async (files, dir) => {
    assertEquals(files.movesFolders, true);
    await files.mkdir(`${dir}/a/b`, { recursive: true });
    await files.rename(`${dir}/a`, `${dir}/c`);
    assertEquals((await files.stat(`${dir}/c/b`)).isDirectory, true);
    await assertRejects(() => files.remove(`${dir}/c`)); // not empty
    await files.remove(`${dir}/c/b`);
    await files.remove(`${dir}/c`, { recursive: true });
    assertEquals(await faultOf(files.stat(`${dir}/c`)), "missing");
  });
}

Deno.test("a lock of Node's is another program's no more once that is gone", async () => {
  const dir = await Deno.makeTempDir();
  const files = nodeFiles();
  const child = new Deno.Command(Deno.execPath(), { args: ["eval", "0"] }).spawn();
  await child.status;
  await Deno.writeTextFile(`${dir}/lock.pid`, String(child.pid));
  const lock = await files.lock(`${dir}/lock`);
  assert(lock !== null);
  await Deno.writeTextFile(`${dir}/other.pid`, String(Deno.ppid)); // alive
  assertEquals(await files.lock(`${dir}/other`), null);
  lock.release();
  assertEquals(await faultOf(files.stat(`${dir}/lock.pid`)), "missing");
  await Deno.remove(dir, { recursive: true });
});

Deno.test("what is wrong with a path is told by class, by code and by a browser's name", () => {
  assertEquals(fileFault(new Deno.errors.NotFound("x")), "missing");
  assertEquals(fileFault(new DOMException("x", "NotFoundError")), "missing");
  assertEquals(fileFault(Object.assign(new Error("x"), { code: "EISDIR" })), "folder");
  assertEquals([fileFault(new Error("x")), fileFault("NotFound"), fileFault(new TypeError("x"))], [null, null, null]);
});

Deno.test("a stream that is left early is cancelled", async () => {
  let cancelled = false;
  const stream = new ReadableStream<number>({
    pull: (controller) => controller.enqueue(1),
    cancel: () => void (cancelled = true),
  });
  for await (const one of piecesOf(stream)) if (one === 1) break;
  assert(cancelled);
});
