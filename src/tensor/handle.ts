/**
 * What a tensor is apart from its operations: its shape and type, the reading of its elements, the life of its memory.
 *
 * @module
 */
import type { Dtype } from "../base/dtype.ts";
import { ConfigError, DisposedError, ShapeError } from "../base/errors.ts";
import { fmtShape, type Shape } from "../base/shape.ts";
import type { Node } from "../graph/node.ts";
import { session } from "../graph/session.ts";
import { detach } from "../graph/views.ts";
import "./init.ts"; // how the first read opens a device
import { mode } from "./mode.ts";
import { type NestedArray, toNested } from "./nested.ts";

/** The elements of a tensor on the host: f32, i32, u32 as themselves, u8 and bool (0 or 1) as bytes. */
export type TensorData = Float32Array | Int32Array | Uint32Array | Uint8Array;

/** An array on a device, or the expression that computes it, without operations: those are of `Tensor`, its only subclass. */
export abstract class TensorHandle implements Disposable {
  #node: Node;
  /** Made inside `noGrad`: a constant for what is made outside. */
  #inert: boolean;
  /** What was read before `backward` could see it: the node itself keeps its history. */
  #disposed = false;

  /**
   * Wraps a node of the graph; users call `tensor()`, `zeros()` and the like.
   *
   * @internal
   */
  constructor(node: Node) {
    this.#node = node;
    this.#inert = mode.paused;
    node.handles++;
  }

  /**
   * The graph's node, for the layers of Anneal itself.
   *
   * @internal
   */
  get node(): Node {
    if (this.#disposed) {
      throw new DisposedError(`Cannot use a tensor of shape ${fmtShape(this.#node.shape)}: it was disposed`);
    }
    if (this.#inert && !mode.paused) this.#seal();
    return this.#node;
  }

  /** Makes a result of `noGrad` the constant that it is outside. */
  #seal(): void {
    this.#inert = false;
    const n = this.#node;
    if (n.tracked || n.storage === null) this.become(detach(n)); // values in memory have no history
  }

  /**
   * Puts another node in place of this one.
   *
   * @internal
   */
  protected become(node: Node): void {
    this.#node.handles--;
    node.handles++;
    this.#node = node;
    this.#inert = false;
  }

  /**
   * Whether it was disposed.
   *
   * @internal
   */
  get disposed(): boolean {
    return this.#disposed;
  }

  // --- what it is

  /** Sizes of the axes, outermost first; `[]` for a scalar. */
  get shape(): Shape {
    return this.#node.shape;
  }

  /** Element type. */
  get dtype(): Dtype {
    return this.#node.dtype;
  }

  /** Number of elements. */
  get size(): number {
    return this.#node.size;
  }

  /** Number of axes. */
  get rank(): number {
    return this.#node.shape.length;
  }

  /** For example `Tensor f32 [2, 3]`; reads nothing. */
  toString(): string {
    return `${this.constructor.name} ${this.dtype} ${fmtShape(this.shape)}${this.#disposed ? " (disposed)" : ""}`;
  }

  /**
   * What `+` and templates show. Where a number is wanted, as by `*`, `<` and `Math.max`, there is none yet.
   *
   * @throws ConfigError With the method to call instead.
   */
  [Symbol.toPrimitive](hint: string): string {
    if (hint !== "number") return this.toString();
    throw new ConfigError(
      `Cannot use ${this} as a number: operators know no tensors, write x.mul(y), x.sub(y), x.lt(y); or read it first, ` +
        "await x.item()",
    );
  }

  /** Refuses `JSON.stringify`, which would write `{}`: elements are read first, `await x.array()`. */
  toJSON(): never {
    throw new ConfigError(`Cannot write ${this} as JSON: read it first, await x.array()`);
  }

  /** The same, for `console.log`. */
  [Symbol.for("Deno.customInspect")](): string {
    return this.toString();
  }

  // --- reading and memory

  /** The elements in row-major order; bools as bytes of 0 and 1. */
  async data(): Promise<TensorData> {
    const { dtype } = this;
    const [values] = await session.read([this.node]);
    return dtype === "bool" ? Uint8Array.from(values) : values;
  }

  /** The elements as nested arrays of numbers, or of booleans for bool; a scalar gives its element. */
  async array(): Promise<NestedArray> {
    const [values] = await session.read([this.node]);
    return toNested(values, this.shape, this.dtype);
  }

  /** The one element as a number (bool: 0 or 1). Throws a `ShapeError` if there are more or none. */
  async item(): Promise<number> {
    if (this.size !== 1) {
      throw new ShapeError(
        `Cannot read a tensor of shape ${fmtShape(this.shape)} as one number: use array() or data()`,
      );
    }
    const [values] = await session.read([this.node]);
    return values[0];
  }

  /** Starts computing the value now, without waiting for it. */
  realize(): this {
    session.flush([this.node]);
    return this;
  }

  /** Computes the value with the next program, so that it can still be read after an optimizer step. */
  keep(): this {
    session.retain(this.node);
    return this;
  }

  /** Gives the memory back at once. Twice is fine; any other use afterwards is a `DisposedError`. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    release(this.#node);
  }

  /** {@link Tensor.dispose}, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Frees the memory of a node that no tensor holds any more, unless it belongs to a parameter or buffer. */
function release(node: Node, held: number = --node.handles): void {
  const { storage } = node;
  if (held > 0 || storage === null || storage.version > 0 || node.owner !== null) return;
  storage.dispose();
}
