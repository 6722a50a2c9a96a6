/**
 * The open devices, and which of them is the default.
 *
 * @module
 */
import { DeviceError } from "../base/errors.ts";
import type { Device } from "../device/contract.ts";
import { DeviceRuntime } from "./programs.ts";
import type { Storage } from "./storage.ts";

/** The devices of a session. */
export class Devices {
  readonly #runtimes = new Map<Device, DeviceRuntime>();
  #default: DeviceRuntime | null = null;
  #open: () => Promise<Device> = () => {
    throw new DeviceError("Cannot compute: no device is open, await init() first");
  };

  /** The default device's runtime; null before one is open. */
  get default(): DeviceRuntime | null {
    return this.#default;
  }

  /** Makes `device` the default. */
  use(device: Device): DeviceRuntime {
    let runtime = this.#runtimes.get(device);
    if (runtime === undefined) this.#runtimes.set(device, runtime = new DeviceRuntime(device));
    return this.#default = runtime;
  }

  /** Forgets a device that was closed. */
  drop(device: Device): void {
    this.#runtimes.delete(device);
    if (this.#default?.device === device) this.#default = null;
  }

  /** Says how to open the default device. */
  openWith(open: () => Promise<Device>): void {
    this.#open = open;
  }

  /** Opens a device, which is not the default by that. */
  open(): Promise<Device> {
    return this.#open();
  }

  /** The runtime of the device that holds `storages`; the default one's where none holds any. */
  of(storages: readonly Storage[]): DeviceRuntime | null {
    let found: Device | null = null;
    for (let i = 0; i < storages.length; i++) {
      const { device, buffer } = storages[i];
      if (device === null || buffer === null) continue;
      if (found !== null && device !== found) {
        throw new DeviceError(
          `Cannot combine tensors of two devices: one lies on ${found.name}, another on ${device.name}; ` +
            "read it with data() and make it again with tensor()",
        );
      }
      found = device;
    }
    if (found === null) return this.#default;
    const runtime = this.#runtimes.get(found);
    if (runtime === undefined) throw new DeviceError(`Cannot use a tensor of ${found.name}: the device was closed`);
    return runtime;
  }
}
