/**
 * Modules made of others, and of plain functions.
 *
 * @module
 */
import { ConfigError, ShapeError } from "../base/errors.ts";
import { fmtShape, sizeOf } from "../base/shape.ts";
import type { Tensor } from "../tensor/mod.ts";
import { Module } from "./module.ts";

/** One module after the other. Names in the state are "0.weight", "1.bias" and so on. */
export class Sequential extends Module {
  readonly #layers: readonly Module[];

  /**
   * Takes the modules in order.
   *
   * @param layers Modules of one tensor to one tensor.
   */
  constructor(...layers: Module[]) {
    super();
    layers.forEach((layer, i) => {
      if (!(layer instanceof Module)) throw new ConfigError(`Cannot make a Sequential: entry ${i} is no module`);
      Object.defineProperty(this, i, { value: layer, enumerable: true });
    });
    this.#layers = layers;
  }

  /** Number of modules. */
  get length(): number {
    return this.#layers.length;
  }

  /** Module number `i`; negative numbers count from the end. */
  at(i: number): Module {
    const layer = this.#layers.at(i);
    if (layer === undefined) throw new ConfigError(`Cannot take module ${i} of a Sequential: it has ${this.length}`);
    return layer;
  }

  /** The modules in order. */
  [Symbol.iterator](): Iterator<Module> {
    return this.#layers[Symbol.iterator]();
  }

  /** What the last module makes of what the others made of `x`. */
  override forward(x: Tensor): Tensor {
    for (const layer of this.#layers) x = layer.forward(x);
    return x;
  }
}

/** Joins all axes from `startAxis` to `endAxis` to one: `[n, c, h, w]` becomes `[n, c h w]`. */
export class Flatten extends Module {
  /**
   * Takes the axes to join.
   *
   * @param startAxis First axis to join; 1 by default.
   * @param endAxis Last axis to join; the last one by default.
   */
  constructor(readonly startAxis: number = 1, readonly endAxis: number = -1) {
    super();
  }

  /** The same elements with fewer axes. */
  override forward(x: Tensor): Tensor {
    const rank = x.shape.length;
    const first = this.startAxis < 0 ? this.startAxis + rank : this.startAxis;
    const last = this.endAxis < 0 ? this.endAxis + rank : this.endAxis;
    if (first === rank && last === rank - 1) return x;
    if (first < 0 || last >= rank || first > last) {
      throw new ShapeError(
        `Cannot flatten axes ${this.startAxis} to ${this.endAxis} of ${fmtShape(x.shape)}: it has ${rank} axes`,
      );
    }
    return x.reshape([...x.shape.slice(0, first), sizeOf(x.shape.slice(first, last + 1)), ...x.shape.slice(last + 1)]);
  }
}

/** Gives what it gets. */
export class Identity extends Module {
  /** `x` itself. */
  override forward(x: Tensor): Tensor {
    return x;
  }
}

/** A function as a module. */
export class Lambda extends Module {
  /**
   * Takes the function.
   *
   * @param fn What to do; it must not hold parameters.
   */
  constructor(readonly fn: (x: Tensor) => Tensor) {
    super();
  }

  /** What the function makes of `x`. */
  override forward(x: Tensor): Tensor {
    return this.fn(x);
  }
}
