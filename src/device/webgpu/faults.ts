/**
 * Keeps what goes wrong on the device until somebody can be told.
 *
 * @module
 */
import { DeviceError } from "../../base/errors.ts";

/** The first fault of a device, thrown at the next boundary. */
export class Faults {
  #fault: DeviceError | null = null;
  #lost = false;
  #scopes = 0;

  constructor(device: GPUDevice) {
    device.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      this.keep(new DeviceError(`Cannot go on with the device: ${(event as GPUUncapturedErrorEvent).error.message}`));
    });
    device.lost.then(({ reason, message }) => {
      if (reason === "destroyed") return;
      this.keep(
        new DeviceError(
          `Cannot go on with the device: it was lost, got ${message || reason}; ` +
            "await init() opens it anew, and a fit with a Checkpoint goes on from there with resume: true",
        ),
      );
      this.#lost = true;
    });
  }

  /** Stores a fault, if it is the first one. */
  keep(fault: DeviceError): void {
    this.#fault ??= fault;
  }

  /** Stores what the innermost error scope caught. */
  scope(device: GPUDevice, what: string): void {
    this.#scopes++;
    device.popErrorScope().then(
      (error) => error && this.keep(new DeviceError(`Cannot ${what}: ${error.message}`)),
      () => {}, // the device is gone; `lost` says why
    ).finally(() => this.#scopes--);
  }

  /** Whether some error scope has not answered yet: only the event loop brings the answer. */
  get pending(): boolean {
    return this.#scopes > 0;
  }

  /** Whether the device is gone for good. */
  get lost(): boolean {
    return this.#lost;
  }

  /** Throws the stored fault. A lost device keeps throwing; other faults are told once. */
  check(): void {
    const fault = this.#fault;
    if (fault === null) return;
    if (!this.#lost) this.#fault = null;
    throw fault;
  }
}

const SCOPES = ["out-of-memory", "internal", "validation"] as const;

/**
 * Runs `trial`, which alone uses the device meanwhile, and throws the first error of the adapter in it. No {@link Faults} are told.
 */
export async function withinScopes<T>(device: GPUDevice, trial: () => Promise<T>): Promise<T> {
  for (const scope of SCOPES) device.pushErrorScope(scope);
  const result = await Promise.allSettled([trial()]).then(([settled]) => settled);
  const errors = await Promise.all(SCOPES.map(() => device.popErrorScope().catch(() => null)));
  const error = errors.find((each) => each !== null);
  if (error) throw new DeviceError(`Cannot try a kernel: ${error.message}`);
  if (result.status === "rejected") throw result.reason;
  return result.value;
}
