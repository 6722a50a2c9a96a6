/**
 * Reads damaged files of PyTorch: accidents, which checksums tell, and pickles of attackers, which have theirs.
 *
 * @module
 */
import { Uint8ArrayReader, Uint8ArrayWriter, ZipReader, ZipWriter } from "@zip.js/zip.js";
import { readTorch } from "../../src/io/torch/file.ts";
import type { SafetensorsFile } from "../../src/io/safetensors.ts";
import { type FuzzReport, judged, series } from "./fuzz.ts";
import { mutate } from "./mutate.ts";

type Recorded = Record<string, { readonly file: string }>;

const off = { useWebWorkers: false };

async function allOf(bytes: Uint8Array): Promise<Map<string, string>> {
  const range = (start: number, end: number) => Promise.resolve(bytes.slice(start, end));
  const file: SafetensorsFile = await readTorch({ size: bytes.length, range, what: "damaged" });
  const out = new Map<string, string>();
  for (const name of file.names) {
    const { data, shape } = await file.tensor(name);
    out.set(name, `${shape}: ${data}`);
  }
  return out;
}

/** Tries `count` damaged files. */
export async function fuzzTorch(count: number, seed: number): Promise<FuzzReport> {
  const { read }: { read: Recorded } = JSON.parse(
    await Deno.readTextFile(new URL("../golden/torch_files.json", import.meta.url)),
  );
  const files = ["types", "checkpoint", "protocol 4", "zip64"].map((name) =>
    Uint8Array.from(atob(read[name].file), (c) => c.charCodeAt(0))
  );
  const wanted: Map<string, string>[] = [], entries: (readonly [string, Uint8Array<ArrayBuffer>])[][] = [];
  for (const bytes of files) {
    wanted.push(await allOf(bytes));
    const zip = new ZipReader(new Uint8ArrayReader(bytes), off),
      list: (readonly [string, Uint8Array<ArrayBuffer>])[] = [];
    for (const entry of await zip.getEntries()) {
      if (!entry.directory) list.push([entry.filename, await entry.getData(new Uint8ArrayWriter())]);
    }
    entries.push(list);
  }
  return await series(
    {
      // what is read is what was written: nothing less, nothing else
      "a damaged file": (rng) =>
        judged(async () => {
          const at = rng.integer(files.length), got = await allOf(mutate(files[at], rng));
          return got.size === wanted[at].size && [...got].every(([name, text]) => wanted[at].get(name) === text);
        }),
      // an archive that is in order, with a pickle, or an entry, that is not
      "a forged file": (rng) =>
        judged(async () => {
          const list = entries[rng.integer(entries.length)], hit = rng.uniform() < 0.8 ? 0 : rng.integer(list.length);
          const zip = new ZipWriter(new Uint8ArrayWriter(), off);
          for (const [i, [name, bytes]] of list.entries()) {
            const content = i === hit ? mutate(bytes, rng) as Uint8Array<ArrayBuffer> : bytes;
            await zip.add(name, new Uint8ArrayReader(content), { level: 0 });
          }
          await allOf(await zip.close());
          return true;
        }),
    },
    count,
    seed,
  );
}
