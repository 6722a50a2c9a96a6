/**
 * Running totals behind `Device.stats()`.
 *
 * @module
 */
import type { DeviceStats } from "../contract.ts";

/** The mutable fields of {@link DeviceStats}. */
export class Counters {
  runs = 0;
  dispatches = 0;
  submits = 0;
  programs = 0;
  pipelines = 0;
  buffers = 0;
  bindings = 0;
  reads = 0;
  writes = 0;
  liveBytes = 0;
  peakBytes = 0;

  /** Counts `bytes` more in use, or fewer where negative. */
  use(bytes: number): void {
    this.liveBytes += bytes;
    this.peakBytes = Math.max(this.peakBytes, this.liveBytes);
  }

  /** A copy of all totals. */
  snapshot(device: DeviceStats["device"], name: string): DeviceStats {
    return { device, name, ...this };
  }
}
