/**
 * VGG with batch normalization: 3 x 3 convolutions in a row, with torchvision's names and first weights.
 *
 * @see Simonyan & Zisserman 2014, arXiv:1409.1556
 * @module
 */
import { checkOptions } from "../../base/options.ts";
import { BatchNorm2d, Dropout, MaxPool2d, type Module, ReLU, Sequential } from "../../nn/mod.ts";
import { imagenetStats } from "../data/mod.ts";
import { ARCH, type Arch, type ArchOptions, defineArch, FAN_OUT } from "./arch.ts";
import { convOf, drawnBy, FeatureClassifier, linearOf, normalInit, torchvision } from "./feature_classifier.ts";

const WIDTHS = [64, 128, 256, 512, 512];
/** Rows and columns that are left before the classifier, and its hidden features. */
const POOL = 7, HIDDEN = 4096;

/** The body with so many convolutions before each of its five pools. */
export function vggFeatures(depths: readonly number[], options: ArchOptions): Sequential {
  const drawn = drawnBy(options, FAN_OUT), layers: Module[] = [];
  let { nIn: cin = 3 } = options;
  depths.forEach((depth, stage) => {
    for (let i = 0; i < depth; i++, cin = WIDTHS[stage]) {
      const conv = convOf(cin, WIDTHS[stage], 3, { padding: 1 }, drawn);
      layers.push(conv, new BatchNorm2d(WIDTHS[stage]), new ReLU());
    }
    layers.push(new MaxPool2d(2, { stride: 2 }));
  });
  return new Sequential(...layers);
}

function makeVgg(name: string, depths: readonly number[], options: ArchOptions): FeatureClassifier {
  const { nOut = 1000, rng } = checkOptions(`make ${name}`, options, ARCH);
  const dense = drawnBy(options, normalInit(0.01));
  const drop = () => new Dropout(0.5, rng === undefined ? {} : { rng });
  const classifier = new Sequential(
    linearOf(WIDTHS[4] * POOL * POOL, HIDDEN, dense),
    new ReLU(),
    drop(),
    linearOf(HIDDEN, HIDDEN, dense),
    new ReLU(),
    drop(),
    linearOf(HIDDEN, nOut, dense),
  );
  return new FeatureClassifier(vggFeatures(depths, options), POOL, classifier);
}

function arch(name: string, depths: readonly number[], weights: string): Arch {
  const info = { cut: -2, splitAt: 22, stats: imagenetStats, weights: torchvision(weights) };
  return defineArch(name, (options) => makeVgg(name, depths, options), info);
}

/** VGG-11 with batch normalization: 132.9 million parameters. */
export const vgg11Bn: Arch = arch("vgg11Bn", [1, 1, 2, 2, 2], "vgg11_bn-6002323d");
/** VGG-13 with batch normalization: 133.1 million parameters. */
export const vgg13Bn: Arch = arch("vgg13Bn", [2, 2, 2, 2, 2], "vgg13_bn-abd245e5");
/** VGG-16 with batch normalization: 138.4 million parameters. */
export const vgg16Bn: Arch = arch("vgg16Bn", [2, 2, 3, 3, 3], "vgg16_bn-6c64b313");
/** VGG-19 with batch normalization: 143.7 million parameters. */
export const vgg19Bn: Arch = arch("vgg19Bn", [2, 2, 4, 4, 4], "vgg19_bn-c79401a0");
