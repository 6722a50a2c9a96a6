/**
 * What the package asks of files, tried on some runtime's: the same for Deno, Node and browsers.
 *
 * @module
 */
import { type FileFault, fileFault, type HostFiles, piecesOf } from "../../src/base/host_files.ts";

/** What is wrong with a path, as a rejection says; "" where there is none. */
export async function faultOf(promise: Promise<unknown>): Promise<FileFault | string> {
  try {
    await promise;
    return "";
  } catch (error) {
    return fileFault(error) ?? String(error);
  }
}

/** Tries everything in the empty folder `dir`; gives what was not as it must be. */
export async function tryFiles(files: HostFiles, dir: string): Promise<string[]> {
  const wrong: string[] = [];
  const same = (what: string, got: unknown, want: unknown): void => {
    const [a, b] = [got, want].map((v) => JSON.stringify(v));
    if (a !== b) wrong.push(`${what}: ${a} for ${b}`);
  };
  const list = (bytes: Uint8Array): number[] => [...bytes];
  const a = `${dir}/a.bin`, b = `${dir}/b.bin`;
  await files.writeFile(a, new Uint8Array([1, 2, 3]));
  await files.writeFile(a, new Uint8Array([4, 5]), { append: true });
  same("appended", list(await files.readFile(a)), [1, 2, 3, 4, 5]);
  await files.writeFile(a, new Uint8Array([9]));
  same("written anew", list(await files.readFile(a)), [9]);
  await files.writeTextFile(`${dir}/t`, "zwölf");
  await files.writeTextFile(`${dir}/t`, "\n", { append: true });
  same("text", await files.readTextFile(`${dir}/t`), "zwölf\n");
  const { isFile, isDirectory, size, mtime } = await files.stat(`${dir}/t`);
  same("stat", [isFile, isDirectory, size, mtime !== null], [true, false, 7, true]);

  const file = await files.open(b, { read: true, write: true, createNew: true });
  same("write", await file.write(new Uint8Array([1, 2, 3, 4, 5, 6])), 6);
  await file.seek(2, 0);
  await file.write(new Uint8Array([7]));
  await file.truncate(5);
  same("size", (await file.stat()).size, 5);
  await file.seek(0, 0);
  const four = new Uint8Array(4);
  same("read", [await file.read(four), ...four], [4, 1, 2, 7, 4]);
  same("the rest", [await file.read(four), four[0]], [1, 5]);
  same("the end", await file.read(four), null);
  await file.sync();
  await file.syncData();
  await file.close();
  same("there already", await faultOf(files.open(b, { write: true, createNew: true })), "exists");
  const kept = await files.open(b, { write: true, create: true });
  await kept.write(new Uint8Array([8]));
  await kept.close();
  same("kept", list(await files.readFile(b)), [8, 2, 7, 4, 5]);
  const emptied = await files.open(b, { write: true, create: true, truncate: true });
  await emptied.close();
  same("emptied", (await files.stat(b)).size, 0);

  await files.writeFile(b, new Uint8Array(300_000).fill(3));
  let total = 0;
  for await (const piece of piecesOf(await files.stream(b))) total += piece.reduce((x, y) => x + y, 0);
  same("streamed", total, 900_000);
  await files.rename(a, b); // over another one
  same("renamed", [list(await files.readFile(b)), await faultOf(files.stat(a))], [[9], "missing"]);

  await files.mkdir(`${dir}/x/y`, { recursive: true });
  await files.mkdir(`${dir}/x/y`, { recursive: true });
  same("a folder twice", await faultOf(files.mkdir(`${dir}/x`)), "exists");
  same("a folder", (await files.stat(`${dir}/x`)).isDirectory, true);
  const entries: string[] = [];
  for await (const entry of files.readDir(dir)) entries.push(`${entry.name} ${entry.isFile} ${entry.isDirectory}`);
  same("listed", entries.sort(), ["b.bin true false", "t true false", "x false true"]);
  same("no such file", await faultOf(files.readFile(`${dir}/none`)), "missing");
  same("no such folder", await faultOf(files.writeFile(`${dir}/none/a`, new Uint8Array(1))), "missing");
  const missing = async () => {
    for await (const _ of files.readDir(`${dir}/none`)) { /* there is none */ }
  };
  same("nothing to list", await faultOf(missing()), "missing");
  await files.remove(`${dir}/x`, { recursive: true });
  await files.remove(b);
  same("removed", [await faultOf(files.stat(`${dir}/x`)), await faultOf(files.remove(b))], ["missing", "missing"]);

  const lock = await files.lock(`${dir}/.lock`);
  same("locked", [lock !== null, await files.lock(`${dir}/.lock`)], [true, null]);
  let waited = false;
  const next = files.lock(`${dir}/.lock`, { wait: true }).then((it) => {
    waited = true;
    return it;
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  same("waits", waited, false);
  lock?.release();
  (await next)?.release();
  const again = await files.lock(`${dir}/.lock`);
  same("free again", again !== null, true);
  again?.release();
  return wrong;
}
