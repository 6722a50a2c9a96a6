/**
 * What the runtime keeps beyond a step, compiled programs and results that are held: bounded, and never taken from under
 * a program that needs it.
 */
import { assert, assertEquals } from "@std/assert";
import type { Device, DeviceBuffer, Executable } from "../../src/device/contract.ts";
import { collect } from "../../src/graph/collect.ts";
import { mul } from "../../src/graph/elementwise.ts";
import { fromHost, scalar } from "../../src/graph/leaves.ts";
import { DeviceRuntime } from "../../src/graph/programs.ts";
import { ResultPool, SEGMENT_BYTES } from "../../src/graph/result_pool.ts";
import { Storage } from "../../src/graph/storage.ts";
import { ReferenceDevice } from "../support/reference_device.ts";

/** A device that counts compiled programs which are still there. */
class Counting extends ReferenceDevice {
  alive = 0;
  override compile(program: Parameters<ReferenceDevice["compile"]>[0]): Executable {
    const made = super.compile(program);
    this.alive++;
    return {
      ...made,
      program,
      dispose: () => {
        this.alive--;
        made.dispose();
      },
    };
  }
}

/** `[n]` times a number: one small kernel, without memory of its own on the device. */
const product = (n: number) => collect([mul(fromHost(new Float32Array(n), [n], "f32"), scalar(2))], []);

Deno.test("programs without temporaries make room too: by number", () => {
  const device = new Counting();
  const runtime = new DeviceRuntime(device, { programs: 16 });
  const first = runtime.entry(product(1));
  for (let n = 2; n <= 200; n++) {
    runtime.entry(product(n));
    assert(device.alive <= 16, `${device.alive} programs`);
  }
  assert(first.gone);
  const compiled = device.stats().programs;
  for (let n = 190; n <= 200; n++) runtime.entry(product(n)); // the last ones are still there
  assertEquals(device.stats().programs, compiled);
});

Deno.test("and by what they take on the host", () => {
  const device = new Counting();
  const runtime = new DeviceRuntime(device, { bytes: 2 ** 20 });
  for (let n = 1; n <= 200; n++) runtime.entry(product(n));
  assert(device.alive < 100, `${device.alive} programs in 1 MiB`);
  assert(device.alive > 5);
});

Deno.test("a buffer that was left to its results stays while a program reads it, and goes afterwards", () => {
  const freed = new Set<DeviceBuffer>();
  let id = 1;
  const device = {
    alloc: (bytes: number) => ({ id: id++, bytes }),
    free: (buffer: DeviceBuffer) => void freed.add(buffer),
    copy: () => {},
  } as unknown as Device;
  const ring = new ResultPool(device);
  const held = new Map<DeviceBuffer, Storage[]>();
  const bytes = SEGMENT_BYTES / 64;
  const place = (avoid: readonly DeviceBuffer[]) => {
    const storage = new Storage(bytes);
    const { buffer } = ring.place([storage], [0], bytes, avoid);
    const list = held.get(buffer) ?? [];
    list.push(storage);
    held.set(buffer, list);
    return storage;
  };
  // all results are held: full buffers are left to them
  for (let i = 0; i < 64 * 8; i++) place([]);
  // then all but a few of each go, and a program reads what is left
  const reads = [...held].map(([buffer, list]) => {
    list.slice(1).forEach((s) => s.dispose());
    return { buffer, storage: list[0] };
  });
  for (let i = 0; i < 64 * 16; i++) {
    place(reads.map((r) => r.buffer)).dispose();
    for (const { buffer, storage } of reads) {
      assert(storage.buffer !== buffer || !freed.has(buffer), "a program reads memory that was freed");
      assertEquals(storage.buffer, buffer, "what is read lies where it lay when the program was bound");
    }
  }
  for (let i = 0; i < 64 * 64; i++) place([]).dispose();
  assert(reads.every(({ buffer, storage }) => storage.buffer !== buffer || !freed.has(buffer)));
  assert(freed.size > 0, "nothing is ever given back");
});

Deno.test("results of the newest launches are moved, too, where their memory goes", () => {
  const freed = new Set<DeviceBuffer>();
  let id = 1;
  const device = {
    alloc: (bytes: number) => ({ id: id++, bytes }),
    free: (buffer: DeviceBuffer) => void freed.add(buffer),
    copy: () => {},
  } as unknown as Device;
  const pool = new ResultPool(device);
  const place = (avoid: readonly DeviceBuffer[]): Storage => {
    const storage = new Storage(64);
    pool.place([storage], [0], 64, avoid);
    return storage;
  };
  // each launch reads all results so far, so that none of their memory may be written
  const all: Storage[] = [];
  for (let i = 0; i < 8; i++) all.push(place(all.map((s) => s.buffer!)));
  place([]);
  assert(freed.size > 0);
  assert(all.every(({ buffer, disposed }) => !disposed && !freed.has(buffer!)));
});
