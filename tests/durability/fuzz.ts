/**
 * Reads damaged files of every kind: each gives the right values or a typed error.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "@std/path";
import { AnnealError } from "../../src/base/errors.ts";
import { loadIdx, readIdx } from "../../src/data/idx.ts";
import { captureHost, restoreLearner } from "../../src/fit/capture.ts";
import { CheckpointStore } from "../../src/fit/checkpoint_store.ts";
import { load, save } from "../../src/fit/save.ts";
import { encodeSafetensors, parseSafetensors } from "../../src/io/safetensors.ts";
import { decodeState, encodeState } from "../../src/io/state_text.ts";
import { schedFromJson } from "../../src/schedule/mod.ts";
import { readAll, Rng } from "../../src/tensor/mod.ts";
import { bitsOf, type Net, netLearner, stateful } from "./support.ts";
import type { Learner } from "../../src/learner/mod.ts";
import { mutate } from "./mutate.ts";

/** What a series of damaged files came to. */
export interface FuzzReport {
  readonly files: number;
  /** Files that were refused with a typed error. */
  readonly refused: number;
  /** Files that gave the right values. */
  readonly right: number;
  /** What went wrong: wrong values, other errors, hangs, prototypes changed. */
  readonly wrong: readonly string[];
  /** The longest that one file took, ms. */
  readonly longestMs: number;
}

/** What becomes of one damaged file. */
export type Case = (rng: Rng) => Promise<"refused" | "right">;

/** Tries `count` damaged files, each kind in turn. A case can be tried again alone by its seed. */
export async function fuzz(count: number, seed: number): Promise<FuzzReport> {
  const root = await Deno.makeTempDir({ prefix: "fuzz-" });
  try {
    return await series(await prepare(root), count, seed);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

/** Tries the cases in turn, `count` in all. */
export async function series(
  cases: Readonly<Record<string, Case>>,
  count: number,
  seed: number,
): Promise<FuzzReport> {
  const wrong: string[] = [];
  let refused = 0, right = 0, longestMs = 0;
  const before = Object.getOwnPropertyNames(Object.prototype).length;
  const names = Object.keys(cases);
  for (let i = 0; i < count; i++) {
    const name = names[i % names.length];
    const began = performance.now();
    try {
      const outcome = await cases[name](new Rng(seed * 1_000_003 + i));
      if (outcome === "right") right++;
      else refused++;
    } catch (error) {
      wrong.push(`${name}, seed ${seed * 1_000_003 + i}: ${error instanceof Error ? error.stack : error}`);
    }
    const ms = performance.now() - began;
    longestMs = Math.max(longestMs, ms);
    if (ms > 5000) wrong.push(`${name}, case ${i} took ${ms} ms`);
    if (Object.getOwnPropertyNames(Object.prototype).length !== before) wrong.push(`${name}, case ${i}: polluted`);
  }
  return { files: count, refused, right, wrong, longestMs };
}

/** Runs `body`, which must throw an AnnealError or give true. */
export async function judged(body: () => boolean | Promise<boolean>): Promise<"refused" | "right"> {
  try {
    if (!await body()) throw new Error("wrong values were loaded");
    return "right";
  } catch (error) {
    if (error instanceof AnnealError) return "refused";
    throw error;
  }
}

async function prepare(root: string): Promise<Record<string, Case>> {
  const model = encodeSafetensors(
    new Map([
      ["a", { dtype: "f32", shape: [2, 3], data: Float32Array.from([1, 2, 3, 4, 5, 6]) }],
      ["b.weight", { dtype: "i32", shape: [4], data: Int32Array.from([1, -2, 3, -4]) }],
      ["c", { dtype: "u8", shape: [5], data: Uint8Array.from([1, 2, 3, 4, 5]) }],
      ["d", { dtype: "bool", shape: [2], data: Uint32Array.from([1, 0]) }],
    ]),
    { format: "pt" },
  );
  const safetensors = new Uint8Array(await new Blob(model as BlobPart[]).arrayBuffer());
  const idx = Uint8Array.from([0, 0, 8, 2, 0, 0, 0, 3, 0, 0, 0, 4, ...Array.from({ length: 12 }, (_, i) => i)]);
  const zipped = new Uint8Array(
    await new Response(new Blob([idx]).stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer(),
  );
  const state = encodeState({ a: 1, b: [1, NaN, -0], c: { d: "text", e: null, f: [true, { g: -Infinity }] } });
  const schedule = JSON.stringify({ kind: "cos", start: 0, end: [1, 2] });
  const encode = (text: string) => new TextEncoder().encode(text);
  const checkpoint = await checkpointCases(join(root, "checkpoint"));
  const saved = netLearner({ path: root });
  await saved.fit(1, { cbs: [] });
  const savedPath = await save(saved, "model");
  const savedBytes = await Deno.readFile(savedPath);
  const victim = netLearner({ path: root });
  return {
    safetensors: (rng) =>
      judged(async () => {
        const bytes = mutate(safetensors, rng, { text: rng.uniform() < 0.3 });
        const file = await parseSafetensors(bytes, "damaged");
        for (const name of file.names) {
          const { data, shape } = await file.tensor(name);
          if (!sameAsPlain(bytes, name, data, shape)) return false;
        }
        return true;
      }),
    idx: (rng) =>
      judged(() => {
        const bytes = mutate(idx, rng);
        const { shape, data } = readIdx(bytes, "damaged");
        return data.length === shape.reduce((a, b) => a * b, 1) &&
          data.every((v, i) => v === bytes[4 + 4 * shape.length + i]);
      }),
    "gzipped idx": (rng) =>
      judged(async () => {
        const path = join(root, "idx.gz");
        await Deno.writeFile(path, mutate(zipped, rng));
        const { shape, data } = await loadIdx(path);
        return data.length === shape.reduce((a, b) => a * b, 1);
      }),
    "state text": (rng) =>
      judged(async () => {
        const text = new TextDecoder().decode(mutate(encode(state.text), rng, { text: true }));
        const none = () => Promise.reject(new AnnealError("there are no arrays"));
        const got = await decodeState(text, none, "damaged");
        return Object.getPrototypeOf(got) === null;
      }),
    schedule: (rng) =>
      judged(() => {
        const text = new TextDecoder().decode(mutate(encode(schedule), rng, { text: true }));
        let parsed: unknown;
        try {
          parsed = JSON.parse(text);
        } catch {
          throw new AnnealError("JSON.parse is the caller's");
        }
        return typeof schedFromJson(parsed as Parameters<typeof schedFromJson>[0])(0.5) !== "undefined";
      }),
    "model with optimizer": (rng) =>
      judged(async () => {
        // the text of the optimizer, or the file's bytes
        await Deno.writeFile(savedPath, mutate(savedBytes, rng, { text: rng.uniform() < 0.5 }));
        await load(victim, "model");
        return true;
      }),
    ...checkpoint,
  };
}

async function checkpointCases(dir: string): Promise<Record<string, Case>> {
  const learn = netLearner({ lr: 1e-2 });
  await learn.fit(1, { cbs: stateful() });
  await learn.addedCbs(stateful(), async () => {
    const store = await CheckpointStore.open(dir, 5);
    for (let i = 0; i < 2; i++) {
      await store.write(learn, await captureHost(learn, { epoch: 1, iter: null }), { run: "r", i }, null);
    }
    await store.close();
  });
  const newest = join(dir, "000002");
  const names = ["manifest.json", "model.safetensors", "state.json", "state.safetensors"];
  const originals = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const name of names) originals.set(name, await Deno.readFile(join(newest, name)));
  const victim = netLearner({ lr: 1e-2 });
  const cbs = stateful();
  for (const cb of cbs) victim.addCb(cb);
  await victim.ready();
  const wanted = await weightsOf(learn);
  const damage = async (rng: Rng, resign: boolean): Promise<void> => {
    for (const [name, bytes] of originals) await Deno.writeFile(join(newest, name), bytes);
    const name = names[rng.integer(names.length)], path = join(newest, name);
    if (!resign && rng.uniform() < 0.05) return await Deno.remove(path);
    await Deno.writeFile(
      path,
      mutate(originals.get(name)!, rng, { text: name.endsWith(".json") || rng.uniform() < 0.2 }),
    );
    if (resign) await signAnew(newest, names.slice(1));
  };
  return {
    // a checksum tells: the previous checkpoint is used, or nothing that counts was changed
    "torn checkpoint": (rng) =>
      judged(async () => {
        await damage(rng, false);
        const store = await CheckpointStore.open(dir, 5);
        try {
          const told: string[] = [];
          const opened = await store.newest(() => true, (line) => told.push(line));
          if (opened === null || opened.number < 2 && !told.some((l) => l.includes("000002"))) return false;
          return same([...opened.weights].map(([name, t]) => [name, t] as const), wanted);
        } finally {
          await store.close();
        }
      }),
    // checksums that an attacker made anew: what is inside is checked, too
    "forged checkpoint": (rng) =>
      judged(async () => {
        await damage(rng, true);
        const store = await CheckpointStore.open(dir, 5);
        try {
          const opened = await store.newest(({ i }) => i !== 0, () => {});
          if (opened === null) throw new AnnealError("its note says that it is another one");
          await restoreLearner(victim, opened.state, opened.weights);
          await bitsOf(victim);
          return true;
        } finally {
          await store.close();
        }
      }),
  };
}

async function signAnew(path: string, names: readonly string[]): Promise<void> {
  const sha = (data: Uint8Array | string) => createHash("sha256").update(data).digest("hex");
  let manifest;
  try {
    manifest = JSON.parse(await Deno.readTextFile(join(path, "manifest.json")));
    if (typeof manifest?.files !== "object" || manifest.files === null) return;
  } catch {
    return; // it is no JSON any more: it stays as it is
  }
  for (const name of names) {
    const bytes = await Deno.readFile(join(path, name));
    manifest.files[name] = { bytes: bytes.byteLength, sha256: sha(bytes) };
  }
  const { sha256: _, ...body } = manifest;
  await Deno.writeTextFile(join(path, "manifest.json"), JSON.stringify({ ...body, sha256: sha(JSON.stringify(body)) }));
}

async function weightsOf(learn: Learner<Net>): Promise<Map<string, string>> {
  const all = [...learn.model.stateDict()];
  const values = await readAll(all.map(([, t]) => t));
  return new Map(all.map(([name], i) => [name, String(values[i])]));
}

async function same(
  got: readonly (readonly [string, Parameters<typeof readAll>[0][number]])[],
  wanted: ReadonlyMap<string, string>,
): Promise<boolean> {
  const values = await readAll(got.map(([, t]) => t));
  return got.length === wanted.size && got.every(([name], i) => wanted.get(name) === String(values[i]));
}

/** A reader of one tensor written for reading, for files that were accepted. */
function sameAsPlain(bytes: Uint8Array, name: string, data: ArrayLike<number>, shape: readonly number[]): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  const { dtype, shape: sizes, data_offsets: [start] } = header[name];
  if (String(sizes) !== String(shape)) return false;
  const base = 8 + length + start;
  return Array.from(data).every((v, i) => {
    if (dtype === "F32") return Object.is(v, view.getFloat32(base + 4 * i, true));
    if (dtype === "I32") return v === view.getInt32(base + 4 * i, true);
    if (dtype === "U8" || dtype === "BOOL") return v === view.getUint8(base + i);
    return true; // types that the original does not have, of the same width
  });
}
