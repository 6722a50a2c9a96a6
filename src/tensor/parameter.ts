/**
 * Tensors whose memory changes: parameters, which are trained, and buffers, which layers keep for themselves.
 *
 * @module
 */
import { bytesPerElement, hostArray, type StoredArray } from "../base/dtype.ts";
import { DtypeError, ShapeError } from "../base/errors.ts";
import { fmtShape, sameShape } from "../base/shape.ts";
import { type Assignment, reader } from "../graph/assign.ts";
import { cast } from "../graph/elementwise.ts";
import { CONST, fromHost, leaf, SCALAR } from "../graph/leaves.ts";
import type { Node } from "../graph/node.ts";
import { session } from "../graph/session.ts";
import { Storage } from "../graph/storage.ts";
import { detach, EXPAND } from "../graph/views.ts";
import { Tensor } from "./tensor.ts";

/** Who lives in a shared piece of memory: all must read again after an assignment to any part of it. */
const tenants = new WeakMap<Storage, Variable[]>();

/** A tensor with memory of its own that assignments change; the same object always stands for the newest value. */
export abstract class Variable extends Tensor {
  #storage: Storage;
  #offset = 0;

  /**
   * Copies a first value.
   *
   * @param value What it starts from.
   */
  constructor(value: Tensor) {
    const { node } = value;
    const { shape, dtype } = node;
    const width = bytesPerElement(dtype);
    const host = hostValues(node);
    const storage = new Storage(node.size * width, host);
    if (host === null && dtype === "u8") {
      throw new DtypeError("Cannot keep a computed u8 tensor: u8 is for storage only");
    }
    super(leaf(storage, shape, dtype));
    this.#storage = storage;
    tenants.set(storage, [this]);
    if (host === null) assignVariables([[this, value]]);
    else this.reread([]);
  }

  /**
   * The memory it lies in, maybe together with others.
   *
   * @internal
   */
  get storage(): Storage {
    return this.#storage;
  }

  /**
   * Where it starts in its memory, in elements.
   *
   * @internal
   */
  get offset(): number {
    return this.#offset;
  }

  /** The graph's owner of the leaf: itself where gradients are wanted. */
  protected get owner(): object | null {
    return null;
  }

  /**
   * Reads the memory anew, after the assignments `after`.
   *
   * @internal
   */
  reread(after: readonly Node[]): void {
    const node = reader(this.#storage, this.node, this.#offset, after);
    node.owner = this.owner;
    node.tracked = node.owner !== null;
    node.released = false;
    this.become(node);
  }

  /** Records that `value` (same shape, cast to its type) is stored here by the next launch, at the end of a step at the latest. */
  assign(value: Tensor): void {
    assignVariables([[this, value]]);
  }

  /**
   * Takes its place in other memory; the numbers are moved by {@link moveVariables}.
   *
   * @internal
   */
  relocate(storage: Storage, offset: number): void {
    this.#storage = storage;
    this.#offset = offset;
  }

  /** A copy of the value as it is now, which later assignments leave alone. */
  snapshot(): Tensor {
    return snapshots([this])[0];
  }

  /** Gives the memory back if it has it for itself. */
  override dispose(): void {
    super.dispose();
    const list = (tenants.get(this.#storage) ?? []).filter((v) => v !== this);
    tenants.set(this.#storage, list);
    if (list.length === 0) this.#storage.dispose();
  }
}

/** A tensor that is trained: `backward` fills its gradient, optimizers update it. f32. */
export class Parameter extends Variable {
  #weakly: WeakRef<Parameter> | null = null;
  #multiple: { readonly grad: Tensor; readonly of: Tensor; readonly factor: Tensor } | null = null;
  /** What `backward` found, added up since it was last null. */
  grad: Tensor | null = null;
  /** Whether `backward` fills {@link Parameter.grad}. */
  requiresGrad: boolean = true;
  /**
   * Whether it is no part of what is trained at all: learners give it to no optimizer, and no unfreezing makes it train.
   * Such is what small changes are trained on top of.
   */
  fixed: boolean = false;

  /**
   * Copies a first value.
   *
   * @param value What it starts from, f32; anything else is a `DtypeError`.
   */
  constructor(value: Tensor) {
    if (value.dtype !== "f32") {
      throw new DtypeError(`Cannot train a ${value.dtype} tensor: parameters are f32, use cast("f32")`);
    }
    super(value);
  }

  /**
   * What the next step has to compute for the gradient, if there is one: its node, or the factor that makes it of memory.
   *
   * @internal
   */
  get pendingGrad(): Node | null {
    const { grad } = this, multiple = this.#multiple;
    if (grad === null || grad.disposed) return null;
    if (grad !== multiple?.grad) return grad.node.storage === null ? grad.node : null;
    const { node } = multiple.factor;
    return node.storage === null && node.op.kind !== "leaf" ? node : null;
  }

  /**
   * Makes the gradient `factor` times what lies in memory of it, computed where somebody reads it: memory for all products of a
   * step would wait for the garbage collector. Another factor takes the place of the one before.
   *
   * @internal
   */
  multiplyGrad(factor: Tensor): Tensor {
    const before = this.#multiple, of = before !== null && this.grad === before.grad ? before.of : this.grad!;
    const grad = this.grad = of.mul(factor);
    this.#multiple = { grad, of, factor };
    return grad;
  }

  /**
   * Sets what `backward` found. It is computed with the next step, as that may change weights which it depends on.
   *
   * @internal
   */
  receive(grad: Tensor): void {
    this.grad = grad;
    session.retainGradient(this);
  }

  /**
   * A reference that keeps nothing alive.
   *
   * @internal
   */
  get weakly(): WeakRef<Parameter> {
    return this.#weakly ??= new WeakRef(this);
  }

  /** Itself: `backward` finds it by its leaf. */
  protected override get owner(): object | null {
    return this;
  }
}

/** A tensor that a layer keeps and updates by itself, such as running statistics; it has no gradient. */
export class Buffer extends Variable {}

/** Records assignments that happen together: each value is computed from what was before. */
export function assignVariables(group: readonly (readonly [Variable, Tensor])[]): void {
  const list: Assignment[] = group.map(([variable, value]) => {
    const { node } = value;
    if (!sameShape(node.shape, variable.shape)) {
      throw new ShapeError(
        `Cannot assign ${fmtShape(node.shape)} to ${fmtShape(variable.shape)}: the shapes must be equal`,
      );
    }
    return { storage: variable.storage, value: cast(node, variable.dtype), offset: variable.offset };
  });
  const after = session.record(list);
  const seen = new Set<Storage>();
  for (const { storage } of list) {
    if (seen.has(storage)) continue;
    seen.add(storage);
    rereadAll(storage, after.filter((a) => a.storage === storage));
  }
}

/**
 * After assignments to `storage`: everything that lives there reads it anew.
 *
 * @internal
 */
export function rereadAll(storage: Storage, after: readonly Node[]): void {
  const list = tenants.get(storage);
  if (list === undefined) return;
  for (let i = 0; i < list.length; i++) list[i].reread(after);
}

/**
 * Moves variables into `storage`, each to the element given, once and for good. Numbers that are still on the host are
 * copied there if `storage` is too, others by assignments of one group.
 *
 * @internal
 */
export function moveVariables(storage: Storage, moves: readonly (readonly [Variable, number])[]): void {
  const group: Assignment[] = [];
  const here = tenants.get(storage) ?? [];
  for (const [variable, offset] of moves) {
    const old = variable.storage;
    if (old === storage) continue;
    if (old.host !== null && storage.host !== null && old.version === 0) {
      storage.host.set(old.host.subarray(variable.offset, variable.offset + variable.size), offset);
    } else group.push({ storage, value: variable.node, offset });
    tenants.set(old, (tenants.get(old) ?? []).filter((v) => v !== variable));
    variable.relocate(storage, offset);
    here.push(variable);
  }
  tenants.set(storage, here);
  rereadAll(storage, group.length > 0 ? session.record(group) : []);
}

/** Copies of values as they are now, which later assignments leave alone; one program for all. */
export function snapshots(variables: readonly Tensor[]): Tensor[] {
  const open: Node[] = [];
  const copies = variables.map((v) => {
    const { node } = v;
    const host = node.storage !== null ? hostValues(node) : null;
    if (host !== null) return new Tensor(fromHost(host, node.shape, node.dtype));
    const copy = detach(node);
    open.push(copy);
    return new Tensor(copy);
  });
  if (open.length > 0) session.flush(open);
  return copies;
}

/** A copy of the numbers of a node if they are on the host, null if a device has to compute them. */
function hostValues(node: Node): StoredArray | null {
  const { storage } = node;
  if (storage !== null) {
    if (storage.host === null || node.inputs.length > 0 || node.version < storage.version) return null;
    return storage.host.slice(node.offset, node.offset + node.size);
  }
  const source = node.op === EXPAND ? node.inputs[0] : node;
  if ((source.op !== CONST && source.op !== SCALAR) || node.dtype === "f16") return null;
  return hostArray(node.dtype, node.size).fill(source.value);
}
