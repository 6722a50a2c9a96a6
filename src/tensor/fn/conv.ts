/**
 * Convolutions of sequences `[n, c, l]` and images `[n, c, h, w]`, as PyTorch does them.
 *
 * @module
 */
import { ConfigError, ShapeError } from "../../base/errors.ts";
import { fmtShape, type Shape } from "../../base/shape.ts";
import { add } from "../../graph/elementwise.ts";
import { conv, convInput } from "../../graph/conv.ts";
import type { Node } from "../../graph/node.ts";
import { reshape } from "../../graph/views.ts";
import type { WindowSpec } from "../../graph/windows.ts";
import { composite } from "./composite.ts";
import { halfProduct } from "./half_product.ts";

/** One number for all axes, or one an axis. */
export type PerAxis = number | readonly number[];

/** Options of `conv1d` and `conv2d`; numbers stand for all axes. */
export interface ConvOptions<T> {
  /** Added to each output channel, `[cout]`. */
  readonly bias?: T | null;
  /** Distance between windows; 1 if left out. */
  readonly stride?: PerAxis;
  /** Zeros on both sides of each axis; 0 if left out. */
  readonly padding?: PerAxis;
  /** Distance between the taps of a window; 1 if left out. */
  readonly dilation?: PerAxis;
  /** Number of parts that the channels fall into; each output channel sees one part. 1 if left out. */
  readonly groups?: number;
}

/** Options of `convTranspose2d`. */
export interface ConvTransposeOptions<T> extends ConvOptions<T> {
  /** Rows and columns added at the end of the result, below the stride; 0 if left out. */
  readonly outputPadding?: PerAxis;
}

/** `value` for each of `d` axes; throws unless all are whole numbers from `least`. */
export function perAxis(what: string, name: string, value: PerAxis, d: number, least: number): readonly number[] {
  const all = typeof value === "number" ? new Array<number>(d).fill(value) : value;
  if (all.length !== d || all.some((n) => !Number.isInteger(n) || n < least)) {
    throw new ConfigError(
      `Cannot ${what} with ${name} ${
        typeof value === "number" ? value : fmtShape(value)
      }: it is a whole number from ${least}, or ${d} of them`,
    );
  }
  return all;
}

/** How many windows of `taps` elements fit. */
export function placesOf(size: number, taps: number, stride: number, padding: number, dilation: number): number {
  return Math.floor((size + 2 * padding - dilation * (taps - 1) - 1) / stride) + 1;
}

function checkOperands(what: string, x: Shape, w: Shape, d: number): void {
  const image = d === 1 ? "[n, c, length]" : "[n, c, h, w]";
  if (x.length !== d + 2) throw new ShapeError(`Cannot ${what} ${fmtShape(x)}: the input has the shape ${image}`);
  if (w.length !== d + 2) {
    const taps = d === 1 ? "taps" : "kh, kw";
    const weight = what === "convTranspose2d" ? `[cin, cout / groups, ${taps}]` : `[cout, cin / groups, ${taps}]`;
    throw new ShapeError(`Cannot ${what} by a weight of shape ${fmtShape(w)}: it has the shape ${weight}`);
  }
}

function checkGroups(what: string, groups: number, channels: number): void {
  if (!Number.isInteger(groups) || groups < 1) {
    throw new ConfigError(`Cannot ${what} in ${groups} groups: groups is a whole number from 1`);
  }
  if (channels % groups !== 0) {
    throw new ShapeError(`Cannot ${what} in ${groups} groups: they must divide the channels, got ${channels}`);
  }
}

function withBias(what: string, y: Node, bias: Node | null | undefined): Node {
  if (bias === null || bias === undefined) return y;
  const channels = y.shape[1];
  if (bias.shape.length !== 1 || bias.shape[0] !== channels) {
    throw new ShapeError(
      `Cannot ${what} with a bias of shape ${fmtShape(bias.shape)}: it has one number for each of ${channels} channels`,
    );
  }
  return add(y, reshape(bias, [channels, ...y.shape.slice(2).map(() => 1)]));
}

/** `x` `[n, cin, size...]` by `weight` `[cout, cin / groups, taps...]` over `d` axes. */
export function convolve(x: Node, weight: Node, d: 1 | 2, options: ConvOptions<Node>): Node {
  const what = d === 1 ? "conv1d" : "conv2d";
  const { bias, stride = 1, padding = 0, dilation = 1, groups = 1 } = options;
  checkOperands(what, x.shape, weight.shape, d);
  const [cout, cin, ...taps] = weight.shape;
  checkGroups(what, groups, cout);
  if (x.shape[1] !== cin * groups) {
    throw new ShapeError(
      `Cannot ${what} ${fmtShape(x.shape)} by ${fmtShape(weight.shape)}${
        groups === 1 ? "" : ` in ${groups} groups`
      }: the weight is for ${cin * groups} input channels, got ${x.shape[1]}`,
    );
  }
  const spec = {
    stride: perAxis(what, "stride", stride, d, 1),
    before: perAxis(what, "padding", padding, d, 0),
    dilation: perAxis(what, "dilation", dilation, d, 1),
  };
  const places = taps.map((k, i) => placesOf(x.shape[i + 2], k, spec.stride[i], spec.before[i], spec.dilation[i]));
  if (places.some((n) => n < 1)) {
    throw new ShapeError(
      `Cannot ${what} ${fmtShape(x.shape)} by a kernel of ${fmtShape(taps)}: it is larger than the padded input`,
    );
  }
  return halfProduct([x, weight], (from, w) => {
    const y = conv(from, reshape(w, [groups, cout / groups, cin, ...taps]), spec, places);
    return asConvolution("conv", withBias(what, y, bias), [from, w], bias, { ...spec, groups });
  });
}

/** A convolution as one operation. */
function asConvolution(
  kind: string,
  y: Node,
  operands: readonly Node[],
  bias: Node | null | undefined,
  { stride, before, dilation, ...rest }: WindowSpec & { readonly groups: number; readonly more?: readonly number[] },
): Node {
  const inputs = bias === null || bias === undefined ? operands : [...operands, bias];
  return composite(y, kind, inputs, { stride, padding: before, dilation, ...rest });
}

/** `x` `[n, cin, h, w]` by `weight` `[cin, cout / groups, kh, kw]`: the gradient of a convolution with respect to its input. */
export function convTranspose(x: Node, weight: Node, options: ConvTransposeOptions<Node>): Node {
  const what = "convTranspose2d";
  const { bias, stride = 1, padding = 0, dilation = 1, outputPadding = 0, groups = 1 } = options;
  checkOperands(what, x.shape, weight.shape, 2);
  const [cin, cout, ...taps] = weight.shape;
  checkGroups(what, groups, cin);
  if (x.shape[1] !== cin) {
    throw new ShapeError(
      `Cannot ${what} ${fmtShape(x.shape)} by ${fmtShape(weight.shape)}: the weight is for ${cin} input channels`,
    );
  }
  const spec = {
    stride: perAxis(what, "stride", stride, 2, 1),
    before: perAxis(what, "padding", padding, 2, 0),
    dilation: perAxis(what, "dilation", dilation, 2, 1),
  };
  const more = perAxis(what, "outputPadding", outputPadding, 2, 0);
  const bad = more.findIndex((n, i) => n >= Math.max(spec.stride[i], spec.dilation[i]));
  if (bad >= 0) {
    throw new ConfigError(
      `Cannot ${what} with outputPadding ${more[bad]}: it must be below the stride or dilation, got ${
        spec.stride[bad]
      } and ${spec.dilation[bad]}`,
    );
  }
  const size = taps.map((k, i) =>
    (x.shape[i + 2] - 1) * spec.stride[i] - 2 * spec.before[i] + spec.dilation[i] * (k - 1) + more[i] + 1
  );
  if (size.some((n) => n < 1)) {
    throw new ShapeError(`Cannot ${what} ${fmtShape(x.shape)}: the result would have the size ${fmtShape(size)}`);
  }
  return halfProduct([x, weight], (from, w) => {
    const y = convInput(from, reshape(w, [groups, cin / groups, cout, ...taps]), spec, size);
    return asConvolution("convTranspose", withBias(what, y, bias), [from, w], bias, { ...spec, groups, more });
  });
}
