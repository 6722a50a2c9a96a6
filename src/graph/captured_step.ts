/**
 * Capture and replay of training steps. A step is built once: its forward pass by the model, gradients and update by vjp
 * rules and steppers, whatever others record on top of its results as an **epilogue**. Of a later step only the forward
 * pass is traced; where the trace is that of a captured step, the captured program is launched again on the new step's
 * memory and numbers, and gradients and update are not built at all.
 *
 * @module
 */
import { DisposedError } from "../base/errors.ts";
import { abandonAssigns } from "./assign.ts";
import { collect, type Collected } from "./collect.ts";
import { LEAF } from "./leaves.ts";
import type { Node } from "./node.ts";
import { type DeviceRuntime, type Entry, sameKey } from "./programs.ts";
import type { Launch, Session } from "./session.ts";
import { Epilogue, type EpilogueValues } from "./epilogue.ts";
import { resultStorage, Storage } from "./storage.ts";

/** What a step's results are computed from: a walk over what was recorded so far. */
export type ForwardTrace = Collected;

/**
 * The forward trace of a step with these results.
 *
 * @returns Null where its program would compute more than them, or they are there already.
 */
export function traceOf(session: Session, results: readonly Node[]): ForwardTrace | null {
  if (session.hasOtherRoots || results.some((r) => r.storage !== null)) return null;
  return collect(results, [...session.pending]);
}

/** What of a trace tells others like it: its structure, and which parameters its leaves read. */
interface Signature {
  readonly key: Int32Array;
  readonly hash: number;
  /** Places in `order` of values that lie in memory, and which parameters they are. */
  readonly leaves: readonly number[];
  readonly owners: readonly (object | null)[];
}

/** Null where the gradients of a step depend on more than the structure of its trace. */
function signatureOf({ order, key, hash }: ForwardTrace): Signature | null {
  const leaves: number[] = [], owners: (object | null)[] = [];
  for (let i = 0; i < order.length; i++) {
    const node = order[i];
    if (node.storage === null || node.op.kind === "assign") continue;
    // a value that was read before its gradients were taken has a history that the structure does not show
    if (node.op !== LEAF && node.tracked) return null;
    leaves.push(i);
    owners.push(node.owner);
  }
  return { key: key.slice(), hash, leaves, owners };
}

/** A step that is captured while it is built. */
export class StepCapture {
  readonly #session: Session;
  readonly #trace: ForwardTrace;
  readonly #signature: Signature;
  #updates: readonly Node[] = [];

  private constructor(session: Session, trace: ForwardTrace, signature: Signature) {
    this.#session = session;
    this.#trace = trace;
    this.#signature = signature;
  }

  /** Begins with a step's forward trace; null where the step cannot be captured. */
  static begin(session: Session, trace: ForwardTrace): StepCapture | null {
    const signature = signatureOf(trace);
    return signature === null ? null : new StepCapture(session, trace, signature);
  }

  /** The parameters that the forward pass reads; null for memory that is no parameter's. */
  get owners(): readonly (object | null)[] {
    return this.#signature.owners;
  }

  /** Says that gradients and update are recorded: what comes now is the epilogue. */
  built(): void {
    const { assigns } = this.#trace;
    this.#updates = this.#session.pending.filter((a) => !assigns.includes(a));
  }

  /** Ends the step: launches it, with the epilogue. Null where what was launched is no step to be replayed. */
  end(results: readonly Node[]): CapturedStep | null {
    const epilogue = this.#epilogue();
    const launch = this.#session.endStep(results);
    if (epilogue === null || launch === null) return null;
    const parts = { trace: this.#trace, signature: this.#signature, epilogue, launch, updates: this.#updates };
    return CapturedStep.of(this.#session, parts);
  }

  /** Null where somebody has read a result before, and so has launched a part of the step. */
  #epilogue(): Epilogue | null {
    const { roots, assigns } = this.#trace;
    if (roots.some((r) => r.storage !== null)) return null;
    return Epilogue.capture(
      this.#session.pending.filter((a) => !assigns.includes(a) && !this.#updates.includes(a)),
      roots,
    );
  }
}

/** Memory that gradients and update of a step assign to. */
interface Target {
  readonly storage: Storage;
  /** How often in a step. */
  readonly times: number;
  /** Its place among the forward trace's storages; -1 where that does not know it. */
  readonly at: number;
}

/** Memory, scalars or arrays that a program works on: some are the forward trace's, some the epilogue's, others stay. */
class Inputs<T> {
  readonly list: T[];
  /** For each of `list` its place in the trace's list, else -1. */
  readonly #trace: readonly number[];
  /** For each of the epilogue's list its place in `list`; -1 for what is a result of the program. */
  readonly epilogue: readonly number[];

  constructor(list: readonly T[], trace: readonly T[], epilogue: readonly T[]) {
    this.list = [...list];
    this.#trace = placesOf(list, trace);
    this.epilogue = placesOf(epilogue, list);
  }

  /** Those that stay. */
  get own(): T[] {
    return this.list.filter((_, i) => this.#trace[i] < 0 && !this.epilogue.includes(i));
  }

  takeTrace(inputs: readonly T[]): void {
    const from = this.#trace;
    for (let i = 0; i < from.length; i++) if (from[i] >= 0) this.list[i] = inputs[from[i]];
  }

  takeEpilogue(inputs: readonly T[]): void {
    const to = this.epilogue;
    for (let i = 0; i < to.length; i++) if (to[i] >= 0) this.list[to[i]] = inputs[i];
  }
}

/** What {@link CapturedStep} is made of. */
interface Parts {
  readonly trace: ForwardTrace;
  readonly signature: Signature;
  readonly epilogue: Epilogue;
  readonly launch: Launch;
  readonly updates: readonly Node[];
}

/** A replay that waits for the end of its step. */
interface Replay {
  readonly trace: ForwardTrace;
  readonly results: readonly Storage[];
  /** The version of each target's memory after it. */
  readonly versions: readonly number[];
  /** The host's part of what is pending and of the update, to be taken back. */
  undo: readonly (() => void)[];
  /** What it carries out of what was pending: the trace's assignments, and the epilogue's once it is known. */
  assigns: readonly Node[];
  epilogue: EpilogueValues | null;
}

/** The program of a step, to be launched for later steps with the same forward trace. */
export class CapturedStep {
  readonly #session: Session;
  readonly #signature: Signature;
  readonly #epilogue: Epilogue;
  readonly #entry: Entry;
  readonly #runtime: DeviceRuntime;
  readonly #storages: Inputs<Storage>;
  readonly #scalars: Inputs<Node>;
  readonly #arrays: Inputs<Node>;
  /** Memory that stays the same from step to step. */
  readonly #own: readonly Storage[];
  /** Takes what the program stores for an epilogue where a step has none. */
  readonly #scratch = new Map<number, Storage>();
  /** For each result of the program its place among the trace's. */
  readonly #rootsFrom: readonly number[];
  readonly #targets: readonly Target[];
  #replay: Replay | null = null;
  readonly #deferred = { launch: () => this.#launch(), abandon: () => this.#abandon() };

  /**
   * Captures what was launched.
   *
   * @returns Null where the program computed or assigned anything else, or the epilogue used what the step works on.
   */
  static of(session: Session, parts: Parts): CapturedStep | null {
    const { trace, epilogue: { values: epilogue }, launch: { collected: all }, updates } = parts;
    const rootsFrom = placesOf(all.roots, trace.roots);
    if (rootsFrom.includes(-1) || rootsFrom.length !== trace.roots.length) return null;
    const assigns = [...trace.assigns, ...updates, ...epilogue.assigns];
    // a part may have been launched with another program before
    if (assigns.length !== all.assigns.length || !assigns.every((a) => all.assigns.includes(a))) return null;
    const versions = new Map<Storage, Set<number>>();
    for (const { storage, version } of updates) {
      versions.set(storage!, (versions.get(storage!) ?? new Set()).add(version));
    }
    const shares = <T>(a: readonly T[], b: readonly T[]) => a.some((x) => b.includes(x));
    if (
      shares(epilogue.storages, trace.storages) || shares(epilogue.storages, [...versions.keys()]) ||
      shares(epilogue.scalars, trace.scalars) || shares(epilogue.arrays, trace.arrays)
    ) return null;
    return new CapturedStep(session, parts, rootsFrom, versions);
  }

  private constructor(
    session: Session,
    { trace, signature, epilogue, launch: { collected: all, entry, runtime } }: Parts,
    rootsFrom: readonly number[],
    versions: ReadonlyMap<Storage, ReadonlySet<number>>,
  ) {
    const last = epilogue.values;
    this.#session = session;
    this.#signature = signature;
    this.#epilogue = epilogue;
    this.#entry = entry;
    this.#runtime = runtime;
    this.#storages = new Inputs(all.storages, trace.storages, last.storages);
    this.#scalars = new Inputs(all.scalars, trace.scalars, last.scalars);
    this.#arrays = new Inputs(all.arrays, trace.arrays, last.arrays);
    this.#own = this.#storages.own;
    this.#rootsFrom = rootsFrom;
    this.#targets = [...versions].map(([storage, { size }]) => ({
      storage,
      times: size,
      at: trace.storages.indexOf(storage),
    }));
  }

  /** Whether a step with this forward trace goes on like the captured one, as far as its structure and memory say. */
  matches(trace: ForwardTrace): boolean {
    const { key, hash, leaves, owners } = this.#signature;
    if (trace.hash !== hash || !sameKey(key, trace.key)) return false;
    for (let i = 0; i < leaves.length; i++) {
      const node = trace.order[leaves[i]];
      if (node.owner !== owners[i] || node.op !== LEAF && node.tracked) return false;
    }
    const { storages } = trace;
    for (const { storage, at } of this.#targets) if (at >= 0 && storages[at] !== storage) return false;
    for (const own of this.#own) {
      if (own.disposed || own.version !== own.done || storages.includes(own)) return false;
    }
    return !this.#entry.gone && this.#session.runtimeOf(storages) === this.#runtime;
  }

  /**
   * Replays the step whose forward trace {@link matches}: its results and the memory that it assigns to may be used from now
   * on. The launch is deferred until {@link finish}, so that the epilogue goes with it; whoever reads before has it at once.
   *
   * @param undo Takes back what the host has counted for the step, where it is abandoned.
   */
  replay(trace: ForwardTrace, undo: () => void): void {
    const session = this.#session;
    const taken = session.takePending(); // the trace's own assignments: they are part of the program
    const results = trace.roots.map((n) => resultStorage(n.bytes));
    this.#storages.takeTrace(trace.storages);
    this.#scalars.takeTrace(trace.scalars);
    this.#arrays.takeTrace(trace.arrays);
    for (let i = 0; i < results.length; i++) trace.roots[i].storage = results[i]; // promised: how to compute it stays known
    const versions = this.#targets.map(({ storage, times }) => storage.version += times);
    this.#replay = { trace, results, versions, undo: [...taken.undo, undo], assigns: taken.assigns, epilogue: null };
    session.defer(this.#deferred);
  }

  /** The end of a replayed step: launches it, with what was recorded since if that is the captured epilogue. */
  finish(): void {
    const replay = this.#replay;
    if (replay === null) return;
    const epilogue = this.#epilogue.match(this.#session.pending, replay.trace.roots, replay.results);
    if (epilogue !== null && this.#takeEpilogue(epilogue, replay)) {
      const { assigns, undo } = this.#session.takePending();
      replay.epilogue = epilogue;
      replay.assigns = [...replay.assigns, ...assigns];
      replay.undo = [...replay.undo, ...undo];
    }
    this.#session.launchDeferred();
  }

  /** False where the epilogue uses memory that the step works on. */
  #takeEpilogue(epilogue: EpilogueValues, { results }: Replay): boolean {
    const { list, epilogue: to } = this.#storages;
    for (const storage of epilogue.storages) {
      if (!results.includes(storage) && list.some((s, i) => s === storage && !to.includes(i))) return false;
    }
    this.#storages.takeEpilogue(epilogue.storages);
    this.#scalars.takeEpilogue(epilogue.scalars);
    this.#arrays.takeEpilogue(epilogue.arrays);
    return true;
  }

  #launch(): void {
    const { results, epilogue } = this.#replay!;
    const { list: storages, epilogue: places } = this.#storages;
    if (epilogue === null) { for (const i of places) if (i >= 0) storages[i] = this.#scratchFor(i); }
    for (let i = 0; i < storages.length; i++) {
      if (storages[i].disposed) throw new DisposedError("Cannot use a tensor of this batch: it was disposed");
    }
    const values = { storages, scalars: this.#scalars.list, arrays: this.#arrays.list };
    const pending = { storages, entry: this.#entry, runtime: this.#runtime };
    this.#session.tell(pending, (s) => this.#targets.some(({ storage }) => storage === s));
    this.#runtime.run(this.#entry, values, this.#rootsFrom.map((i) => results[i]));
    this.#commit();
  }

  #commit(): void {
    const { trace, results, versions, epilogue } = this.#replay!;
    this.#replay = null;
    const { order } = trace;
    for (let i = 0; i < order.length; i++) order[i].release(); // as `backward` does
    this.#session.commit(trace, results);
    this.#targets.forEach(({ storage }, i) => storage.changed = storage.done = versions[i]);
    if (epilogue !== null) this.#session.commit({ ...epilogue, roots: [] }, []);
  }

  #abandon(): void {
    const replay = this.#replay;
    if (replay === null) return;
    this.#replay = null;
    const { trace, results, versions, assigns, undo } = replay;
    for (let i = 0; i < results.length; i++) {
      if (trace.roots[i].storage === results[i]) trace.roots[i].storage = null;
    }
    abandonAssigns(assigns);
    // nothing has changed the memory; assignments that were recorded later may be over already
    this.#targets.forEach(({ storage }, i) => storage.done = Math.max(storage.done, versions[i]));
    for (let i = undo.length - 1; i >= 0; i--) undo[i]();
  }

  #scratchFor(i: number): Storage {
    let scratch = this.#scratch.get(i);
    if (scratch === undefined) this.#scratch.set(i, scratch = new Storage(this.#storages.list[i].bytes));
    return scratch;
  }
}

function placesOf<T>(things: readonly T[], list: readonly T[]): number[] {
  const places = new Map(list.map((x, i) => [x, i]));
  return things.map((x) => places.get(x) ?? -1);
}
