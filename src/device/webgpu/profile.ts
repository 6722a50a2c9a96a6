/**
 * Time of each dispatch of a program, by timestamps that the GPU takes.
 *
 * @module
 */
import { DeviceError } from "../../base/errors.ts";
import type { PooledBuffer } from "./buffers.ts";
import type { WebgpuExecutable } from "./executable.ts";
import { BufferUsage } from "./flags.ts";
import type { Readback } from "./readback.ts";

/** How long one dispatch took. */
export interface DispatchTime {
  /** Program, number and kind of the kernel. */
  readonly label: string;
  /** Milliseconds. */
  readonly timeMs: number;
}

/**
 * Runs `executable` once, a pass per dispatch, and tells what each took.
 *
 * @throws {DeviceError} If the adapter takes no timestamps.
 */
export async function profileDispatches(
  device: GPUDevice,
  readback: Readback,
  executable: WebgpuExecutable,
  bound: readonly PooledBuffer[],
): Promise<DispatchTime[]> {
  if (!device.features.has("timestamp-query")) {
    throw new DeviceError("Cannot time the kernels: the adapter lacks the feature timestamp-query");
  }
  const labels = executable.labels();
  const ticks = await stamped(device, readback, labels.length * 2, (encoder, querySet) =>
    labels.forEach((_, index) => {
      const timestampWrites = { querySet, beginningOfPassWriteIndex: 2 * index, endOfPassWriteIndex: 2 * index + 1 };
      executable.recordOne(encoder, bound, { index, timestampWrites });
    }));
  return labels.map((label, i) => ({ label, timeMs: Number(ticks[2 * i + 1] - ticks[2 * i]) / 1e6 }));
}

/** Milliseconds from the beginning of the first pass to the end of the last one; `passes` are numbers of dispatches. */
export async function timeOfPasses(
  device: GPUDevice,
  readback: Readback,
  executable: WebgpuExecutable,
  { bound, passes }: { readonly bound: readonly PooledBuffer[]; readonly passes: readonly number[] },
): Promise<number> {
  const [start, end] = await stamped(device, readback, 2, (encoder, querySet) =>
    passes.forEach((index, i) => {
      const timestampWrites = {
        querySet,
        ...(i === 0 ? { beginningOfPassWriteIndex: 0 } : {}),
        ...(i === passes.length - 1 ? { endOfPassWriteIndex: 1 } : {}),
      };
      const atEnd = i === 0 || i === passes.length - 1;
      executable.recordOne(encoder, bound, { index, ...(atEnd ? { timestampWrites } : {}) });
    }));
  return Number(end - start) / 1e6;
}

/** Submits what `record` encodes; the `count` timestamps that it takes, in ns. */
async function stamped(
  device: GPUDevice,
  readback: Readback,
  count: number,
  record: (encoder: GPUCommandEncoder, querySet: GPUQuerySet) => void,
): Promise<BigUint64Array> {
  const label = "anneal profile";
  const querySet = device.createQuerySet({ label, type: "timestamp", count });
  const usage = BufferUsage.QUERY_RESOLVE | BufferUsage.COPY_SRC;
  const times = device.createBuffer({ label, size: count * 8, usage });
  const encoder = device.createCommandEncoder({ label });
  record(encoder, querySet);
  encoder.resolveQuerySet(querySet, 0, count, times, 0);
  device.queue.submit([encoder.finish()]);
  const sources = [{ gpu: times, offset: 0, bytes: count * 8 }];
  const [bytes] = readback.synchronous ? readback.readNow(sources) : await readback.read(sources);
  querySet.destroy();
  times.destroy();
  return new BigUint64Array(bytes.buffer);
}
