/**
 * EfficientNet: one net in eight sizes, scaled in width and depth, with torchvision's names and first weights.
 *
 * @see Tan & Le 2019, arXiv:1905.11946
 * @module
 */
import { checkOptions } from "../../base/options.ts";
import { sizeOf } from "../../base/shape.ts";
import { Dropout, Sequential, Sigmoid, SiLU, type WeightInit } from "../../nn/mod.ts";
import { imagenetStats } from "../data/mod.ts";
import { ARCH, type Arch, type ArchOptions, defineArch, FAN_OUT } from "./arch.ts";
import { convNormAct, divisibleBy8, drawnBy, FeatureClassifier, linearOf, torchvision } from "./feature_classifier.ts";
import { type InvertedResidual, invertedResidual } from "./inverted_residual.ts";

/** A stage: how much wider blocks are inside, kernel, stride of the first, channels before and after, blocks. */
type Row = readonly [expand: number, kernel: number, stride: number, cin: number, cout: number, depth: number];

const STAGES: readonly Row[] = [
  [1, 3, 1, 32, 16, 1],
  [6, 3, 2, 16, 24, 2],
  [6, 5, 2, 24, 40, 2],
  [6, 3, 2, 40, 80, 3],
  [6, 5, 1, 80, 112, 3],
  [6, 5, 2, 112, 192, 4],
  [6, 3, 1, 192, 320, 1],
];

/** Probability that an item leaves the last block out in training, were there one more. */
const DROP = 0.2;

/** How much wider and deeper than B0 a net is, its dropout, and whether it normalizes as the largest ones do. */
export interface EfficientNetScale {
  readonly width: number;
  readonly depth: number;
  readonly dropout: number;
  readonly large: boolean;
}

/** Evenly over the inverse root of the outputs. */
const BY_OUTPUTS: WeightInit = (shape, rng) => {
  const bound = 1 / Math.sqrt(shape[0]);
  return rng.uniformArray(sizeOf(shape), -bound, bound);
};

/** The net of this scale. */
export function makeEfficientNet(name: string, scale: EfficientNetScale, options: ArchOptions): FeatureClassifier {
  const { nOut = 1000, nIn = 3, rng } = checkOptions(`make ${name}`, options, ARCH);
  const drawn = drawnBy(options, FAN_OUT), norm = scale.large ? { eps: 1e-3, momentum: 0.01 } : {};
  const act = () => new SiLU();
  const stages = STAGES.map(([expand, kernel, stride, cin, cout, depth]) => ({
    ...{ expand, kernel, stride },
    cin: divisibleBy8(cin * scale.width),
    cout: divisibleBy8(cout * scale.width),
    depth: Math.ceil(depth * scale.depth),
  }));
  const blocks = stages.reduce((n, { depth }) => n + depth, 0), first = stages[0].cin;
  let number = 0;
  const made = stages.map(({ expand, kernel, stride, cin: before, cout, depth }) => {
    const stage: InvertedResidual[] = [];
    for (let i = 0; i < depth; i++) {
      const cin = i === 0 ? before : cout;
      stage.push(invertedResidual({
        ...{ cin, cout, kernel, act, norm },
        wide: divisibleBy8(cin * expand),
        stride: i === 0 ? stride : 1,
        squeeze: { channels: Math.max(1, Math.floor(cin / 4)), activation: new SiLU(), scale: new Sigmoid() },
        drop: DROP * number++ / blocks,
      }, drawn));
    }
    return new Sequential(...stage);
  });
  const last = stages[stages.length - 1].cout;
  const features = new Sequential(
    convNormAct(nIn, first, { kernel: 3, stride: 2, norm, act: act() }, drawn),
    ...made,
    convNormAct(last, 4 * last, { norm, act: act() }, drawn),
  );
  const classifier = new Sequential(
    new Dropout(scale.dropout, rng === undefined ? {} : { rng }),
    linearOf(4 * last, nOut, drawnBy(options, BY_OUTPUTS)),
  );
  return new FeatureClassifier(features, 1, classifier);
}

function arch(size: number, width: number, depth: number, dropout: number, weights: string): Arch {
  const name = `efficientnetB${size}`, scale = { width, depth, dropout, large: size >= 5 };
  const info = { stats: imagenetStats, weights: torchvision(`efficientnet_b${size}${weights}`) };
  return defineArch(name, (options) => makeEfficientNet(name, scale, options), info);
}

/** EfficientNet-B0: 5.3 million parameters. */
export const efficientnetB0: Arch = arch(0, 1, 1, 0.2, "_rwightman-7f5810bc");
/** EfficientNet-B1: 7.8 million parameters. */
export const efficientnetB1: Arch = arch(1, 1, 1.1, 0.2, "-c27df63c");
/** EfficientNet-B2: 9.1 million parameters. */
export const efficientnetB2: Arch = arch(2, 1.1, 1.2, 0.3, "_rwightman-c35c1473");
/** EfficientNet-B3: 12.2 million parameters. */
export const efficientnetB3: Arch = arch(3, 1.2, 1.4, 0.3, "_rwightman-b3899882");
/** EfficientNet-B4: 19.3 million parameters. */
export const efficientnetB4: Arch = arch(4, 1.4, 1.8, 0.4, "_rwightman-23ab8bcd");
/** EfficientNet-B5: 30.4 million parameters. */
export const efficientnetB5: Arch = arch(5, 1.6, 2.2, 0.4, "_lukemelas-1a07897c");
/** EfficientNet-B6: 43 million parameters. */
export const efficientnetB6: Arch = arch(6, 1.8, 2.6, 0.5, "_lukemelas-24a108a5");
/** EfficientNet-B7: 66.3 million parameters. */
export const efficientnetB7: Arch = arch(7, 2, 3.1, 0.5, "_lukemelas-c5b4e57e");
