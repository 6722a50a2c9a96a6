/**
 * Realization: turns expressions into values by way of cached programs, on the device that their memory belongs to.
 *
 * @module
 */
import { type HostArray, viewAs } from "../base/dtype.ts";
import { DeviceError, DisposedError, StaleTensorError } from "../base/errors.ts";
import { fmtShape } from "../base/shape.ts";
import type { Device, DeviceProfile, Range } from "../device/contract.ts";
import { abandonAssigns, pendingAssigns, restorePending, takePending } from "./assign.ts";
import { collect, type Collected } from "./collect.ts";
import { lower } from "./lower/mod.ts";
import { growth, type Node } from "./node.ts";
import { type Entry, Runtime } from "./programs.ts";
import { resultStorage, type Storage } from "./storage.ts";

/** Limits that every device keeps. */
const PORTABLE: DeviceProfile = { maxSlotsPerKernel: 8, maxBufferBytes: 2 ** 27 };
/** Programs that may wait for the device to open. */
const MAX_QUEUED = 64;

// --- the default device, and what waits for it

let current: Runtime | null = null;
const runtimes = new Map<Device, Runtime>();
let waiting: (() => void)[] = [];
let kept: WeakRef<Node>[] = [];
let grown: { ref: WeakRef<Node>; boundary: number }[] = [];
let boundaries = 0;

growth.notify = (node) => grown.push({ ref: new WeakRef(node), boundary: boundaries });

/** The device that new values go to; null before one is open. */
export function currentDevice(): Device | null {
  return current?.device ?? null;
}

/** Makes `device` the default, and runs what waited for one. */
export function useDevice(device: Device): void {
  let runtime = runtimes.get(device);
  if (runtime === undefined) runtimes.set(device, runtime = new Runtime(device));
  current = runtime;
  const queue = waiting;
  waiting = [];
  for (const run of queue) run();
}

/** Forgets a device that was closed. */
export function dropDevice(device: Device): void {
  runtimes.delete(device);
  if (current?.device === device) current = null;
}

/** What has compiled programs for the device that holds `storages`; the default one's where none holds any. */
export function runtimeOf(storages: readonly Storage[]): Runtime | null {
  let found: Device | null = null;
  for (const s of storages) {
    if (s.device === null || s.buffer === null) continue;
    if (found !== null && s.device !== found) {
      throw new DeviceError(
        `Cannot combine tensors of two devices: one lies on ${found.name}, another on ${s.device.name}; ` +
          "read it with data() and make it again with tensor()",
      );
    }
    found = s.device;
  }
  if (found === null) return current;
  const runtime = runtimes.get(found);
  if (runtime === undefined) throw new DeviceError(`Cannot use a tensor of ${found.name}: the device was closed`);
  return runtime;
}

/** Hands over the program that was put off. */
let held: (() => void) | null = null;

/** Puts a program off: `run` is called once, before anything else is handed over, unless {@link unhold} comes first. */
export function hold(run: () => void): void {
  runHeld();
  held = run;
}

/** Forgets the program that was put off. */
export function unhold(): void {
  held = null;
}

function runHeld(): void {
  const run = held;
  held = null;
  run?.();
}

/** A program that was handed to a device. */
export interface Run {
  readonly collected: Collected;
  readonly entry: Entry;
  readonly runtime: Runtime;
}

/**
 * Computes `nodes` and every recorded assignment, in one program. Nothing is waited for: the values are on their way, and
 * later programs and reads come after. Before a device is open, up to 64 programs wait.
 *
 * @returns What ran; null where there was nothing to do, or no device is open yet.
 */
export function realize(nodes: readonly Node[] = []): Run | null {
  runHeld();
  const extra: Node[] = [];
  if (kept.length > 0) {
    for (const ref of kept) {
      const node = ref.deref();
      if (node !== undefined && node.storage === null) extra.push(node);
    }
    kept = [];
  }
  const assigns = takePending();
  const besides = assigns.length > 0 ? [...extra, ...outstandingBeside(assigns)] : extra;
  let c: Collected;
  let runtime: Runtime | null;
  try {
    try {
      c = collect(besides.length > 0 ? [...nodes, ...besides] : nodes, assigns);
      runtime = runtimeOf(c.storages);
    } catch (error) {
      if (besides.length === 0) throw error;
      c = collect(nodes, assigns); // nobody asked for those now: using one says what is wrong with it
      runtime = runtimeOf(c.storages);
    }
    if (runtime === null && waiting.length >= MAX_QUEUED) {
      throw new DeviceError(`Cannot queue more than ${MAX_QUEUED} programs: no device is open yet, await init() first`);
    }
  } catch (error) {
    if (computable(assigns)) restorePending(assigns);
    else abandonAssigns(assigns);
    throw error;
  }
  if (c.roots.length === 0 && assigns.length === 0) return null;
  const rootValues = c.roots.map((n) => n.op.kind === "assign" ? null : resultStorage(n.bytes));
  let entry: Entry | null = null;
  if (runtime !== null) {
    entry = runtime.entry(c);
    depart({ storages: c.storages, entry, runtime }, (s) => assigns.some((a) => a.storage === s));
    runtime.run(entry, c, rootValues);
  } else {
    // made now, while the nodes still know their inputs, within limits that every device keeps
    const later = { ...c, key: c.key.slice() };
    const early = lower(c, PORTABLE, { ring: false });
    waiting.push(() => current!.run(current!.entry(later, early), later, rootValues));
  }
  settle(c, rootValues);
  return entry === null ? null : { collected: c, entry, runtime: runtime! };
}

/** A compiled program that is about to run on some memory. */
export interface Departure {
  readonly storages: readonly Storage[];
  readonly entry: Entry;
  readonly runtime: Runtime;
}

/** What is told of the next program that assigns to some memory. */
let watcher: { readonly storages: readonly Storage[]; readonly tell: (departure: Departure) => void } | null = null;

/**
 * Runs `body`; the first program in it that assigns to one of `storages` is told to `tell` once it is compiled, right before
 * it runs.
 */
export function watching<T>(
  storages: readonly Storage[],
  tell: (departure: Departure) => void,
  body: () => T,
): T {
  watcher = { storages, tell };
  try {
    return body();
  } finally {
    watcher = null;
  }
}

/** Tells whoever watches memory that a program is about to assign to; `assigned` says whether it does. */
export function depart(departure: Departure, assigned: (storage: Storage) => boolean): void {
  if (watcher === null || !watcher.storages.some(assigned)) return;
  const { tell } = watcher;
  watcher = null;
  tell(departure);
}

/**
 * Whether the next program consists of nothing but what is asked for and what is assigned: nobody waits for other values.
 */
export function nothingBeside(): boolean {
  return kept.length === 0 && !outstanding.any();
}

/** After a run: roots lie in their outputs, assigned values where they were assigned. */
export function settle(c: Pick<Collected, "roots" | "assigns" | "order">, outputs: readonly (Storage | null)[]): void {
  for (let i = 0; i < c.roots.length; i++) {
    const storage = outputs[i];
    if (storage !== null) c.roots[i].settle(storage, 0, 0);
  }
  for (const assign of c.assigns) {
    const storage = assign.storage!;
    const value = assign.inputs[0];
    const exact = assign.inputs.length === 1;
    if (assign.version > storage.done) storage.done = assign.version;
    // the value can be read where it was assigned, until the next assignment
    if (exact && value.storage === null && value.op.kind !== "leaf") {
      value.settle(storage, assign.offset, assign.version);
    }
    assign.settle(storage, assign.offset, assign.version);
  }
  // leaves that waited for these assignments are plain memory now
  for (const node of c.order) {
    if (node.op.kind === "leaf" && node.inputs.length > 0) node.settle(node.storage!, node.offset, node.version);
  }
}

/**
 * The end of a step: hands over what was recorded. Sums that grow from step to step (`total = total.add(loss)`) are
 * computed here once they are some hundreds of operations deep.
 *
 * @returns What ran, but for those sums.
 */
export function boundary(nodes: readonly Node[] = []): Run | null {
  const deep: Node[] = [];
  if (grown.length > 0) {
    grown = grown.filter(({ ref, boundary: since }) => {
      const node = ref.deref();
      if (node === undefined || node.storage !== null) return false;
      if (since === boundaries) return true; // made in this step: let it live through one boundary first
      deep.push(node);
      return false;
    });
  }
  boundaries++;
  const open = nodes.length > 0 || pendingAssigns().length > 0 || kept.length > 0;
  const run = open ? realize(nodes) : null;
  for (const node of deep) {
    try {
      realize([node]);
    } catch (error) {
      if (!(error instanceof StaleTensorError)) throw error; // nobody asked for it; using it says so
    }
  }
  return run;
}

/** Values to compute before memory changes that they may depend on; set by the layer that knows of gradients. */
let outstanding: Outstanding = { any: () => false, take: () => [] };

/** Lazy values that must not go stale when assignments are handed over. */
export interface Outstanding {
  /** Whether there are any. */
  any(): boolean;
  /** Takes them: they are not outstanding any more. */
  take(): readonly Node[];
}

/** Has `values` asked for lazy values that must not go stale when assignments are handed over. */
export function setOutstanding(values: Outstanding): void {
  outstanding = values;
}

/** What is outstanding, not computed yet, and not assigned anyway. */
function outstandingBeside(assigns: readonly Node[]): readonly Node[] {
  return outstanding.take().filter((node) => node.storage === null && !assigns.some((a) => a.inputs[0] === node));
}

/** Whether recorded assignments can be computed: if not, trying again would fail for ever. */
function computable(assigns: readonly Node[]): boolean {
  try {
    runtimeOf(collect([], assigns).storages);
    return true;
  } catch {
    return false;
  }
}

/** Computes `node` with the next program, whatever it is. */
export function keep(node: Node): void {
  if (node.storage === null) kept.push(new WeakRef(node));
}

// --- reading

let opener: () => Promise<Device> = () => {
  throw new DeviceError("Cannot compute: no device is open, await init() first");
};

/** How to open the default device when a read comes first; set by the layer that knows the devices. */
export function setOpener(open: () => Promise<Device>): void {
  opener = open;
}

/** Opens the default device if there is none. */
export async function ready(): Promise<Device> {
  if (current === null) {
    const device = await opener();
    if (current === null) useDevice(device);
  }
  return current!.device;
}

function ranges(nodes: readonly Node[]): { device: Device; list: Range[] } {
  let device: Device | null = null;
  const list: Range[] = [];
  for (const node of nodes) {
    const s = node.storage!;
    if (s.disposed) throw new DisposedError(`Cannot read a tensor of shape ${fmtShape(node.shape)}: it was disposed`);
    if (node.version < s.done) {
      throw new StaleTensorError(
        `Cannot read a value of shape ${
          fmtShape(node.shape)
        }: its memory was updated since; read it earlier or keep() it`,
      );
    }
    const buffer = s.ensure(s.device ?? current!.device);
    if (device !== null && device !== s.device) throw new DeviceError("Cannot read tensors of two devices at once");
    device = s.device;
    const width = node.dtype === "u8" ? 1 : 4;
    const start = s.base + node.offset * width;
    const first = start & ~3;
    list.push({ buffer, offset: first, bytes: ((start + node.bytes + 3) & ~3) - first });
  }
  return { device: device ?? current!.device, list };
}

function unpack(nodes: readonly Node[], bytes: readonly Uint8Array[]): HostArray[] {
  return nodes.map((node, i) => {
    const skip = node.dtype === "u8" ? (node.storage!.base + node.offset) & 3 : 0;
    return viewAs(node.dtype, bytes[i].subarray(skip, skip + node.bytes));
  });
}

/** The values of `nodes`, computed first where they are not yet; one round trip. */
export async function read(nodes: readonly Node[]): Promise<HostArray[]> {
  await ready();
  const open = nodes.filter((n) => n.size > 0);
  realize(open);
  const { device, list } = ranges(open);
  const got = unpack(open, open.length > 0 ? await device.read(list) : []);
  return spread(nodes, got);
}

/** The same without giving up the thread; null where the device cannot, or is not open. */
export function readSync(nodes: readonly Node[]): HostArray[] | null {
  if (current === null) return null;
  const open = nodes.filter((n) => n.size > 0);
  realize(open);
  const { device, list } = ranges(open);
  if (device.readSync === undefined) return null;
  return spread(nodes, unpack(open, device.readSync(list)));
}

function spread(nodes: readonly Node[], values: readonly HostArray[]): HostArray[] {
  let i = 0;
  return nodes.map((n) => n.size > 0 ? values[i++] : viewAs(n.dtype, new Uint8Array(0)));
}
