/**
 * The lazy runtime. Expressions and assignments are recorded; a **flush** makes one program of everything that is wanted and
 * **launches** it; what has been launched is **committed**: values lie in memory, versions have moved on. Until then nothing
 * has happened, and whatever goes wrong, {@link Session.abandon} forgets what was recorded: memory, versions and results
 * are those of the last launch.
 *
 * @module
 */
import type { HostArray } from "../base/dtype.ts";
import { StaleTensorError } from "../base/errors.ts";
import type { Device } from "../device/contract.ts";
import { abandonAssigns, type Assignment, assignNodes, commitAssigns } from "./assign.ts";
import { collect, type Collected } from "./collect.ts";
import { Devices } from "./devices.ts";
import { LaunchQueue } from "./launch_queue.ts";
import { growth, type Node } from "./node.ts";
import type { DeviceRuntime, Entry } from "./programs.ts";
import { rangesOf, spread, unpack } from "./reading.ts";
import { resultStorage, type Storage } from "./storage.ts";

/** A program that was given to a device. */
export interface Launch {
  readonly collected: Collected;
  readonly entry: Entry;
  readonly runtime: DeviceRuntime;
}

/** A program that is compiled and about to be launched. */
export interface PendingLaunch {
  readonly storages: readonly Storage[];
  readonly entry: Entry;
  readonly runtime: DeviceRuntime;
}

/** A deferred launch: it precedes any other. */
export interface DeferredLaunch {
  /** Launches and commits; an error of it is followed by {@link DeferredLaunch.abandon}. */
  launch(): void;
  /** Takes back whatever had been promised. */
  abandon(): void;
}

/** Somebody whose lazy gradient must not go stale when what it depends on is assigned to. */
export interface GradientHolder {
  /** The gradient, if it is there and was not computed yet. */
  readonly pendingGrad: Node | null;
  /** How it is known where it must not be kept alive. */
  readonly weakly: WeakRef<GradientHolder>;
}

interface Listener {
  readonly storages: readonly Storage[];
  readonly tell: (pending: PendingLaunch) => void;
}

/** The state of the lazy runtime, all of it. */
export class Session {
  readonly #devices = new Devices();
  /** What waits for a device. */
  readonly #queue = new LaunchQueue();

  // what the next flush takes
  #pending: Node[] = [];
  /** What the host counted along with the pending assignments, to be taken back if they are abandoned. */
  #undo: (() => void)[] = [];
  #retained: WeakRef<Node>[] = [];
  /** Those with lazy gradients: since the last flush, and from before it. */
  readonly #gradients = new Set<GradientHolder>();
  readonly #olderGradients = new Set<WeakRef<GradientHolder>>();
  #deferred: DeferredLaunch | null = null;

  /** Nodes on top of many others, and the step in which they were made. */
  #deep: { readonly ref: WeakRef<Node>; readonly step: number }[] = [];
  #steps = 0;
  readonly #listeners = new Set<Listener>();

  // --- devices

  /** The device that new values go to; null before one is open. */
  get device(): Device | null {
    return this.#devices.default?.device ?? null;
  }

  /**
   * Makes `device` the default, and launches what waited for one.
   *
   * @throws What the first of the waiting programs threw that failed, after all have had their turn.
   */
  useDevice(device: Device): void {
    this.#queue.launch(this.#devices.use(device));
  }

  /** Forgets a device that was closed. */
  dropDevice(device: Device): void {
    this.#devices.drop(device);
  }

  /** Says how to open the default device when a read comes first. */
  openWith(open: () => Promise<Device>): void {
    this.#devices.openWith(open);
  }

  /** Opens the default device if there is none. */
  async ready(): Promise<Device> {
    if (this.device === null) {
      const device = await this.#devices.open();
      if (this.device === null) this.useDevice(device);
    }
    return this.device!;
  }

  /** The runtime of the device that holds `storages`; the default one's where none holds any. */
  runtimeOf(storages: readonly Storage[]): DeviceRuntime | null {
    return this.#devices.of(storages);
  }

  // --- recording

  /**
   * Records assignments that happen together: each sees the memory as it was before the group. Ranges must not overlap.
   * Returns their nodes, for `reader`.
   */
  record(group: readonly Assignment[]): Node[] {
    const nodes = assignNodes(group);
    for (const node of nodes) if (node.size > 0) this.#pending.push(node);
    return nodes;
  }

  /** Calls `undo` if what is pending is abandoned, and never if it is launched: for numbers that the host counts along. */
  onAbandon(undo: () => void): void {
    this.#undo.push(undo);
  }

  /** The assignments that were recorded and not launched yet, oldest first. */
  get pending(): readonly Node[] {
    return this.#pending;
  }

  /** Takes them: whoever calls launches or abandons them, with what the host counted along. */
  takePending(): { readonly assigns: readonly Node[]; readonly undo: readonly (() => void)[] } {
    const taken = { assigns: this.#pending, undo: this.#undo };
    this.#pending = [];
    this.#undo = [];
    return taken;
  }

  /** Has the next launch compute `node`, too. */
  retain(node: Node): void {
    if (node.storage === null) this.#retained.push(new WeakRef(node));
  }

  /** Has the next launch that assigns anything compute the gradient of `holder`, if it is still there then. */
  retainGradient(holder: GradientHolder): void {
    this.#gradients.add(holder);
  }

  /** Whether the next launch would compute more than what is asked for and what is assigned. */
  get hasOtherRoots(): boolean {
    if (this.#retained.length > 0) return true;
    if (this.#gradients.size === 0 && this.#olderGradients.size === 0) return false;
    this.#sweepGradients();
    return this.#olderGradients.size > 0;
  }

  /** Forgets gradients that were computed, replaced by null, or left behind with their parameters. */
  #sweepGradients(): void {
    for (const holder of this.#gradients) this.#olderGradients.add(holder.weakly);
    this.#gradients.clear();
    for (const ref of this.#olderGradients) if (!ref.deref()?.pendingGrad) this.#olderGradients.delete(ref);
  }

  #takeRetained(): Node[] {
    const nodes: Node[] = [];
    for (const ref of this.#retained) {
      const node = ref.deref();
      if (node !== undefined && node.storage === null) nodes.push(node);
    }
    this.#retained = [];
    return nodes;
  }

  /** Gradients that are not assigned anyway. */
  #takeGradients(assigns: readonly Node[]): Node[] {
    const nodes: Node[] = [];
    const take = (holder: GradientHolder | undefined): void => {
      const node = holder?.pendingGrad;
      if (node && !assigns.some((a) => a.inputs[0] === node)) nodes.push(node);
    };
    for (const holder of this.#gradients) take(holder);
    for (const ref of this.#olderGradients) take(ref.deref());
    this.#forgetGradients();
    return nodes;
  }

  #forgetGradients(): void {
    this.#gradients.clear();
    this.#olderGradients.clear();
  }

  // --- launching

  /**
   * The one way to the device: launches a program that computes `roots` and everything retained, and carries out what is
   * pending. Nothing is waited for: the values are on their way, and later launches and reads come after. Before a device is
   * open, up to 64 programs wait.
   *
   * @returns What was launched; null where there was nothing to do, or no device is open yet.
   * @throws Where `roots` cannot be computed, and nothing has changed then; where the program cannot be launched, and it is
   * as if nothing of it had been recorded, but for assignments that can be carried out without `roots`.
   */
  flush(roots: readonly Node[] = []): Launch | null {
    this.launchDeferred();
    const also = this.#takeRetained();
    const { assigns, undo } = this.takePending();
    if (assigns.length > 0) also.push(...this.#takeGradients(assigns));
    else this.#sweepGradients();
    let c: Collected, runtime: DeviceRuntime | null;
    try {
      ({ c, runtime } = this.#collect(roots, also, assigns));
    } catch (error) {
      if (this.#canCollect(assigns)) this.#restore(assigns, undo);
      else this.#void(assigns, undo);
      throw error;
    }
    if (c.roots.length === 0 && assigns.length === 0) return null;
    const outputs = c.roots.map((n) => n.op.kind === "assign" ? null : resultStorage(n.bytes));
    let launch: Launch | null;
    try {
      launch = runtime === null ? null : this.#launch(runtime, c, outputs);
      if (runtime === null) this.#queue.add(c, outputs, undo);
    } catch (error) {
      for (const storage of outputs) storage?.dispose();
      if (also.length > 0) { // nobody asked for those now: maybe they are what failed
        this.#restore(assigns, undo);
        launch = this.flush(roots);
        for (const node of also) if (node.storage === null) lose(node, error);
        return launch;
      }
      if (c.roots.length > 0 && assigns.length > 0) {
        this.#restore(assigns, undo);
        try {
          this.flush(); // maybe the assignments are not what failed
        } catch {
          // then they are abandoned; the first error says more
        }
      } else this.#void(assigns, undo);
      throw error;
    }
    this.commit(c, outputs);
    return launch;
  }

  #collect(
    roots: readonly Node[],
    also: readonly Node[],
    assigns: readonly Node[],
  ): { c: Collected; runtime: DeviceRuntime | null } {
    const attempt = (nodes: readonly Node[]) => {
      const c = collect(nodes, assigns);
      return { c, runtime: this.runtimeOf(c.storages) };
    };
    let found: { c: Collected; runtime: DeviceRuntime | null };
    try {
      found = attempt(also.length > 0 ? [...roots, ...also] : roots);
    } catch (error) {
      if (also.length === 0) throw error;
      found = attempt(roots); // nobody asked for the others now: using one says what is wrong with it
    }
    if (found.runtime === null) this.#queue.refuseFull();
    return found;
  }

  /** Whether recorded assignments can be computed: if not, trying again would fail for ever. */
  #canCollect(assigns: readonly Node[]): boolean {
    try {
      this.runtimeOf(collect([], assigns).storages);
      return true;
    } catch {
      return false;
    }
  }

  #launch(runtime: DeviceRuntime, collected: Collected, outputs: readonly (Storage | null)[]): Launch {
    const entry = runtime.entry(collected);
    this.tell({ storages: collected.storages, entry, runtime }, (s) => collected.assigns.some((a) => a.storage === s));
    runtime.run(entry, collected, outputs);
    return { collected, entry, runtime };
  }

  /** After a launch: roots lie in their outputs, assigned values where they were assigned. */
  commit(c: Pick<Collected, "roots" | "assigns" | "order">, outputs: readonly (Storage | null)[]): void {
    for (let i = 0; i < c.roots.length; i++) {
      const storage = outputs[i];
      if (storage !== null) c.roots[i].materialize(storage, 0, 0);
    }
    commitAssigns(c.assigns);
    // leaves that waited for these assignments are plain memory now
    for (const node of c.order) {
      if (node.op.kind === "leaf" && node.inputs.length > 0) node.materialize(node.storage!, node.offset, node.version);
    }
  }

  // --- deferring and abandoning

  /** Defers a launch: it precedes any other, unless it is abandoned. */
  defer(launch: DeferredLaunch): void {
    this.launchDeferred();
    this.#deferred = launch;
  }

  /** Launches what was deferred. If that fails, it is abandoned. */
  launchDeferred(): void {
    const launch = this.#deferred;
    if (launch === null) return;
    this.#deferred = null;
    try {
      launch.launch();
    } catch (error) {
      launch.abandon();
      throw error;
    }
  }

  /** Forgets everything that was recorded and not launched: as if it had never been asked for. */
  abandon(): void {
    const launch = this.#deferred;
    this.#deferred = null;
    this.#retained = [];
    this.#forgetGradients();
    const { assigns, undo } = this.takePending();
    this.#void(assigns, undo); // what was recorded last goes first
    launch?.abandon();
  }

  /** Gives assignments up that {@link takePending} gave. */
  #void(assigns: readonly Node[], undo: readonly (() => void)[]): void {
    abandonAssigns(assigns);
    for (let i = undo.length - 1; i >= 0; i--) undo[i]();
  }

  #restore(assigns: readonly Node[], undo: readonly (() => void)[]): void {
    this.#pending = [...assigns, ...this.#pending];
    this.#undo = [...undo, ...this.#undo];
  }

  // --- steps

  /**
   * The end of a step: launches what was recorded. Sums that grow from step to step (`total = total.add(loss)`) are computed
   * here once they are some hundreds of operations deep.
   *
   * @returns What was launched, but for those sums.
   */
  endStep(roots: readonly Node[] = []): Launch | null {
    const deep: Node[] = [];
    if (this.#deep.length > 0) {
      this.#deep = this.#deep.filter(({ ref, step }) => {
        const node = ref.deref();
        if (node === undefined || node.storage !== null) return false;
        if (step === this.#steps) return true; // made in this step: let it live through one end first
        deep.push(node);
        return false;
      });
    }
    this.#steps++;
    this.launchDeferred();
    const open = roots.length > 0 || this.#pending.length > 0 || this.#retained.length > 0;
    const launch = open ? this.flush(roots) : null;
    for (const node of deep) {
      try {
        this.flush([node]);
      } catch (error) {
        if (!(error instanceof StaleTensorError)) throw error; // nobody asked for it; using it says so
      }
    }
    return launch;
  }

  /** Notes a node on top of many others. */
  noteDeep(node: Node): void {
    this.#deep.push({ ref: new WeakRef(node), step: this.#steps });
  }

  /**
   * Tells `tell` of the next launch that assigns to one of `storages`, once it is compiled, right before it happens; until
   * the result is disposed.
   */
  onLaunch(storages: readonly Storage[], tell: (pending: PendingLaunch) => void): Disposable {
    const listener = { storages, tell };
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Tells the listeners of a launch; `assigned` says whether it assigns to some memory. */
  tell(pending: PendingLaunch, assigned: (storage: Storage) => boolean): void {
    for (const listener of this.#listeners) {
      if (!listener.storages.some(assigned)) continue;
      this.#listeners.delete(listener);
      listener.tell(pending);
    }
  }

  // --- reading

  /** The values of `nodes`, computed first where they are not yet; one round trip. */
  async read(nodes: readonly Node[]): Promise<HostArray[]> {
    const home = await this.ready();
    const open = nodes.filter((n) => n.size > 0);
    this.flush(open);
    const { device, list } = rangesOf(open, home);
    return spread(nodes, unpack(open, open.length > 0 ? await device.read(list) : []));
  }

  /** The same without giving up the thread; null where the device cannot, or is not open. */
  readSync(nodes: readonly Node[]): HostArray[] | null {
    if (this.device === null) return null;
    const open = nodes.filter((n) => n.size > 0);
    this.flush(open);
    const { device, list } = rangesOf(open, this.device);
    if (device.readSync === undefined) return null;
    return spread(nodes, unpack(open, device.readSync(list)));
  }
}

/** Says of a value that the program failed which was to compute it: whoever uses it is told why. */
function lose(node: Node, reason: unknown): void {
  const storage = resultStorage(node.bytes);
  storage.fail(reason);
  node.materialize(storage, 0, 0);
}

/** The default session. */
export const session: Session = new Session();

growth.notify = (node) => session.noteDeep(node);
