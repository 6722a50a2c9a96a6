/**
 * Activations as modules.
 *
 * @module
 */
import type { LayerJson } from "../base/json.ts";
import { ConfigError, ShapeError } from "../base/errors.ts";
import { checkArgument, checkOptions, integer, num, oneOf } from "../base/options.ts";
import { fmtShape } from "../base/shape.ts";
import { aGenerator, type Rng, type Tensor } from "../tensor/mod.ts";
import { checkProbability, dropped } from "./dropped.ts";
import { Module } from "./module.ts";

/** max(x, 0) */
export class ReLU extends Module {
  /** `max(x, 0)` of any shape. */
  override forward(x: Tensor): Tensor {
    return x.relu();
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return { kind: "ReLU" };
  }
}

/** `x` above 0, `slope x` below. */
export class LeakyReLU extends Module {
  /**
   * Takes the slope below 0.
   *
   * @param slope Slope below 0; 0.01 by default.
   */
  constructor(readonly slope: number = 0.01) {
    super();
    checkArgument("make LeakyReLU", "slope", slope, num);
  }

  /** `x` above 0, `slope x` below, of any shape. */
  override forward(x: Tensor): Tensor {
    return x.leakyRelu(this.slope);
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return { kind: "LeakyReLU", slope: this.slope };
  }
}

/** `x` above 0, `alpha (e^x - 1)` below. */
export class ELU extends Module {
  /**
   * Takes what it goes to.
   *
   * @param alpha What outputs stay above, negated; 1 by default.
   */
  constructor(readonly alpha: number = 1) {
    super();
    checkArgument("make ELU", "alpha", alpha, num);
  }

  /** `x` above 0, `alpha (e^x - 1)` below, of any shape. */
  override forward(x: Tensor): Tensor {
    return x.elu(this.alpha);
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return { kind: "ELU", alpha: this.alpha };
  }
}

/** `x P(x)` with the normal distribution, exact or by its tanh approximation. */
export class GELU extends Module {
  /** Whether the exact form is computed, or the approximation. */
  readonly approximate: "none" | "tanh";

  /**
   * Takes which form to compute.
   *
   * @param options `approximate: "tanh"` for the approximation.
   */
  constructor(options: { readonly approximate?: "none" | "tanh" } = {}) {
    super();
    checkOptions("make GELU", options, { approximate: oneOf("none", "tanh") });
    this.approximate = options.approximate ?? "none";
  }

  /** `x P(x)` of any shape. */
  override forward(x: Tensor): Tensor {
    return x.gelu({ approximate: this.approximate });
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return { kind: "GELU", approximate: this.approximate };
  }
}

/** `x sigmoid(x)` */
export class SiLU extends Module {
  /** `x sigmoid(x)` of any shape. */
  override forward(x: Tensor): Tensor {
    return x.silu();
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return { kind: "SiLU" };
  }
}

/** `x tanh(log(1 + e^x))` */
export class Mish extends Module {
  /** `x tanh(log(1 + e^x))` of any shape. */
  override forward(x: Tensor): Tensor {
    return x.mish();
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return { kind: "Mish" };
  }
}

/** `x min(max(x + 3, 0), 6) / 6` */
export class Hardswish extends Module {
  /** `x min(max(x + 3, 0), 6) / 6` of any shape. */
  override forward(x: Tensor): Tensor {
    return x.hardswish();
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return { kind: "Hardswish" };
  }
}

/** `min(max(x + 3, 0), 6) / 6` */
export class Hardsigmoid extends Module {
  /** `min(max(x + 3, 0), 6) / 6` of any shape. */
  override forward(x: Tensor): Tensor {
    return x.hardsigmoid();
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return { kind: "Hardsigmoid" };
  }
}

/** `min(max(x, 0), 6)` */
export class ReLU6 extends Module {
  /** `min(max(x, 0), 6)` of any shape. */
  override forward(x: Tensor): Tensor {
    return x.relu6();
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return { kind: "ReLU6" };
  }
}

/** 1 / (1 + e^-x) */
export class Sigmoid extends Module {
  /** 1 / (1 + e^-x) of any shape. */
  override forward(x: Tensor): Tensor {
    return x.sigmoid();
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return { kind: "Sigmoid" };
  }
}

/** `low + (high - low) sigmoid(x)`: outputs between two numbers. */
export class SigmoidRange extends Module {
  /**
   * Takes the range.
   *
   * @param low What outputs stay above.
   * @param high What outputs stay below.
   */
  constructor(readonly low: number, readonly high: number) {
    super();
    if (!(Number.isFinite(low) && Number.isFinite(high) && low < high)) {
      throw new ConfigError(`Cannot make SigmoidRange: low is a number below high, got ${low} and ${high}`);
    }
  }

  /** Between `low` and `high`, of any shape. */
  override forward(x: Tensor): Tensor {
    return x.sigmoid().mul(this.high - this.low).add(this.low);
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return { kind: "SigmoidRange", low: this.low, high: this.high };
  }
}

/** Hyperbolic tangent. */
export class Tanh extends Module {
  /** tanh(x) of any shape. */
  override forward(x: Tensor): Tensor {
    return x.tanh();
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return { kind: "Tanh" };
  }
}

/** Numbers that sum to 1 along an axis. */
export class Softmax extends Module {
  /** The axis whose numbers sum to 1. */
  readonly axis: number;

  /**
   * Takes the axis.
   *
   * @param options `axis`, the last one by default.
   */
  constructor(options: { readonly axis?: number } = {}) {
    super();
    checkOptions("make Softmax", options, { axis: integer });
    this.axis = options.axis ?? -1;
  }

  /** Probabilities of the same shape. */
  override forward(x: Tensor): Tensor {
    return x.softmax({ axis: this.axis });
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return { kind: "Softmax", axis: this.axis };
  }
}

/** Logarithms of numbers that sum to 1 along an axis. */
export class LogSoftmax extends Module {
  /** The axis along which they do. */
  readonly axis: number;

  /**
   * Takes the axis.
   *
   * @param options `axis`, the last one by default.
   */
  constructor(options: { readonly axis?: number } = {}) {
    super();
    checkOptions("make LogSoftmax", options, { axis: integer });
    this.axis = options.axis ?? -1;
  }

  /** Logarithms of probabilities, of the same shape. */
  override forward(x: Tensor): Tensor {
    return x.logSoftmax({ axis: this.axis });
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return { kind: "LogSoftmax", axis: this.axis };
  }
}

/** In training, sets each element to 0 with probability `p` and scales the others by `1 / (1 - p)`. */
export class Dropout extends Module {
  /** Its own generator; null where it draws from the default one. In a plain field, so that checkpoints find it. */
  readonly rng: Rng | null;

  /**
   * Takes the probability of being dropped.
   *
   * @param p Probability in [0, 1]; 0.5 by default.
   * @param options `rng`: where the numbers come from; the default generator.
   */
  constructor(readonly p: number = 0.5, options: { readonly rng?: Rng } = {}) {
    super();
    checkOptions("make Dropout", options, { rng: aGenerator });
    checkProbability("Dropout", p);
    this.rng = options.rng ?? null;
  }

  /** In training some elements 0 and the others scaled; `x` itself otherwise. */
  override forward(x: Tensor): Tensor {
    return dropped(x, this, x.shape);
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return { kind: "Dropout", p: this.p };
  }
}

/** In training, sets each channel of each item, `[n, c, h, w]`, to 0 with probability `p` and scales the others by `1 / (1 - p)`. */
export class Dropout2d extends Module {
  /** Its own generator; null where it draws from the default one. In a plain field, so that checkpoints find it. */
  readonly rng: Rng | null;

  /**
   * Takes the probability of being dropped.
   *
   * @param p Probability in [0, 1]; 0.5 by default.
   * @param options `rng`: where the numbers come from; the default generator.
   */
  constructor(readonly p: number = 0.5, options: { readonly rng?: Rng } = {}) {
    super();
    checkOptions("make Dropout2d", options, { rng: aGenerator });
    checkProbability("Dropout2d", p);
    this.rng = options.rng ?? null;
  }

  /** In training some channels 0 and the others scaled; `x` itself otherwise. */
  override forward(x: Tensor): Tensor {
    if (x.shape.length !== 4) {
      throw new ShapeError(`Cannot apply Dropout2d to ${fmtShape(x.shape)}: it takes [n, c, h, w]`);
    }
    return dropped(x, this, [...x.shape.slice(0, 2), 1, 1]);
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return { kind: "Dropout2d", p: this.p };
  }
}
