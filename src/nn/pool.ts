/**
 * Pooling and resampling as layers.
 *
 * @module
 */
import type { LayerJson } from "../base/json.ts";
import { ConfigError } from "../base/errors.ts";
import { checkArgument, checkOptions, flag, type OptionTable, other } from "../base/options.ts";
import { cat, INTERPOLATE, type InterpolateOptions, type PerAxis, perAxisKind, type Tensor } from "../tensor/mod.ts";
import { Module } from "./module.ts";

/** Options of {@link MaxPool2d}; numbers stand for both axes. */
export interface MaxPoolLayerOptions {
  /** Distance between windows; the kernel's size by default. */
  readonly stride?: PerAxis;
  /** Rows and columns around the image, at most half the kernel, that never are the largest; 0 by default. */
  readonly padding?: PerAxis;
  /** Distance between the elements of a window; 1 by default. */
  readonly dilation?: PerAxis;
  /** Whether windows may hang over the end of the image; false by default. */
  readonly ceilMode?: boolean;
}

/** Options of {@link AvgPool2d}; numbers stand for both axes. */
export interface AvgPoolLayerOptions {
  /** Distance between windows; the kernel's size by default. */
  readonly stride?: PerAxis;
  /** Zeros around the image, at most half the kernel; 0 by default. */
  readonly padding?: PerAxis;
  /** Whether windows may hang over the end of the image; false by default. */
  readonly ceilMode?: boolean;
  /** Whether padding counts as elements of value 0; true by default. */
  readonly countIncludePad?: boolean;
}

/** Sizes of places: one for both axes, or one each. */
const SIZES = other<PerAxis>("a whole number from 1, or two of them", (v) => {
  const all = Array.isArray(v) ? v : [v, v];
  return all.length === 2 && all.every((n) => Number.isInteger(n) && n >= 1);
});

const MAX_POOL: OptionTable<MaxPoolLayerOptions> = {
  stride: perAxisKind,
  padding: perAxisKind,
  dilation: perAxisKind,
  ceilMode: flag,
};
const AVG_POOL: OptionTable<AvgPoolLayerOptions> = {
  stride: perAxisKind,
  padding: perAxisKind,
  ceilMode: flag,
  countIncludePad: flag,
};

/** The largest element of each window of images `[n, c, h, w]`. */
export class MaxPool2d extends Module {
  readonly #options: MaxPoolLayerOptions;

  /**
   * Takes the window.
   *
   * @param kernel Rows and columns of a window.
   */
  constructor(readonly kernel: PerAxis, options: MaxPoolLayerOptions = {}) {
    super();
    this.#options = checkOptions("make MaxPool2d", options, MAX_POOL);
    checkArgument("make MaxPool2d", "kernel", kernel, SIZES);
  }

  /** `[n, c, h, w]` gives `[n, c, oh, ow]`. */
  override forward(x: Tensor): Tensor {
    return x.maxPool2d(this.kernel, this.#options);
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return { kind: "MaxPool2d", kernel: this.kernel, ...this.#options };
  }
}

/** The mean of each window of images `[n, c, h, w]`. */
export class AvgPool2d extends Module {
  readonly #options: AvgPoolLayerOptions;

  /**
   * Takes the window.
   *
   * @param kernel Rows and columns of a window.
   */
  constructor(readonly kernel: PerAxis, options: AvgPoolLayerOptions = {}) {
    super();
    this.#options = checkOptions("make AvgPool2d", options, AVG_POOL);
    checkArgument("make AvgPool2d", "kernel", kernel, SIZES);
  }

  /** `[n, c, h, w]` gives `[n, c, oh, ow]`. */
  override forward(x: Tensor): Tensor {
    return x.avgPool2d(this.kernel, this.#options);
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return { kind: "AvgPool2d", kernel: this.kernel, ...this.#options };
  }
}

/** The means of `size` windows that together cover images `[n, c, h, w]`. */
export class AdaptiveAvgPool2d extends Module {
  /**
   * Takes the size.
   *
   * @param size Rows and columns of the output.
   */
  constructor(readonly size: PerAxis) {
    super();
    checkArgument(`make ${new.target.name}`, "size", size, SIZES);
  }

  /** `[n, c, h, w]` gives `[n, c, ...size]`. */
  override forward(x: Tensor): Tensor {
    return x.adaptiveAvgPool2d(this.size);
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return { kind: "AdaptiveAvgPool2d", size: this.size };
  }
}

/** The largest elements of `size` windows that together cover images `[n, c, h, w]`. */
export class AdaptiveMaxPool2d extends Module {
  /**
   * Takes the size.
   *
   * @param size Rows and columns of the output.
   */
  constructor(readonly size: PerAxis) {
    super();
    checkArgument(`make ${new.target.name}`, "size", size, SIZES);
  }

  /** `[n, c, h, w]` gives `[n, c, ...size]`. */
  override forward(x: Tensor): Tensor {
    return x.adaptiveMaxPool2d(this.size);
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return { kind: "AdaptiveMaxPool2d", size: this.size };
  }
}

/** Both adaptive pools, as channels one after the other: the largest elements first, then the means, as in fastai. */
export class AdaptiveConcatPool2d extends Module {
  /** The pool of means, second in the output. */
  readonly ap: AdaptiveAvgPool2d;
  /** The pool of largest elements, first in the output. */
  readonly mp: AdaptiveMaxPool2d;

  /**
   * Takes the size.
   *
   * @param size Rows and columns of the output; 1 by default.
   */
  constructor(readonly size: PerAxis = 1) {
    super();
    this.ap = new AdaptiveAvgPool2d(size);
    this.mp = new AdaptiveMaxPool2d(size);
  }

  /** `[n, c, h, w]` gives `[n, 2 c, ...size]`. */
  override forward(x: Tensor): Tensor {
    return cat([this.mp.forward(x), this.ap.forward(x)], { axis: 1 });
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return { kind: "AdaptiveConcatPool2d", size: this.size };
  }
}

/** Images `[n, c, h, w]` at another size. */
export class Upsample extends Module {
  readonly #options: InterpolateOptions;

  /**
   * Takes the size or the factor.
   *
   * @param options `size` or `scale`; `mode` "nearest" (the default) or "bilinear"; `alignCorners`.
   */
  constructor(options: InterpolateOptions) {
    super();
    checkOptions("make Upsample", options, INTERPOLATE);
    if ((options.size === undefined) === (options.scale === undefined)) {
      throw new ConfigError("Cannot make Upsample: give either size or scale");
    }
    this.#options = options;
  }

  /** `[n, c, h, w]` gives `[n, c, oh, ow]`. */
  override forward(x: Tensor): Tensor {
    return x.interpolate(this.#options);
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return { kind: "Upsample", ...this.#options };
  }
}
