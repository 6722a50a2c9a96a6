/**
 * The check that a device keeps the contract: every hand-made program gives what the reference device gives.
 *
 * @module
 */
import type { StoredArray as HostArray } from "../../src/base/dtype.ts";
import type { Device, DeviceBuffer, Program } from "../../src/device/contract.ts";
import { type ProgramCase, programs } from "./programs.ts";
import { ReferenceDevice } from "./reference_device.ts";

/** What to run. */
export interface ConformanceOptions {
  /** Chooses cases by name; all where it is not given. */
  readonly only?: (name: string) => boolean;
  /** Of those, one of so many; 1 by default. */
  readonly oneOf?: number;
}

/**
 * Runs every case twice on `device` and once on the reference device, and compares all written bound slots.
 *
 * @throws Error that lists every case that failed, with its worst element; the other cases have passed.
 */
export async function runConformance(device: Device, options: ConformanceOptions = {}): Promise<void> {
  const { only = () => true, oneOf = 1 } = options;
  let n = 0;
  const failures: string[] = [];
  for (const testCase of programs) {
    if (!only(testCase.name) || n++ % oneOf !== 0) continue;
    const message = await checkCase(device, testCase);
    if (message !== null) failures.push(`${testCase.name}: ${message}`);
  }
  if (failures.length > 0) {
    throw new Error(`${failures.length} programs failed on ${device.kind}:\n${failures.join("\n")}`);
  }
}

/** Runs one case; null if the device does it right, else what is wrong. */
export async function checkCase(device: Device, testCase: ProgramCase): Promise<string | null> {
  const reference = new ReferenceDevice();
  try {
    const [want] = await runOn(reference, testCase, 1);
    const [got, again] = await runOn(device, testCase, 2);
    const written = testCase.program.slots.filter(({ kind }) => kind === "bound").map((slot) => slot.written);
    for (let i = 0; i < written.length; i++) {
      const before = testCase.bound[i];
      const message = written[i]
        ? compareElements(got[i], want[i], testCase.tolerance)
        : compareElements(got[i], before, { rel: 0, abs: 0 });
      if (message !== null) return `bound slot ${i}${written[i] ? "" : ", which is read-only"}: ${message}`;
      if (!sameBits(got[i], again[i])) return `bound slot ${i} has other bits after a second run`;
    }
    return null;
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}

/** The bytes of all bound slots after a run of a case. */
export async function bytesAfter(device: Device, testCase: ProgramCase): Promise<Uint8Array[]> {
  const [results] = await runOn(device, testCase, 1);
  return results.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength));
}

/** Results of `times` runs, each from the same initial contents: one list of bound slots a run. */
async function runOn(device: Device, testCase: ProgramCase, times: number): Promise<HostArray[][]> {
  const { program, bound, params } = testCase;
  const buffers = bound.map((data) => device.alloc(Math.max(data.byteLength, 4)));
  const executable = device.compile(program);
  try {
    const results: HostArray[][] = [];
    for (let run = 0; run < times; run++) {
      bound.forEach((data, i) => device.write(buffers[i], 0, padded(data)));
      device.run(executable, buffers, params);
      results.push(await readAll(device, buffers, program, bound));
    }
    return results;
  } finally {
    executable.dispose();
    buffers.forEach((buffer) => device.free(buffer));
  }
}

// Writes are in words; a u8 array may end within one
function padded(data: HostArray): HostArray {
  if (data.byteLength % 4 === 0) return data;
  const bytes = new Uint8Array(Math.ceil(data.byteLength / 4) * 4);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return bytes;
}

async function readAll(
  device: Device,
  buffers: readonly DeviceBuffer[],
  program: Program,
  bound: readonly HostArray[],
): Promise<HostArray[]> {
  const slots = program.slots.filter(({ kind }) => kind === "bound");
  const parts = await device.read(buffers.map((buffer, i) => ({ buffer, offset: 0, bytes: slots[i].bytes })));
  return parts.map((bytes, i) => {
    const own = bytes.slice();
    if (bound[i] instanceof Float32Array) return new Float32Array(own.buffer);
    if (bound[i] instanceof Int32Array) return new Int32Array(own.buffer);
    if (bound[i] instanceof Uint16Array) return new Uint16Array(own.buffer).subarray(0, bound[i].length);
    return bound[i] instanceof Uint8Array ? own.subarray(0, bound[i].length) : new Uint32Array(own.buffer);
  });
}

/** null if every element of `got` is as near to `want` as asked, NaN like NaN; else the count and the worst one. */
export function compareElements(
  got: HostArray,
  want: HostArray,
  tolerance: { readonly rel: number; readonly abs: number },
): string | null {
  let [worst, excess, count] = [-1, -1, 0];
  for (let i = 0; i < want.length; i++) {
    const [g, w] = [got[i], want[i]];
    if (g === w || (Number.isNaN(g) && Number.isNaN(w))) continue;
    const allowed = want instanceof Float32Array && Number.isFinite(w)
      ? tolerance.abs + tolerance.rel * Math.abs(w)
      : 0;
    const distance = Math.abs(g - w);
    if (distance <= allowed) continue;
    count++;
    const over = Number.isFinite(distance) ? distance - allowed : Infinity;
    if (over > excess) [worst, excess] = [i, over];
  }
  if (count === 0) return null;
  const { rel, abs } = tolerance;
  return `${count} of ${want.length} elements differ, the worst is [${worst}]: got ${got[worst]}, want ${want[worst]}` +
    ` (tolerance ${abs} + ${rel} relative)`;
}

// WebAssembly and WGSL leave a NaN's sign and payload open, and so does JavaScript: one NaN is as good as another
function sameBits(a: HostArray, b: HostArray): boolean {
  return a.length === b.length && a.every((value, i) => Object.is(value, b[i]));
}
