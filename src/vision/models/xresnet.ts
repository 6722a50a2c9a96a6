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
} from "../../nn/mod.ts";
import type { Tensor } from "../../tensor/mod.ts";
import { imagenetStats } from "../data/mod.ts";
import { ARCH, type Arch, type ArchOptions, defineArch } from "./arch.ts";
import { ConvLayer, type ConvLayerOpts } from "./conv_layer.ts";

/** Convolutions, and the input, averaged and brought to as many channels, added to what they give. */
export class ResBlock extends Module {
  readonly convpath: Sequential;
  readonly idpath: Sequential;
  readonly act: ReLU = new ReLU();

  constructor(
    readonly expansion: 1 | 4,
    readonly from: number,
    readonly width: number,
    readonly stride: number,
    drawn: ConvLayerOpts,
  ) {
    super();
    const cin = from * expansion, cout = width * expansion;
    const last: ConvLayerOpts = { ...drawn, act: false, firstWeight: 0 };
    this.convpath = expansion === 1
      ? new Sequential(new ConvLayer(cin, width, { ...drawn, stride }), new ConvLayer(width, cout, last))
      : new Sequential(
        new ConvLayer(cin, width, { ...drawn, kernel: 1 }),
        new ConvLayer(width, width, { ...drawn, stride }),
        new ConvLayer(width, cout, { ...last, kernel: 1 }),
      );
    const idpath: Module[] = [];
    if (stride !== 1) idpath.push(new AvgPool2d(stride, { ceilMode: true }));
    if (cin !== cout) idpath.push(new ConvLayer(cin, cout, { ...drawn, kernel: 1, act: false }));
    this.idpath = new Sequential(...idpath);
  }

  /** `[n, cin, h, w]` gives `[n, cout, h / stride, w / stride]`, rounded up. */
  override forward(x: Tensor): Tensor {
    return this.act.forward(this.convpath.forward(x).add(this.idpath.forward(x)));
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    const { expansion, from, width, stride } = this;
    return { kind: "ResBlock", expansion, from, width, stride };
  }
}

/** The layers of fastai's `XResNet`, in its order and with its names. */
export class XResNet extends Sequential {
  /**
   * Draws the first weights.
   *
   * @param expansion How many times wider than inside blocks are outside.
   * @param depths Blocks of each of the four stages.
   */
  constructor(expansion: 1 | 4, depths: readonly number[], options: ArchOptions = {}) {
    checkOptions("make XResNet", options, ARCH);
    const { nOut = 1000, nIn = 3, init = kaimingNormal(), rng } = options;
    const drawn: ConvLayerOpts = { init, ...(rng === undefined ? {} : { rng }) };
    const stem = [nIn, 32, 32, 64], widths = [64 / expansion, 64, 128, 256, 512];
    const stages = depths.map((depth, s) =>
      new Sequential(
        ...Array.from({ length: depth }, (_, i) => {
          const first = i === 0;
          return new ResBlock(expansion, widths[first ? s : s + 1], widths[s + 1], first && s > 0 ? 2 : 1, drawn);
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

function arch(name: string, expansion: 1 | 4, depths: readonly number[]): Arch {
  const info = { cut: -4, splitAt: 3, stats: imagenetStats };
  return defineArch(name, (options) => new XResNet(expansion, depths, options), info);
}

/** XResNet-18; there are no weights to start from. */
export const xresnet18: Arch = arch("xresnet18", 1, [2, 2, 2, 2]);
/** XResNet-34; there are no weights to start from. */
export const xresnet34: Arch = arch("xresnet34", 1, [3, 4, 6, 3]);
/** XResNet-50; there are no weights to start from. */
export const xresnet50: Arch = arch("xresnet50", 4, [3, 4, 6, 3]);
