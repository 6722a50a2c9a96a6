/**
 * From values in memory to arrays on the host.
 *
 * @module
 */
import { bytesPerElement, type HostArray, hostArray, viewAs } from "../base/dtype.ts";
import { DeviceError, DisposedError, StaleTensorError } from "../base/errors.ts";
import { halfToFloat } from "../base/half.ts";
import { fmtShape } from "../base/shape.ts";
import type { Device, Range } from "../device/contract.ts";
import type { Node } from "./node.ts";

/** Where the values of nodes lie, in whole words. All lie on one device; `home` where none lies anywhere yet. */
export function rangesOf(nodes: readonly Node[], home: Device): { device: Device; list: Range[] } {
  let device: Device | null = null;
  const list: Range[] = [];
  for (const node of nodes) {
    const s = node.storage!;
    if (s.disposed) throw new DisposedError(`Cannot read a tensor of shape ${fmtShape(node.shape)}: it was disposed`);
    if (node.stale) {
      throw new StaleTensorError(
        `Cannot read a value of shape ${
          fmtShape(node.shape)
        }: its memory was updated since; read it earlier or keep() it`,
      );
    }
    const buffer = s.ensure(s.device ?? home);
    if (device !== null && device !== s.device) throw new DeviceError("Cannot read tensors of two devices at once");
    device = s.device;
    const width = bytesPerElement(node.dtype);
    const start = s.base + node.offset * width;
    const first = start & ~3;
    list.push({ buffer, offset: first, bytes: ((start + node.bytes + 3) & ~3) - first });
  }
  return { device: device ?? home, list };
}

/** The arrays in what was read from {@link rangesOf}; f16 as f32. */
export function unpack(nodes: readonly Node[], bytes: readonly Uint8Array[]): HostArray[] {
  return nodes.map((node, i) => {
    const skip = (node.storage!.base + node.offset * bytesPerElement(node.dtype)) & 3;
    const array = viewAs(node.dtype, bytes[i].subarray(skip, skip + node.bytes));
    return array instanceof Uint16Array ? halfToFloat(array) : array;
  });
}

/** The values of those nodes that have elements, in their places among all. */
export function spread(nodes: readonly Node[], values: readonly HostArray[]): HostArray[] {
  let i = 0;
  return nodes.map((n) => n.size > 0 ? values[i++] : hostArray(n.dtype === "f16" ? "f32" : n.dtype, 0));
}
