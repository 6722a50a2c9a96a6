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
  const count = labels.length * 2;
  const querySet = device.createQuerySet({ label: "anneal profile", type: "timestamp", count });
  const usage = BufferUsage.QUERY_RESOLVE | BufferUsage.COPY_SRC;
  const times = device.createBuffer({ label: "anneal profile", size: count * 8, usage });
  const encoder = device.createCommandEncoder({ label: "anneal profile" });
  labels.forEach((_, index) => {
    const timestampWrites = { querySet, beginningOfPassWriteIndex: 2 * index, endOfPassWriteIndex: 2 * index + 1 };
    executable.recordOne(encoder, bound, { index, timestampWrites });
  });
  encoder.resolveQuerySet(querySet, 0, count, times, 0);
  device.queue.submit([encoder.finish()]);
  const [bytes] = await readback.read([{ gpu: times, offset: 0, bytes: count * 8 }]);
  querySet.destroy();
  times.destroy();
  const ticks = new BigUint64Array(bytes.buffer);
  return labels.map((label, i) => ({ label, timeMs: Number(ticks[2 * i + 1] - ticks[2 * i]) / 1e6 }));
}
