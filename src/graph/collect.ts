/**
 * From nodes to a program key: one walk over the graph that numbers nodes, finds the memory and the changing values
 * they refer to, and writes the structure down as integers. Equal keys mean that the same program serves.
 *
 * @module
 */
import type { Dtype } from "../base/dtype.ts";
import { DisposedError, StaleTensorError } from "../base/errors.ts";
import { fmtShape } from "../base/shape.ts";
import { ARRAY, CONST, LEAF, SCALAR } from "./leaves.ts";
import { newWalk, type Node } from "./node.ts";
import type { Storage } from "./storage.ts";

/** A graph in order, inputs first, with everything that its program needs from outside. */
export interface Collected {
  /** All nodes; `local` of each is its index. */
  readonly order: readonly Node[];
  /** Nodes whose values somebody holds, not realized yet, each once. */
  readonly roots: readonly Node[];
  readonly assigns: readonly Node[];
  /** Memory that is read or assigned; the alias pattern of the slots. */
  readonly storages: readonly Storage[];
  readonly scalars: readonly Node[];
  readonly arrays: readonly Node[];
  readonly key: Int32Array;
  readonly hash: number;
}

const DTYPE_ID: Record<Dtype, number> = { f32: 1, i32: 2, u32: 3, bool: 4, u8: 5, f16: 6 };
const LEAF_MARK = -1, PENDING_MARK = -2, ROOTS_MARK = -3;

const float = new Float64Array(1);
const halves = new Int32Array(float.buffer);

const NOTHING: readonly Node[] = [];

/** Whether the node's value lies in memory, or will once its pending assignments have run. */
function inMemory(node: Node): boolean {
  return node.storage !== null && node.op.kind !== "assign";
}

/** What must be computed before the node: a value in memory keeps its inputs only for gradients, but for pending leaves. */
function needs(node: Node): readonly Node[] {
  return inMemory(node) && node.op !== LEAF ? NOTHING : node.operands;
}

/** One walk at a time: the key is written into the same words each time, since it is compared or copied before the next. */
class Walk {
  #number = 0;
  #order: Node[] = [];
  #storages: Storage[] = [];
  #scalars: Node[] = [];
  #arrays: Node[] = [];
  #words = new Int32Array(4096);
  #used = 0;
  /** The nodes from a root down to the current one, and how many inputs of each have been entered. */
  readonly #stack: Node[] = [];
  readonly #next: number[] = [];

  collect(roots: readonly Node[], assigns: readonly Node[]): Collected {
    const number = this.#number = newWalk();
    const order: Node[] = this.#order = [], storages: Storage[] = this.#storages = [];
    const scalars: Node[] = this.#scalars = [], arrays: Node[] = this.#arrays = [];
    this.#used = this.#stack.length = this.#next.length = 0; // a walk before may have thrown
    const open: Node[] = [];
    for (let i = 0; i < roots.length; i++) {
      const root = roots[i];
      if (inMemory(root)) continue; // there already, or put there by an assignment of this program
      const seen = root.mark === number;
      this.#descend(root);
      if (!seen || !open.includes(root)) open.push(root);
    }
    for (let i = 0; i < assigns.length; i++) this.#descend(assigns[i]);
    this.#push(ROOTS_MARK);
    for (let i = 0; i < open.length; i++) this.#push(open[i].local);

    const words = this.#words, used = this.#used;
    let hash = used;
    for (let i = 0; i < used; i++) hash = Math.imul(hash ^ words[i], 0x9e3779b1) ^ (hash >>> 15);
    return { order, roots: open, assigns, storages, scalars, arrays, key: words.subarray(0, used), hash };
  }

  #push(value: number): void {
    if (this.#used === this.#words.length) {
      const wider = new Int32Array(this.#words.length * 2);
      wider.set(this.#words);
      this.#words = wider;
    }
    this.#words[this.#used++] = value;
  }

  #pushList(list: readonly number[]): void {
    this.#push(list.length);
    for (let i = 0; i < list.length; i++) this.#push(list[i]);
  }

  #slotOf(storage: Storage): number {
    if (storage.mark !== this.#number) {
      storage.mark = this.#number;
      storage.local = this.#storages.length;
      this.#storages.push(storage);
    }
    return storage.local;
  }

  #visit(node: Node): void {
    node.local = this.#order.length;
    this.#order.push(node);
    const { op, storage } = node;
    if (inMemory(node)) {
      const s = storage!;
      if (s.disposed) throw new DisposedError(`Cannot use a tensor of shape ${fmtShape(node.shape)}: it was disposed`);
      if (node.stale) throw stale(node);
      const slot = this.#slotOf(s);
      this.#push(needs(node).length === 0 ? LEAF_MARK : PENDING_MARK);
      this.#push(slot * 2 + (s.pooled ? 1 : 0));
      this.#push(s.bytes);
      this.#push(DTYPE_ID[node.dtype]);
      this.#push(node.offset);
      this.#push(node.pendingBefore); // pending assignments that come before
      this.#pushList(node.shape);
    } else {
      this.#push(op.id);
      this.#push(DTYPE_ID[node.dtype]);
      this.#pushList(node.shape);
      this.#pushList(node.attr);
      if (op === SCALAR) this.#scalars.push(node);
      else if (op === ARRAY) this.#arrays.push(node);
      else if (op === CONST) {
        float[0] = node.value;
        this.#push(halves[0]);
        this.#push(halves[1]);
      } else if (op.kind === "assign") {
        if (storage!.disposed) throw new DisposedError("Cannot update a tensor that was disposed");
        this.#push(this.#slotOf(storage!));
        this.#push(storage!.bytes);
        this.#push(node.offset);
        this.#push(node.pendingBefore);
      }
    }
    const inputs = needs(node);
    this.#push(inputs.length);
    for (let i = 0; i < inputs.length; i++) this.#push(inputs[i].local);
  }

  #enter(node: Node): void {
    node.mark = this.#number;
    // the assignments that it waited for are over
    if (node.op === LEAF && node.inputs.length > 0 && node.version <= node.storage!.done) {
      node.materialize(node.storage!, node.offset, node.version);
    }
    this.#stack.push(node);
    this.#next.push(0);
  }

  #descend(root: Node): void {
    const number = this.#number, stack = this.#stack, next = this.#next;
    if (root.mark === number) return;
    this.#enter(root);
    while (stack.length > 0) {
      const top = stack.length - 1;
      const node = stack[top];
      const inputs = needs(node);
      let i = next[top];
      while (i < inputs.length && inputs[i].mark === number) i++;
      if (i < inputs.length) {
        next[top] = i + 1;
        this.#enter(inputs[i]);
      } else {
        this.#visit(node);
        stack.pop();
        next.pop();
      }
    }
  }
}

const walk = new Walk();

/** Walks everything below `roots` and `assigns`. The key is good until the next walk. */
export function collect(roots: readonly Node[], assigns: readonly Node[]): Collected {
  return walk.collect(roots, assigns);
}

function stale(node: Node): StaleTensorError {
  return new StaleTensorError(
    `Cannot compute this tensor any more: it reads a parameter or buffer of shape ${
      fmtShape(node.shape)
    } that was updated ` +
      "since; read it earlier, or call keep() on it before the update",
  );
}
