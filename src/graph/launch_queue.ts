/**
 * Programs that wait for a device to open. Each was lowered when it was asked for, while its nodes knew their inputs, and
 * committed; what it works on is kept until it has run.
 *
 * @module
 */
import { DeviceError } from "../base/errors.ts";
import type { DeviceProfile } from "../device/contract.ts";
import type { Collected } from "./collect.ts";
import { lower, type Lowered } from "./lower/mod.ts";
import { Node } from "./node.ts";
import type { DeviceRuntime } from "./programs.ts";
import { resultStorage, type Storage } from "./storage.ts";

/** Limits that every device keeps. */
const PORTABLE: DeviceProfile = { maxSlotsPerKernel: 8, maxBufferBytes: 2 ** 27 };
/** Programs that may wait. */
const MAX_QUEUED = 64;

interface Queued {
  readonly collected: Collected;
  readonly lowered: Lowered;
  readonly outputs: readonly (Storage | null)[];
  /** What each assignment stores. */
  readonly values: readonly Node[];
  readonly undo: readonly (() => void)[];
}

/** The programs that wait, in order. */
export class LaunchQueue {
  #waiting: Queued[] = [];

  /** A DeviceError where no more programs may wait. */
  refuseFull(): void {
    if (this.#waiting.length < MAX_QUEUED) return;
    throw new DeviceError(`Cannot queue more than ${MAX_QUEUED} programs: no device is open yet, await init() first`);
  }

  /** Has a program wait. `undo` takes back what the host has counted for it, where it fails. */
  add(c: Collected, outputs: readonly (Storage | null)[], undo: readonly (() => void)[]): void {
    this.#waiting.push({
      collected: { ...c, key: c.key.slice(), scalars: c.scalars.map(frozen) },
      lowered: lower(c, PORTABLE, { pool: false }),
      outputs,
      values: c.assigns.map((a) => a.inputs[0]),
      undo,
    });
    for (const storage of c.storages) storage.retain();
  }

  /**
   * Launches what waits.
   *
   * @throws What the first program threw that failed, after all have had their turn.
   */
  launch(runtime: DeviceRuntime): void {
    const queue = this.#waiting;
    this.#waiting = [];
    const errors: unknown[] = [];
    for (const queued of queue) {
      const { collected: c, lowered, outputs } = queued;
      try {
        runtime.run(runtime.entry(c, lowered), c, outputs);
      } catch (error) {
        takeBack(queued, error);
        errors.push(error);
      } finally {
        for (const storage of c.storages) storage.unretain();
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}

/** After a committed program failed: its results never come, and what it assigned to is as it was. */
function takeBack({ collected: { assigns }, outputs, values, undo }: Queued, error: unknown): void {
  for (const storage of outputs) storage?.fail(error);
  assigns.forEach(({ storage }, i) => {
    const value = values[i];
    if (value.storage !== storage || value.op.kind === "leaf") return;
    value.materialize(resultStorage(value.bytes), 0, 0);
    value.storage!.fail(error);
  });
  for (let i = undo.length - 1; i >= 0; i--) undo[i]();
}

/** A scalar leaf that keeps the number which it has now. */
function frozen(scalar: Node): Node {
  const copy = new Node(scalar.op, [], scalar.shape, scalar.dtype);
  copy.value = scalar.value;
  return copy;
}
