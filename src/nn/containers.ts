/**
 * Modules made of others, and of plain functions.
 *
 * @module
 */
import type { LayerJson } from "../base/json.ts";
import { ConfigError, ShapeError } from "../base/errors.ts";
import { checkArgument, func, other } from "../base/options.ts";
import { fmtShape, sizeOf } from "../base/shape.ts";
import type { Tensor } from "../tensor/mod.ts";
import { type AnyModule, Module } from "./module.ts";

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

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    const layers = this.#layers.map((layer) => layerJson(layer));
    return layers.every((json) => json !== null) ? { kind: "Sequential", layers } : null;
  }
}

/**
 * A layer or model as plain data, from which it can be built again without its code; null where it is, or has inside, code
 * of somebody's own. A subclass speaks for itself: it may compute something else than its parent. One that adds nothing to
 * {@link Sequential} is as good as one.
 */
export function layerJson(module: AnyModule): LayerJson | null {
  const own: object = Object.getPrototypeOf(module);
  if (Object.hasOwn(own, "toJSON")) return module.toJSON();
  if (!(module instanceof Sequential) || module.forward !== Sequential.prototype.forward) return null;
  const extra = Object.entries(module).some(([key, value]) => !/^\d+$/.test(key) && typeof value === "object");
  return extra ? null : Sequential.prototype.toJSON.call(module);
}

/** Splits one axis into several: the opposite of {@link Flatten}. `[n, 784]` becomes `[n, 1, 28, 28]`. */
export class Unflatten extends Module {
  /**
   * Takes the axis and its parts.
   *
   * @param axis Axis to split; negative numbers count from the end.
   * @param sizes Sizes of the axes that take its place; one may be -1, for what is left.
   */
  constructor(readonly axis: number, readonly sizes: readonly number[]) {
    super();
    if (!Number.isInteger(axis)) throw new ConfigError(`Cannot make Unflatten: axis is a whole number, got ${axis}`);
    if (!Array.isArray(sizes) || sizes.length === 0 || !sizes.every((n) => Number.isInteger(n) && n >= -1)) {
      throw new ConfigError(`Cannot make Unflatten: sizes are whole numbers, one may be -1, got ${sizes}`);
    }
  }

  /** The same elements with more axes. */
  override forward(x: Tensor): Tensor {
    const rank = x.shape.length, at = this.axis < 0 ? this.axis + rank : this.axis;
    if (at < 0 || at >= rank) {
      throw new ShapeError(`Cannot unflatten axis ${this.axis} of ${fmtShape(x.shape)}: it has ${rank} axes`);
    }
    const known = sizeOf(this.sizes.filter((n) => n !== -1)), open = this.sizes.filter((n) => n === -1).length;
    if (open > 1 || known === 0 || (open === 0 ? known !== x.shape[at] : x.shape[at] % known !== 0)) {
      throw new ShapeError(
        `Cannot unflatten axis ${this.axis} of ${fmtShape(x.shape)} into [${this.sizes.join(", ")}]: ` +
          `their product must be ${x.shape[at]}`,
      );
    }
    const sizes = this.sizes.map((n) => n === -1 ? x.shape[at] / known : n);
    return x.reshape([...x.shape.slice(0, at), ...sizes, ...x.shape.slice(at + 1)]);
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return { kind: "Unflatten", axis: this.axis, sizes: this.sizes };
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
    const axis = other<number>("a whole number", Number.isInteger);
    checkArgument("make Flatten", "startAxis", startAxis, axis);
    checkArgument("make Flatten", "endAxis", endAxis, axis);
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

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return { kind: "Flatten", startAxis: this.startAxis, endAxis: this.endAxis };
  }
}

/** Puts the axes into another order: torchvision's, as `tensor.permute`. */
export class Permute extends Module {
  /**
   * Takes the order.
   *
   * @param dims Which axis of the input each of the output is; all of them, each once.
   */
  constructor(readonly dims: readonly number[]) {
    super();
    const order = Array.isArray(dims) ? [...dims].sort((a, b) => a - b) : [];
    if (order.length === 0 || order.some((axis, i) => axis !== i)) {
      throw new ConfigError(`Cannot make Permute: dims are the axes 0, 1, ... in another order, got ${dims}`);
    }
  }

  /** The same elements, the axes in another order. */
  override forward(x: Tensor): Tensor {
    return x.permute(this.dims);
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return { kind: "Permute", dims: this.dims };
  }
}

/** Gives what it gets. */
export class Identity extends Module {
  /** `x` itself. */
  override forward(x: Tensor): Tensor {
    return x;
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return { kind: "Identity" };
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
    checkArgument("make Lambda", "fn", fn, func<(x: Tensor) => Tensor>());
  }

  /** What the function makes of `x`. */
  override forward(x: Tensor): Tensor {
    return this.fn(x);
  }
}
