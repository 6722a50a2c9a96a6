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

const DTYPE_ID: Record<Dtype, number> = { f32: 1, i32: 2, u32: 3, bool: 4, u8: 5 };
const LEAF_MARK = -1, PENDING_MARK = -2, ROOTS_MARK = -3;

const float = new Float64Array(1);
const halves = new Int32Array(float.buffer);

/** Where keys are written, one for all: a key is compared or copied before the next one is. */
const buffer = { words: new Int32Array(4096) };

const NOTHING: readonly Node[] = [];

/** Whether the node's value lies in memory, or will once its pending assignments have run. */
function inMemory(node: Node): boolean {
  return node.storage !== null && node.op.kind !== "assign";
}

/** What must be computed before the node: a value in memory keeps its inputs only for gradients, but for pending leaves. */
function needs(node: Node): readonly Node[] {
  return inMemory(node) && node.op !== LEAF ? NOTHING : node.inputs;
}

/** Walks everything below `roots` and `assigns`. The key is good until the next walk. */
export function collect(roots: readonly Node[], assigns: readonly Node[]): Collected {
  const walk = newWalk();
  const order: Node[] = [], storages: Storage[] = [], scalars: Node[] = [], arrays: Node[] = [];
  const stack: Node[] = [], next: number[] = [];
  let words = buffer.words, used = 0;

  const push = (value: number): void => {
    if (used === words.length) {
      const wider = new Int32Array(words.length * 2);
      wider.set(words);
      buffer.words = words = wider;
    }
    words[used++] = value;
  };

  const pushList = (list: readonly number[]): void => {
    push(list.length);
    for (let i = 0; i < list.length; i++) push(list[i]);
  };

  const slotOf = (storage: Storage): number => {
    if (storage.mark !== walk) {
      storage.mark = walk;
      storage.local = storages.length;
      storages.push(storage);
    }
    return storage.local;
  };

  const visit = (node: Node): void => {
    node.local = order.length;
    order.push(node);
    const { op, storage } = node;
    if (inMemory(node)) {
      const s = storage!;
      if (s.disposed) throw new DisposedError(`Cannot use a tensor of shape ${fmtShape(node.shape)}: it was disposed`);
      if (node.stale) throw stale(node);
      const slot = slotOf(s);
      push(needs(node).length === 0 ? LEAF_MARK : PENDING_MARK);
      push(slot * 2 + (s.pooled ? 1 : 0));
      push(s.bytes);
      push(DTYPE_ID[node.dtype]);
      push(node.offset);
      push(node.pendingBefore); // pending assignments that come before
      pushList(node.shape);
    } else {
      push(op.id);
      push(DTYPE_ID[node.dtype]);
      pushList(node.shape);
      pushList(node.attr);
      if (op === SCALAR) scalars.push(node);
      else if (op === ARRAY) arrays.push(node);
      else if (op === CONST) {
        float[0] = node.value;
        push(halves[0]);
        push(halves[1]);
      } else if (op.kind === "assign") {
        if (storage!.disposed) throw new DisposedError("Cannot update a tensor that was disposed");
        push(slotOf(storage!));
        push(storage!.bytes);
        push(node.offset);
        push(node.pendingBefore);
      }
    }
    const inputs = needs(node);
    push(inputs.length);
    for (let i = 0; i < inputs.length; i++) push(inputs[i].local);
  };

  const enter = (node: Node): void => {
    node.mark = walk;
    // the assignments that it waited for are over
    if (node.op === LEAF && node.inputs.length > 0 && node.version <= node.storage!.done) {
      node.materialize(node.storage!, node.offset, node.version);
    }
    stack.push(node);
    next.push(0);
  };

  const descend = (root: Node): void => {
    if (root.mark === walk) return;
    enter(root);
    while (stack.length > 0) {
      const top = stack.length - 1;
      const node = stack[top];
      const inputs = needs(node);
      let i = next[top];
      while (i < inputs.length && inputs[i].mark === walk) i++;
      if (i < inputs.length) {
        next[top] = i + 1;
        enter(inputs[i]);
      } else {
        visit(node);
        stack.pop();
        next.pop();
      }
    }
  };

  const open: Node[] = [];
  for (const root of roots) {
    if (inMemory(root)) continue; // there already, or put there by an assignment of this program
    const seen = root.mark === walk;
    descend(root);
    if (!seen || !open.includes(root)) open.push(root);
  }
  for (const assign of assigns) descend(assign);
  push(ROOTS_MARK);
  for (const root of open) push(root.local);

  let hash = used;
  for (let i = 0; i < used; i++) hash = Math.imul(hash ^ words[i], 0x9e3779b1) ^ (hash >>> 15);
  return { order, roots: open, assigns, storages, scalars, arrays, key: words.subarray(0, used), hash };
}

function stale(node: Node): StaleTensorError {
  return new StaleTensorError(
    `Cannot compute this tensor any more: it reads a parameter or buffer of shape ${
      fmtShape(node.shape)
    } that was updated ` +
      "since; read it earlier, or call keep() on it before the update",
  );
}
