/**
 * Residual nets, with torchvision's names and first weights.
 *
 * @module
 * @see He et al. 2015, arXiv:1512.03385
 */
import type { LayerJson } from "../../base/json.ts";
import { checkOptions } from "../../base/options.ts";
import {
  AdaptiveAvgPool2d,
  BatchNorm2d,
  Conv2d,
  Linear,
  MaxPool2d,
  Module,
  ReLU,
  Sequential,
  type WeightInit,
} from "../../nn/mod.ts";
import type { Rng, Tensor } from "../../tensor/mod.ts";
import { imagenetStats } from "../data/mod.ts";
import { ARCH, type Arch, type ArchOptions, type ArchWeights, defineArch, FAN_OUT } from "./arch.ts";
import { torchvision } from "./feature_classifier.ts";

/** How convolutions are drawn. */
interface Drawn {
  readonly init: WeightInit;
  readonly rng?: Rng;
}

function conv(cin: number, cout: number, kernel: number, stride: number, drawn: Drawn): Conv2d {
  return new Conv2d(cin, cout, kernel, { stride, padding: kernel >> 1, bias: false, ...drawn });
}

/** What brings the input of a block to the shape of its output; null where it has it already. */
function shortcut(cin: number, cout: number, stride: number, drawn: Drawn): Sequential | null {
  if (stride === 1 && cin === cout) return null;
  return new Sequential(conv(cin, cout, 1, stride, drawn), new BatchNorm2d(cout));
}

/** Two 3 x 3 convolutions, and the input added to what they give. */
export class BasicBlock extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly relu: ReLU = new ReLU();
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly downsample: Sequential | null;

  constructor(readonly cin: number, readonly width: number, readonly stride: number, drawn: Drawn) {
    super();
    this.conv1 = conv(cin, width, 3, stride, drawn);
    this.bn1 = new BatchNorm2d(width);
    this.conv2 = conv(width, width, 3, 1, drawn);
    this.bn2 = new BatchNorm2d(width);
    this.downsample = shortcut(cin, width, stride, drawn);
  }

  /** `[n, cin, h, w]` gives `[n, width, h / stride, w / stride]`. */
  override forward(x: Tensor): Tensor {
    const y = this.relu.forward(this.bn1.forward(this.conv1.forward(x)));
    const z = this.bn2.forward(this.conv2.forward(y));
    return this.relu.forward(z.add(this.downsample === null ? x : this.downsample.forward(x)));
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    const { cin, width, stride } = this;
    return { kind: "BasicBlock", cin, width, stride };
  }
}

/** A 1 x 1 convolution to fewer channels, a 3 x 3 one, a 1 x 1 one to four times as many, and the input added. */
export class Bottleneck extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly conv3: Conv2d;
  readonly bn3: BatchNorm2d;
  readonly relu: ReLU = new ReLU();
  readonly downsample: Sequential | null;

  constructor(readonly cin: number, readonly width: number, readonly stride: number, drawn: Drawn) {
    super();
    this.conv1 = conv(cin, width, 1, 1, drawn);
    this.bn1 = new BatchNorm2d(width);
    this.conv2 = conv(width, width, 3, stride, drawn);
    this.bn2 = new BatchNorm2d(width);
    this.conv3 = conv(width, 4 * width, 1, 1, drawn);
    this.bn3 = new BatchNorm2d(4 * width);
    this.downsample = shortcut(cin, 4 * width, stride, drawn);
  }

  /** `[n, cin, h, w]` gives `[n, 4 width, h / stride, w / stride]`. */
  override forward(x: Tensor): Tensor {
    const y = this.relu.forward(this.bn1.forward(this.conv1.forward(x)));
    const z = this.relu.forward(this.bn2.forward(this.conv2.forward(y)));
    const out = this.bn3.forward(this.conv3.forward(z));
    return this.relu.forward(out.add(this.downsample === null ? x : this.downsample.forward(x)));
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    const { cin, width, stride } = this;
    return { kind: "Bottleneck", cin, width, stride };
  }
}

const BLOCKS = { basic: { make: BasicBlock, expansion: 1 }, bottleneck: { make: Bottleneck, expansion: 4 } } as const;

/** A residual net of four stages: images `[n, nIn, h, w]` to `[n, nOut]`. */
export class ResNet extends Module {
  /** 7 x 7, stride 2. */
  readonly conv1: Conv2d;
  /** After the first convolution. */
  readonly bn1: BatchNorm2d;
  /** After the first normalization. */
  readonly relu: ReLU = new ReLU();
  /** 3 x 3, stride 2. */
  readonly maxpool: MaxPool2d = new MaxPool2d(3, { stride: 2, padding: 1 });
  /** 64 channels wide. */
  readonly layer1: Sequential;
  /** 128 channels wide. */
  readonly layer2: Sequential;
  /** 256 channels wide. */
  readonly layer3: Sequential;
  /** 512 channels wide. */
  readonly layer4: Sequential;
  /** The mean of each channel. */
  readonly avgpool: AdaptiveAvgPool2d = new AdaptiveAvgPool2d(1);
  /** To the outputs. */
  readonly fc: Linear;

  /**
   * Draws the first weights.
   *
   * @param kind What blocks consist of.
   * @param depths Blocks of each of the four stages.
   */
  constructor(
    readonly kind: "basic" | "bottleneck",
    readonly depths: readonly [number, number, number, number],
    options: ArchOptions = {},
  ) {
    super();
    const { nOut = 1000, nIn = 3, init = FAN_OUT, rng } = checkOptions("make ResNet", options, ARCH);
    const drawn: Drawn = { init, ...(rng === undefined ? {} : { rng }) };
    const { make, expansion } = BLOCKS[kind];
    this.conv1 = conv(nIn, 64, 7, 2, drawn);
    this.bn1 = new BatchNorm2d(64);
    let channels = 64;
    const stage = (width: number, depth: number, stride: number): Sequential =>
      new Sequential(
        ...Array.from({ length: depth }, (_, i) => {
          const block = new make(channels, width, i === 0 ? stride : 1, drawn);
          channels = width * expansion;
          return block;
        }),
      );
    this.layer1 = stage(64, depths[0], 1);
    this.layer2 = stage(128, depths[1], 2);
    this.layer3 = stage(256, depths[2], 2);
    this.layer4 = stage(512, depths[3], 2);
    this.fc = new Linear(channels, nOut, rng === undefined ? {} : { rng });
  }

  /** `[n, nIn, h, w]` gives `[n, nOut]`. */
  override forward(x: Tensor): Tensor {
    let y = this.maxpool.forward(this.relu.forward(this.bn1.forward(this.conv1.forward(x))));
    for (const layer of [this.layer1, this.layer2, this.layer3, this.layer4]) y = layer.forward(y);
    y = this.avgpool.forward(y);
    return this.fc.forward(y.reshape([y.shape[0], y.shape[1]]));
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    const { kind: block, depths, fc, conv1 } = this;
    return { kind: "ResNet", block, depths, nOut: fc.outFeatures, nIn: conv1.inChannels };
  }
}

function arch(
  name: string,
  kind: "basic" | "bottleneck",
  depths: readonly [number, number, number, number],
  weights: ArchWeights,
): Arch {
  const info = { cut: -2, splitAt: 6, stats: imagenetStats, weights };
  return defineArch(name, (options) => new ResNet(kind, depths, options), info);
}

/** Address of the weights that torchvision publishes, as a safetensors file. */
function timm(id: string): ArchWeights {
  return { url: `https://huggingface.co/timm/${id}/resolve/main/model.safetensors` };
}

/** ResNet-18: 11.7 million parameters. */
export const resnet18: Arch = arch("resnet18", "basic", [2, 2, 2, 2], timm("resnet18.tv_in1k"));
/** ResNet-34: 21.8 million parameters. */
export const resnet34: Arch = arch("resnet34", "basic", [3, 4, 6, 3], timm("resnet34.tv_in1k"));
/** ResNet-50: 25.6 million parameters. */
export const resnet50: Arch = arch("resnet50", "bottleneck", [3, 4, 6, 3], timm("resnet50.tv2_in1k"));
/** ResNet-101: 44.5 million parameters. */
export const resnet101: Arch = arch("resnet101", "bottleneck", [3, 4, 23, 3], torchvision("resnet101-cd907fc2"));
/** ResNet-152: 60.2 million parameters. */
export const resnet152: Arch = arch("resnet152", "bottleneck", [3, 8, 36, 3], torchvision("resnet152-f82ba261"));
