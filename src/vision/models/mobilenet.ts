/**
 * MobileNetV3: small nets for small processors, with torchvision's names and first weights.
 *
 * @see Howard et al. 2019, arXiv:1905.02244
 * @module
 */
import { checkOptions } from "../../base/options.ts";
import { Dropout, Hardsigmoid, Hardswish, ReLU, Sequential } from "../../nn/mod.ts";
import { imagenetStats } from "../data/mod.ts";
import { ARCH, type Arch, type ArchOptions, defineArch, FAN_OUT } from "./arch.ts";
import {
  convNormAct,
  divisibleBy8,
  drawnBy,
  FeatureClassifier,
  linearOf,
  normalInit,
  torchvision,
} from "./feature_classifier.ts";
import { invertedResidual } from "./inverted_residual.ts";

/** A block: channels before, kernel, channels inside and after, whether channels are weighted, ReLU or Hardswish, stride. */
type Row = readonly [
  cin: number,
  kernel: number,
  wide: number,
  cout: number,
  squeeze: boolean,
  act: "relu" | "hardswish",
  stride: number,
];

const NORM = { eps: 1e-3, momentum: 0.01 };

/** The net of these blocks; `last` are the features of its classifier. */
export function makeMobileNetV3(
  name: string,
  rows: readonly Row[],
  last: number,
  options: ArchOptions,
): FeatureClassifier {
  const { nOut = 1000, nIn = 3, rng } = checkOptions(`make ${name}`, options, ARCH);
  const drawn = drawnBy(options, FAN_OUT), dense = drawnBy(options, normalInit(0.01));
  const features = [convNormAct(nIn, rows[0][0], { kernel: 3, stride: 2, norm: NORM, act: new Hardswish() }, drawn)];
  const blocks = rows.map(([cin, kernel, wide, cout, squeeze, act, stride]) =>
    invertedResidual({
      cin,
      kernel,
      wide,
      cout,
      stride,
      squeeze: squeeze
        ? { channels: divisibleBy8(Math.floor(wide / 4)), activation: new ReLU(), scale: new Hardsigmoid() }
        : null,
      act: () => act === "relu" ? new ReLU() : new Hardswish(),
      norm: NORM,
      drop: 0,
    }, drawn)
  );
  const cout = rows[rows.length - 1][3];
  const end = convNormAct(cout, 6 * cout, { norm: NORM, act: new Hardswish() }, drawn);
  const classifier = new Sequential(
    linearOf(6 * cout, last, dense),
    new Hardswish(),
    new Dropout(0.2, rng === undefined ? {} : { rng }),
    linearOf(last, nOut, dense),
  );
  return new FeatureClassifier(new Sequential(...features, ...blocks, end), 1, classifier);
}

function arch(name: string, rows: readonly Row[], last: number, weights: string): Arch {
  const info = { stats: imagenetStats, weights: torchvision(weights) };
  return defineArch(name, (options) => makeMobileNetV3(name, rows, last, options), info);
}

const SMALL: readonly Row[] = [
  [16, 3, 16, 16, true, "relu", 2],
  [16, 3, 72, 24, false, "relu", 2],
  [24, 3, 88, 24, false, "relu", 1],
  [24, 5, 96, 40, true, "hardswish", 2],
  [40, 5, 240, 40, true, "hardswish", 1],
  [40, 5, 240, 40, true, "hardswish", 1],
  [40, 5, 120, 48, true, "hardswish", 1],
  [48, 5, 144, 48, true, "hardswish", 1],
  [48, 5, 288, 96, true, "hardswish", 2],
  [96, 5, 576, 96, true, "hardswish", 1],
  [96, 5, 576, 96, true, "hardswish", 1],
];

const LARGE: readonly Row[] = [
  [16, 3, 16, 16, false, "relu", 1],
  [16, 3, 64, 24, false, "relu", 2],
  [24, 3, 72, 24, false, "relu", 1],
  [24, 5, 72, 40, true, "relu", 2],
  [40, 5, 120, 40, true, "relu", 1],
  [40, 5, 120, 40, true, "relu", 1],
  [40, 3, 240, 80, false, "hardswish", 2],
  [80, 3, 200, 80, false, "hardswish", 1],
  [80, 3, 184, 80, false, "hardswish", 1],
  [80, 3, 184, 80, false, "hardswish", 1],
  [80, 3, 480, 112, true, "hardswish", 1],
  [112, 3, 672, 112, true, "hardswish", 1],
  [112, 5, 672, 160, true, "hardswish", 2],
  [160, 5, 960, 160, true, "hardswish", 1],
  [160, 5, 960, 160, true, "hardswish", 1],
];

/** MobileNetV3-Small: 2.5 million parameters. */
export const mobilenetV3Small: Arch = arch("mobilenetV3Small", SMALL, 1024, "mobilenet_v3_small-047dcff4");
/** MobileNetV3-Large: 5.5 million parameters. */
export const mobilenetV3Large: Arch = arch("mobilenetV3Large", LARGE, 1280, "mobilenet_v3_large-5c1a4163");
