/**
 * Optimizers: groups of parameters with their hyper-parameters and statistics. A step is one kernel a group, whatever the
 * number of tensors.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { assignAll, type Assignment, reader } from "../graph/assign.ts";
import { gt, where } from "../graph/elementwise.ts";
import { constant, leaf } from "../graph/leaves.ts";
import type { Node } from "../graph/node.ts";
import { boundary } from "../graph/runtime.ts";
import { Storage } from "../graph/storage.ts";
import { expand, reshape } from "../graph/views.ts";
import { Parameter, rereadAll, snapshots, Tensor } from "../tensor/mod.ts";
import { layOut, type Part } from "./arena.ts";
import type { ParamsLike } from "./factory.ts";
import { type HyperValue, nearestName, spread } from "./hyper.ts";
import { type Hypers, type NumberKind, type Stepper, Update } from "./stepper.ts";

/** What an optimizer keeps of one parameter. */
export interface ParamState {
  /** Average gradient. */
  gradAvg?: Tensor;
  /** Average squared gradient. */
  sqrAvg?: Tensor;
  /** Lookahead's slow weights. */
  slowWeights?: Tensor;
  /** Larc's own learning rate, one number. */
  localLr?: Tensor;
  /** Steps in which the parameter had a gradient. */
  step?: number;
  /** False keeps the parameter from decaying. */
  doWd?: boolean;
  /** True keeps it training in a frozen group. */
  forceTrain?: boolean;
}

/** Everything that an optimizer would lose. */
export interface OptimizerState {
  /** One entry a parameter, in the order of the groups. */
  state: ParamState[];
  /** One entry a group. */
  hypers: Hypers[];
  /** Steps taken; counted by Lookahead. */
  count?: number;
}

/** What the host keeps of a parameter. */
interface Slot {
  readonly parameter: Parameter;
  readonly part: PartState;
  /** Number of its segment. */
  readonly segment: number;
  step: number;
  /** Whether there are statistics. */
  started: boolean;
  doWd: boolean | undefined;
  forceTrain: boolean | undefined;
}

/** A piece of device memory and the assignment that last wrote to it. */
interface Arena {
  readonly storage: Storage;
  last: readonly Node[];
}

interface PartState extends Part {
  readonly slots: (Slot | null)[];
  readonly grads: Arena;
  readonly stats: Map<string, Arena>;
}

interface Group {
  readonly slots: readonly Slot[];
  readonly parts: readonly PartState[];
}

const PER_PARAMETER = ["gradAvg", "sqrAvg", "localLr", "slowWeights"] as const;

/** Updates groups of parameters by steppers; see `SGD`, `Adam` and the others for ready ones. */
export class Optimizer {
  /** Values of the hyper-parameters, one entry a group. */
  readonly hypers: Hypers[];
  /** Whether `step()` leaves the boundary to the training loop; false in loops by hand. */
  deferBoundary = false;
  readonly #groups: readonly Group[];
  /** What a step consists of. */
  readonly steppers: readonly Stepper[];
  /** Hyper-parameters that it was made with. */
  readonly values: Readonly<Record<string, HyperValue>>;
  readonly #kinds = new Map<string, "vector" | "number">();
  readonly #counts: boolean;

  /**
   * @param params Parameters in groups, earliest layers first; a flat list is one group.
   * @param steppers What a step consists of, in order.
   * @param values Hyper-parameters, over the steppers' defaults.
   */
  constructor(params: ParamsLike, steppers: readonly Stepper[], values: Readonly<Record<string, HyperValue>> = {}) {
    const groups = checkGroups(params);
    this.steppers = steppers;
    this.values = values;
    this.#counts = steppers.some((s) => s.counts);
    for (const s of steppers) for (const [name, kind] of Object.entries(s.stats ?? {})) this.#kinds.set(name, kind);
    const defaults: Record<string, HyperValue> = Object.assign(
      { lr: 1e-3 },
      ...steppers.map((s) => s.defaults ?? {}),
      values,
    );
    this.hypers = groups.map(() => ({}));
    for (const [name, value] of Object.entries(defaults)) {
      spread(name, value, groups.length).forEach((v, i) => this.hypers[i][name] = v);
    }
    this.#groups = groups.map((g) => this.#layOut(g));
  }

  #layOut(group: readonly Parameter[]): Group {
    const places = new Map<Parameter, Slot>();
    const parts = layOut(group).map((part): PartState => {
      const state: PartState = {
        ...part,
        slots: [],
        grads: { storage: new Storage(part.n * 4), last: [] },
        stats: new Map(),
      };
      part.members.forEach((parameter, segment) => {
        const slot: Slot | null = parameter === null
          ? null
          : { parameter, part: state, segment, step: 0, started: false, doWd: undefined, forceTrain: undefined };
        state.slots.push(slot);
        if (slot !== null) places.set(slot.parameter, slot);
      });
      return state;
    });
    return { parts, slots: group.filter((p) => places.has(p)).map((p) => places.get(p)!) };
  }

  // --- parameters and hyper-parameters

  /** The parameters, in groups. */
  get groups(): readonly (readonly Parameter[])[] {
    return this.#groups.map((g) => g.slots.map((s) => s.parameter));
  }

  /** Names of the hyper-parameters. */
  get hyperNames(): readonly string[] {
    return Object.keys(this.hypers[0]);
  }

  /** Sets a hyper-parameter: one number for all groups, one a group, or a `slice`. */
  setHyper(name: string, value: HyperValue): void {
    if (!(name in this.hypers[0])) {
      const known = this.hyperNames;
      throw new ConfigError(
        `Cannot set ${name}: this optimizer has ${known.join(", ")}; did you mean ${nearestName(name, known)}?`,
      );
    }
    spread(name, value, this.hypers.length).forEach((v, i) => this.hypers[i][name] = v);
  }

  /** Sets whether a parameter decays, or trains on in a frozen group. */
  setFlag(parameter: Parameter, flag: "doWd" | "forceTrain", value: boolean): void {
    for (const { slots } of this.#groups) for (const s of slots) if (s.parameter === parameter) s[flag] = value;
  }

  /** Trains groups `n` and later only (negative: from the end), and parameters flagged `forceTrain`. */
  freezeTo(n: number): void {
    if (!Number.isInteger(n)) throw new ConfigError(`Cannot freeze up to group ${n}: it must be a whole number`);
    const first = n < 0 ? Math.max(0, this.#groups.length + n) : n;
    this.#groups.forEach(({ slots }, i) => {
      for (const s of slots) s.parameter.requiresGrad = i >= first || s.forceTrain === true;
    });
  }

  /** Trains the last group only. */
  freeze(): void {
    if (this.#groups.length < 2) {
      throw new ConfigError("Cannot freeze: there is one parameter group; split the model first");
    }
    this.freezeTo(-1);
  }

  /** Trains all groups. */
  unfreeze(): void {
    this.freezeTo(0);
  }

  // --- stepping

  /** Forgets all gradients. */
  zeroGrad(): void {
    for (const { slots } of this.#groups) for (let i = 0; i < slots.length; i++) slots[i].parameter.grad = null;
  }

  /**
   * Records one update of every parameter that requires a gradient and has one; the others are left alone. In a loop by
   * hand this is the boundary: one program is handed to the device, and nothing is waited for.
   */
  step(): void {
    for (let i = 0; i < this.#groups.length; i++) {
      const { parts } = this.#groups[i];
      for (let j = 0; j < parts.length; j++) this.#stepPart(parts[j], this.hypers[i]);
    }
    if (!this.deferBoundary) boundary();
  }

  #stepPart(part: PartState, hypers: Hypers): void {
    const { slots } = part;
    const active: Slot[] = [];
    for (let i = 0; i < slots.length; i++) {
      const s = slots[i];
      if (s !== null && s.parameter.grad !== null && s.parameter.requiresGrad) active.push(s);
    }
    if (active.length === 0 && !this.always) return;
    for (const s of active) {
      s.started = true;
      if (this.#counts) s.step++;
    }
    this.#bringGrads(part, active);
    const first = active[0];
    const differ: Record<NumberKind, boolean> = {
      group: false,
      step: active.some((s) => s.step !== first.step),
      doWd: active.some((s) => (s.doWd ?? true) !== (first.doWd ?? true)),
    };
    const given = first ?? part.slots.find((s) => s !== null)!;
    const info = (s: Slot) => ({ step: s.step, doWd: s.doWd ?? true });
    const infos = differ.step || differ.doWd
      ? slots.map((s) => s === null || s.step === 0 && this.#counts ? info(given) : info(s))
      : [info(given)];
    const p = leaf(part.storage, [part.n], "f32", { offset: part.start, after: pendingOf(part) });
    const g = leaf(part.grads.storage, [part.n], "f32", { after: part.grads.last });
    const stats = new Map<string, Node>();
    for (const name of this.statNames) stats.set(name, this.#statLeaf(part, name));
    const before = new Map(stats);
    const update = new Update({ p, g, part, hypers, infos, differ, stats });
    if (active.length > 0) { for (const s of this.steppers) s.apply(update); }
    // parameters without a gradient keep every bit of themselves and of their statistics
    if (active.length < slots.length) this.#keepInactive(update, active, part, p, before);
    this.afterUpdate(update, part);
    const group: Assignment[] = [{ storage: part.storage, value: update.p, offset: part.start }];
    const changed = [...update.changed];
    for (const name of changed) group.push({ storage: part.stats.get(name)!.storage, value: update.stat(name) });
    const done = assignAll(group);
    changed.forEach((name, i) => part.stats.get(name)!.last = [done[i + 1]]);
    rereadAll(part.storage, [done[0]]);
  }

  /** Whether a step changes parameters without gradients too. */
  protected get always(): boolean {
    return false;
  }

  /** Names of the statistics, in order. */
  protected get statNames(): readonly string[] {
    return [...this.#kinds.keys()];
  }

  /** What follows the steppers; for optimizers that wrap others. */
  protected afterUpdate(_update: Update, _part: Part): void {}

  #keepInactive(u: Update, active: readonly Slot[], part: PartState, p: Node, before: ReadonlyMap<string, Node>): void {
    const on = new Set(active.map((s) => s.segment));
    const flag = u.perSegmentFlag(part.slots.map((_, i) => on.has(i)));
    const isOn = gt(u.perElement(flag), constant(0));
    u.p = where(isOn, u.p, p);
    for (const name of u.changed) {
      const one = this.#kinds.get(name) === "number";
      u.setStat(name, where(one ? gt(flag, constant(0)) : isOn, u.stat(name), before.get(name)!));
    }
  }

  #statLeaf(part: PartState, name: string): Node {
    const n = this.#kinds.get(name) === "number" ? part.slots.length : part.n;
    let arena = part.stats.get(name);
    if (arena === undefined) part.stats.set(name, arena = { storage: new Storage(n * 4), last: [] });
    return leaf(arena.storage, [n], "f32", { after: arena.last });
  }

  /** Records that gradients go to their places in the gradient arena; those that lie there already stay. */
  #bringGrads(part: PartState, slots: readonly Slot[]): void {
    const group: Assignment[] = [];
    const { storage } = part.grads;
    for (let i = 0; i < slots.length; i++) {
      const { parameter, segment } = slots[i];
      const { node } = parameter.grad!;
      const offset = part.starts[segment];
      if (node.storage === storage && node.offset === offset && node.version === storage.version) continue;
      group.push({ storage, value: node, offset });
    }
    if (group.length > 0) part.grads.last = assignAll(group);
  }

  /**
   * Puts gradients that were not used by a step into the gradient arena, so that they can be added to without growing.
   *
   * @internal
   */
  holdGrads(): void {
    for (const { parts } of this.#groups) {
      for (const part of parts) {
        const held = part.slots.filter((s): s is Slot => s !== null && s.parameter.grad !== null);
        if (held.length === 0) continue;
        this.#bringGrads(part, held);
        for (const { parameter, segment } of held) {
          const grad = parameter.grad!;
          parameter.grad = new Tensor(reader(part.grads.storage, grad.node, part.starts[segment], part.grads.last));
        }
      }
    }
  }

  // --- state

  /** Forgets statistics and step counts; flags stay. */
  clearState(): void {
    const group: Assignment[] = [];
    for (const { parts, slots } of this.#groups) {
      for (const s of slots) {
        s.started = false;
        s.step = 0;
      }
      for (const part of parts) {
        for (const arena of part.stats.values()) {
          group.push({ storage: arena.storage, value: expand(constant(0), [arena.storage.bytes / 4]) });
        }
      }
    }
    this.#assignStats(group);
  }

  /** Copies of everything that is kept, which later steps leave alone. */
  stateDict(): OptimizerState {
    const wanted: Tensor[] = [];
    const entries: { entry: ParamState; name: typeof PER_PARAMETER[number] }[] = [];
    const state = this.#groups.flatMap(({ slots }) =>
      slots.map((s) => {
        const entry: ParamState = {};
        if (s.started) {
          for (const name of PER_PARAMETER) {
            const arena = s.part.stats.get(name);
            if (arena === undefined) continue;
            wanted.push(new Tensor(this.#statView(s, name, arena)));
            entries.push({ entry, name });
          }
          if (this.#counts) entry.step = s.step;
        }
        if (s.doWd !== undefined) entry.doWd = s.doWd;
        if (s.forceTrain !== undefined) entry.forceTrain = s.forceTrain;
        return entry;
      })
    );
    snapshots(wanted).forEach((copy, i) => entries[i].entry[entries[i].name] = copy);
    return { state, hypers: this.hypers.map((h) => ({ ...h })) };
  }

  #statView(slot: Slot, name: string, arena: Arena): Node {
    const { parameter, part, segment } = slot;
    const one = this.#kinds.get(name) === "number";
    const offset = one ? segment : part.starts[segment];
    return leaf(arena.storage, one ? [] : parameter.shape, "f32", { offset, after: arena.last });
  }

  /** Goes back to what {@link stateDict} gave; parameters are matched by position. */
  loadStateDict({ state, hypers }: OptimizerState): void {
    const slots = this.#groups.flatMap((g) => g.slots);
    if (state.length !== slots.length || hypers.length !== this.hypers.length) {
      throw new ConfigError(
        `Cannot load an optimizer state of ${state.length} parameters in ${hypers.length} groups: ` +
          `this optimizer has ${slots.length} in ${this.hypers.length}`,
      );
    }
    slots.forEach(({ parameter }, i) => {
      for (const name of PER_PARAMETER) {
        const value = state[i][name];
        if (value !== undefined && name !== "localLr" && value.size !== parameter.size) {
          throw new ConfigError(
            `Cannot load ${name} of parameter ${i}: it has shape [${value.shape}], the parameter has [${parameter.shape}]`,
          );
        }
      }
    });
    hypers.forEach((h, i) => {
      for (const name of Object.keys(this.hypers[i])) delete this.hypers[i][name];
      Object.assign(this.hypers[i], h);
    });
    const group: Assignment[] = [];
    slots.forEach((slot, i) => {
      const entry = state[i];
      slot.step = entry.step ?? 0;
      slot.started = PER_PARAMETER.some((name) => entry[name] !== undefined) || entry.step !== undefined;
      slot.doWd = entry.doWd;
      slot.forceTrain = entry.forceTrain;
      for (const name of this.statNames) {
        const value = entry[name as typeof PER_PARAMETER[number]];
        if (value === undefined && !slot.part.stats.has(name)) continue;
        this.#statLeaf(slot.part, name);
        const one = this.#kinds.get(name) === "number";
        const n = one ? 1 : slot.parameter.size;
        group.push({
          storage: slot.part.stats.get(name)!.storage,
          value: value === undefined ? expand(constant(0), [n]) : reshape(value.node, [n]),
          offset: one ? slot.segment : slot.part.starts[slot.segment],
        });
      }
    });
    this.#assignStats(group);
  }

  #assignStats(group: readonly Assignment[]): void {
    if (group.length === 0) return;
    const done = assignAll(group);
    for (const { parts } of this.#groups) {
      for (const part of parts) {
        for (const arena of part.stats.values()) {
          const mine = done.filter((d) => d.storage === arena.storage);
          if (mine.length > 0) arena.last = mine;
        }
      }
    }
    if (!this.deferBoundary) boundary();
  }
}

/** Pending assignments to the parameters' memory. */
function pendingOf(part: PartState): readonly Node[] {
  const some = part.slots.find((s) => s !== null)!;
  return some.parameter.node.inputs;
}

function checkGroups(params: ParamsLike): readonly (readonly Parameter[])[] {
  if (params.length === 0) throw new ConfigError("Cannot make an optimizer: there are no parameters");
  const nested = Array.isArray(params[0]);
  const groups = (nested ? params : [params]) as readonly (readonly Parameter[])[];
  const seen = new Set<Parameter>();
  for (const group of groups) {
    if (!Array.isArray(group)) {
      throw new ConfigError("Cannot make an optimizer: either all parameters are in groups, or none");
    }
    for (const p of group) {
      if (!(p instanceof Parameter)) throw new ConfigError(`Cannot optimize ${typeof p}: it is no Parameter`);
      if (seen.has(p)) {
        throw new ConfigError(`Cannot make an optimizer: a parameter of shape [${p.shape}] is there twice`);
      }
      seen.add(p);
    }
  }
  if (seen.size === 0) throw new ConfigError("Cannot make an optimizer: its groups are empty");
  return groups;
}
