/**
 * Residual nets with a stem of three small convolutions, branches that start as nothing, and shortcuts that average.
 *
 * @module
 * @see He et al. 2018, arXiv:1812.01187
 */
import type { LayerJson } from "../../base/json.ts";
import { checkOptions } from "../../base/options.ts";
import {
  AdaptiveAvgPool2d,
  AvgPool2d,
  Dropout,
  Flatten,
  kaimingNormal,
  Linear,
  MaxPool2d,
  Module,
  ReLU,
  Sequential,
  Sigmoid,
} from "../../nn/mod.ts";
import type { Tensor } from "../../tensor/mod.ts";
import { imagenetStats } from "../data/mod.ts";
import { ARCH, type Arch, type ArchInfo, type ArchOptions, defineArch } from "./arch.ts";
import { ConvLayer, type ConvLayerOpts } from "./conv_layer.ts";

/** Weights of channels, with the names of fastai's `SEModule`: `layers.1` and `layers.2` are its convolutions. */
class SqueezeLayer extends Module {
  readonly layers: Sequential;

  constructor(channels: number, reduction: number, drawn: ConvLayerOpts) {
    super();
    const squeezed = Math.ceil(Math.floor(channels / reduction) / 8) * 8, one = { ...drawn, kernel: 1, norm: false };
    const [conv] = new ConvLayer(squeezed, channels, { ...one, act: false });
    this.layers = new Sequential(
      new AdaptiveAvgPool2d(1),
      new ConvLayer(channels, squeezed, one),
      new Sequential(conv, new Sigmoid()),
    );
  }

  /** `[n, c, h, w]` of the same shape, each channel times its factor. */
  override forward(x: Tensor): Tensor {
    return this.layers.forward(x).mul(x);
  }
}

/** How blocks differ from plain ones. */
export interface ResBlockKind {
  /** Parts that the channels of the middle convolution fall into; 1 by default. */
  readonly groups?: number;
  /** By how much fewer numbers the weights of channels are made from; 0, the default, for no such weights. */
  readonly reduction?: number;
  /** How many times wider than usual the insides are, behind the first convolution and behind the middle one; [1, 1] by default. */
  readonly inside?: readonly [first: number, middle: number];
}

/** Convolutions, and the input, averaged and brought to as many channels, added to what they give. */
export class ResBlock extends Module {
  readonly convpath: Sequential;
  readonly idpath: Sequential;
  readonly act: ReLU = new ReLU();
  readonly #kind: ResBlockKind;

  constructor(
    readonly expansion: 1 | 4,
    readonly from: number,
    readonly width: number,
    readonly stride: number,
    drawn: ConvLayerOpts,
    kind: ResBlockKind = {},
  ) {
    super();
    const { groups = 1, reduction = 0, inside = [1, 1] } = kind;
    const cin = from * expansion, cout = width * expansion, [first, middle] = inside.map((times) => times * width);
    const last: ConvLayerOpts = { ...drawn, act: false, firstWeight: 0 };
    const layers: Module[] = expansion === 1
      ? [new ConvLayer(cin, middle, { ...drawn, stride, groups }), new ConvLayer(middle, cout, last)]
      : [
        new ConvLayer(cin, first, { ...drawn, kernel: 1 }),
        new ConvLayer(first, middle, { ...drawn, stride, groups }),
        new ConvLayer(middle, cout, { ...last, kernel: 1 }),
      ];
    if (reduction > 0) layers.push(new SqueezeLayer(cout, reduction, drawn));
    this.convpath = new Sequential(...layers);
    const idpath: Module[] = [];
    if (stride !== 1) idpath.push(new AvgPool2d(stride, { ceilMode: true }));
    if (cin !== cout) idpath.push(new ConvLayer(cin, cout, { ...drawn, kernel: 1, act: false }));
    this.idpath = new Sequential(...idpath);
    this.#kind = kind;
  }

  /** `[n, cin, h, w]` gives `[n, cout, h / stride, w / stride]`, rounded up. */
  override forward(x: Tensor): Tensor {
    return this.act.forward(this.convpath.forward(x).add(this.idpath.forward(x)));
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    const { expansion, from, width, stride } = this;
    return { kind: "ResBlock", expansion, from, width, stride, ...this.#kind };
  }
}

/** The layers of fastai's `XResNet`, in its order and with its names. */
export class XResNet extends Sequential {
  /**
   * Draws the first weights.
   *
   * @param expansion How many times wider than inside blocks are outside.
   * @param depths Blocks of each of the four stages.
   * @param kind How blocks differ from plain ones.
   */
  constructor(expansion: 1 | 4, depths: readonly number[], options: ArchOptions = {}, kind: ResBlockKind = {}) {
    checkOptions("make XResNet", options, ARCH);
    const { nOut = 1000, nIn = 3, init = kaimingNormal(), rng } = options;
    const drawn: ConvLayerOpts = { init, ...(rng === undefined ? {} : { rng }) };
    const stem = [nIn, 32, 32, 64], widths = [64 / expansion, 64, 128, 256, 512];
    const stages = depths.map((depth, s) =>
      new Sequential(
        ...Array.from({ length: depth }, (_, i) => {
          const first = i === 0;
          return new ResBlock(expansion, widths[first ? s : s + 1], widths[s + 1], first && s > 0 ? 2 : 1, drawn, kind);
        }),
      )
    );
    super(
      ...[2, 1, 1].map((stride, i) => new ConvLayer(stem[i], stem[i + 1], { ...drawn, stride })),
      new MaxPool2d(3, { stride: 2, padding: 1 }),
      ...stages,
      new AdaptiveAvgPool2d(1),
      new Flatten(),
      new Dropout(0),
      new Linear(512 * expansion, nOut, drawn),
    );
  }
}

const INFO = { cut: -4, splitAt: 3, stats: imagenetStats };
const DEPTHS = {
  18: [2, 2, 2, 2],
  34: [3, 4, 6, 3],
  50: [3, 4, 6, 3],
  101: [3, 4, 23, 3],
  152: [3, 8, 36, 3],
} as const;

function arch(kind: string, size: keyof typeof DEPTHS, info: ArchInfo, of: (expansion: number) => ResBlockKind): Arch {
  const expansion = size < 50 ? 1 : 4;
  return defineArch(`${kind}${size}`, (o) => new XResNet(expansion, DEPTHS[size], o, of(expansion)), info);
}

const plain = (size: keyof typeof DEPTHS): Arch => arch("xresnet", size, INFO, () => ({}));
/** fastai knows no groups of these: the body is one. */
const squeezed = (size: keyof typeof DEPTHS): Arch =>
  arch("xseResnet", size, { cut: -4 }, (expansion) => ({ reduction: 16, inside: [2, expansion] }));
const grouped = (name: string, size: keyof typeof DEPTHS, reduction: number): Arch =>
  arch(name, size, { cut: -4 }, () => ({ groups: 32, reduction, inside: [2, 2] }));

/** XResNet-18; there are no weights to start from, as for all of these. */
export const xresnet18: Arch = plain(18);
/** XResNet-34. */
export const xresnet34: Arch = plain(34);
/** XResNet-50. */
export const xresnet50: Arch = plain(50);
/** XResNet-101. */
export const xresnet101: Arch = plain(101);
/** XResNet-152. */
export const xresnet152: Arch = plain(152);
/** XResNet-18 with squeeze-and-excitation. */
export const xseResnet18: Arch = squeezed(18);
/** XResNet-34 with squeeze-and-excitation. */
export const xseResnet34: Arch = squeezed(34);
/** XResNet-50 with squeeze-and-excitation. */
export const xseResnet50: Arch = squeezed(50);
/** XResNet-101 with squeeze-and-excitation. */
export const xseResnet101: Arch = squeezed(101);
/** XResNet-152 with squeeze-and-excitation. */
export const xseResnet152: Arch = squeezed(152);
/** XResNeXt-18: the middle convolutions in 32 groups. */
export const xresnext18: Arch = grouped("xresnext", 18, 0);
/** XResNeXt-34. */
export const xresnext34: Arch = grouped("xresnext", 34, 0);
/** XResNeXt-50. */
export const xresnext50: Arch = grouped("xresnext", 50, 0);
/** XResNeXt-101. */
export const xresnext101: Arch = grouped("xresnext", 101, 0);
/** XResNeXt-18 with squeeze-and-excitation. */
export const xseResnext18: Arch = grouped("xseResnext", 18, 16);
/** XResNeXt-34 with squeeze-and-excitation. */
export const xseResnext34: Arch = grouped("xseResnext", 34, 16);
/** XResNeXt-50 with squeeze-and-excitation. */
export const xseResnext50: Arch = grouped("xseResnext", 50, 16);
/** XResNeXt-101 with squeeze-and-excitation. */
export const xseResnext101: Arch = grouped("xseResnext", 101, 16);
