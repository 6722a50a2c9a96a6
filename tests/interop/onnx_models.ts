/**
 * Models that are exported to ONNX: each with an example of one item for each input.
 *
 * @module
 */
import { cat, nn, Rng, type Tensor, tensor } from "../../mod.ts";
import { mobilenetV3Small, resnet18, simpleCnn, xresnet18 } from "../../mod.ts";
import { DynamicUnet } from "../../src/vision/models/mod.ts";
import { makeConvNeXt } from "../../src/vision/models/convnext.ts";
import { makeEfficientNet } from "../../src/vision/models/efficientnet.ts";
import { FeatureClassifier } from "../../src/vision/models/feature_classifier.ts";
import { ResNet } from "../../src/vision/models/resnet.ts";
import { vggFeatures } from "../../src/vision/models/vgg.ts";
import { XResNet } from "../../src/vision/models/xresnet.ts";

/** A model, and what it takes. */
export interface Case {
  readonly model: nn.Module<Tensor[], unknown>;
  /** Shapes of the inputs, the number of items first; whole numbers below `below`, where that is given. */
  readonly inputs: readonly { readonly shape: readonly number[]; readonly below?: number }[];
  /** Operators that the file must have, and no other than these where `only` says so. */
  readonly operators: readonly string[];
  readonly only?: boolean;
}

/** Random inputs of a case for `n` items. */
export function inputsOf({ inputs }: Case, n: number, seed = 3): Tensor[] {
  const rng = new Rng(seed);
  return inputs.map(({ shape, below }) => {
    const full = [n, ...shape], size = full.reduce((a, b) => a * b, 1);
    return below === undefined
      ? tensor(Float32Array.from(rng.normalArray(size)), { shape: full })
      : tensor(Int32Array.from(rng.uniformArray(size, 0, below), Math.floor), { shape: full });
  });
}

/** A function of tensors as a model. */
export class Fn extends nn.Module<Tensor[], unknown> {
  constructor(readonly fn: (...x: Tensor[]) => unknown) {
    super();
  }
  override forward(...x: Tensor[]): unknown {
    return this.fn(...x);
  }
}

/** Running statistics as after some training, so that they are not 0 and 1. */
function trained<M extends nn.Module<Tensor[], unknown> | nn.Module>(model: M): M {
  const rng = new Rng(5);
  for (const [name, b] of model.namedBuffers()) {
    if (name.endsWith("running_mean")) b.assign(tensor(Float32Array.from(rng.normalArray(b.size, 0, 0.1))));
    if (name.endsWith("running_var")) b.assign(tensor(Float32Array.from(rng.uniformArray(b.size, 0.8, 1.2))));
  }
  return model;
}

class UNet extends nn.Module {
  readonly down1 = new nn.Sequential(new nn.Conv2d(3, 8, 3, { padding: 1 }), new nn.BatchNorm2d(8), new nn.ReLU());
  readonly down2 = new nn.Sequential(new nn.Conv2d(8, 16, 3, { padding: 1 }), new nn.GroupNorm(4, 16), new nn.SiLU());
  readonly pool = new nn.MaxPool2d(2);
  readonly up = new nn.ConvTranspose2d(16, 8, 3, { stride: 2, padding: 1, outputPadding: 1 });
  readonly upsample = new nn.Upsample({ scale: 2, mode: "bilinear" });
  readonly last = new nn.Conv2d(8 + 8 + 16, 2, 1);
  readonly shuffle = new nn.PixelShuffle(1);
  override forward(x: Tensor): Tensor {
    const a = this.down1.forward(x), b = this.down2.forward(this.pool.forward(a));
    return this.shuffle.forward(this.last.forward(cat([a, this.up.forward(b), this.upsample.forward(b)], { axis: 1 })));
  }
}

/** Causal attention of two heads, in a block of a transformer, with positions that are learnt. */
class Transformer extends nn.Module {
  readonly words = new nn.Embedding(11, 8);
  readonly places = new nn.Embedding(6, 8);
  readonly norm1 = new nn.LayerNorm(8);
  readonly qkv = new nn.Linear(8, 24);
  readonly out = new nn.Linear(8, 8, { bias: false });
  readonly norm2 = new nn.RMSNorm(8);
  readonly mlp = new nn.Sequential(new nn.Linear(8, 16), new nn.GELU(), new nn.Linear(16, 8));
  readonly head = new nn.Linear(8, 11);
  override forward(index: Tensor): Tensor {
    const [n, t] = index.shape;
    let x = this.words.forward(index).add(this.places.forward(tensor(Int32Array.from({ length: t }, (_, i) => i))));
    const [q, k, v] = this.qkv.forward(this.norm1.forward(x)).reshape([n, t, 3, 2, 4]).permute([2, 0, 3, 1, 4])
      .split(1).map((part) => part.reshape([n, 2, t, 4]));
    const scores = q.matmul(k.transpose(2, 3)).mul(0.5);
    const seen = tensor(new Float32Array(t * t).fill(1), { shape: [t, t] }).tril().gt(0);
    const weights = scores.add(seen.not().cast("f32").mul(-1e9)).softmax();
    x = x.add(this.out.forward(weights.matmul(v).permute([0, 2, 1, 3]).reshape([n, t, 8])));
    x = x.add(this.mlp.forward(this.norm2.forward(x)));
    return this.head.forward(x).logSoftmax();
  }
}

/** A gated recurrent unit by hand, step by step, with an empty state at first. */
class Recurrent extends nn.Module {
  readonly input = new nn.Linear(5, 18);
  readonly state = new nn.Linear(6, 18);
  readonly head = new nn.Linear(6, 3);
  override forward(x: Tensor): Tensor {
    const [n, t] = x.shape;
    let h = tensor(new Float32Array(6)).expand([n, 6]);
    for (let i = 0; i < t; i++) {
      const a = this.input.forward(x.slice([null, [i, i + 1]]).reshape([n, 5])), b = this.state.forward(h);
      const [ar, az, an] = a.split(6, { axis: 1 }), [br, bz, bn] = b.split(6, { axis: 1 });
      const r = ar.add(br).sigmoid(), z = az.add(bz).sigmoid();
      h = an.add(r.mul(bn)).tanh().mul(z.neg().add(1)).add(z.mul(h));
    }
    return this.head.forward(h);
  }
}

const image = (size: number, channels = 3) => ({ shape: [channels, size, size] });

/** Architectures. */
export function architectures(): Record<string, () => Case> {
  return {
    mlp: () => ({
      model: new nn.Sequential(new nn.Flatten(), new nn.Linear(12, 8), new nn.ReLU(), new nn.Linear(8, 3)),
      inputs: [{ shape: [3, 4] }],
      operators: ["Flatten", "Gemm", "Relu", "Gemm"],
      only: true,
    }),
    "convolutions": () => ({
      model: trained(
        new nn.Sequential(
          new nn.Conv2d(3, 8, 3, { stride: 2, padding: 1, bias: false }),
          new nn.BatchNorm2d(8),
          new nn.LeakyReLU(0.1),
          new nn.Conv2d(8, 8, 3, { groups: 8, padding: 2, dilation: 2 }),
          new nn.Conv2d(8, 4, 1, { groups: 2 }),
          new nn.InstanceNorm2d(4),
          new nn.AvgPool2d(2, { stride: 1 }),
          new nn.AdaptiveConcatPool2d(1),
          new nn.Flatten(),
          new nn.BatchNorm1d(8),
          new nn.Dropout(0.5),
          new nn.Linear(8, 4),
          new nn.Softmax(),
        ),
      ),
      inputs: [image(13)],
      operators: ["Conv", "BatchNormalization", "LeakyRelu", "AveragePool", "GlobalMaxPool", "Softmax"],
    }),
    "resnet18": () => ({
      model: trained(resnet18({ nOut: 5, rng: new Rng(1) })),
      inputs: [image(32)],
      operators: ["Conv", "BatchNormalization", "MaxPool", "GlobalAveragePool", "Gemm"],
      only: true,
    }),
    "xresnet18": () => ({
      model: trained(xresnet18({ nOut: 5, rng: new Rng(1) })),
      inputs: [image(32)],
      operators: ["Conv", "BatchNormalization", "MaxPool", "Gemm"],
    }),
    "xseResnext18": () => ({
      model: trained(
        new XResNet(4, [1, 1, 1, 1], { nOut: 5, rng: new Rng(1) }, { groups: 32, reduction: 16, inside: [2, 2] }),
      ),
      inputs: [image(32)],
      operators: ["Conv", "BatchNormalization", "GlobalAveragePool", "Sigmoid", "Mul", "Gemm"],
    }),
    "mobilenetV3Small": () => ({
      model: trained(mobilenetV3Small({ nOut: 5, rng: new Rng(1) })),
      inputs: [image(32)],
      operators: ["Conv", "BatchNormalization", "HardSwish", "HardSigmoid", "GlobalAveragePool", "Gemm"],
    }),
    "efficientnet": () => ({
      model: trained(
        makeEfficientNet("a net", { width: 0.25, depth: 0.3, dropout: 0.2, large: true }, { nOut: 5, rng: new Rng(1) }),
      ),
      inputs: [image(32)],
      operators: ["Conv", "BatchNormalization", "Sigmoid", "GlobalAveragePool", "Gemm"],
    }),
    "convnext": () => ({
      model: makeConvNeXt("a net", { dims: [8, 12], depths: [1, 2], drop: 0.1 }, { nOut: 5, rng: new Rng(1) }),
      inputs: [image(32)],
      operators: ["Conv", "LayerNormalization", "Transpose", "MatMul", "GlobalAveragePool", "Gemm"],
    }),
    "vgg": () => ({
      model: trained(
        new FeatureClassifier(
          vggFeatures([1, 1, 1, 1, 1], { rng: new Rng(1) }),
          7,
          new nn.Sequential(new nn.Linear(512 * 49, 5, { rng: new Rng(2) })),
        ),
      ),
      inputs: [image(32)],
      operators: ["Conv", "BatchNormalization", "MaxPool", "Gemm"],
    }),
    "unet": () => ({
      model: trained(new UNet()),
      inputs: [image(16)],
      operators: ["Conv", "ConvTranspose", "Resize", "Concat", "MaxPool"],
    }),
    "dynamic unet": () => {
      const part = (from: number, to: number) =>
        new nn.Sequential(new nn.Conv2d(from, to, 3, { stride: 2, padding: 1 }), new nn.BatchNorm2d(to), new nn.ReLU());
      const body = new nn.Sequential(part(3, 4), part(4, 8), part(8, 16));
      return {
        model: trained(new DynamicUnet(body, 2, { width: 24, height: 24 }, { blur: true })),
        inputs: [image(24)],
        operators: ["Conv", "Concat", "AveragePool"],
      };
    },
    "table": () => ({
      model: trained(
        new nn.TabularModel(
          { categorical: [{ words: ["a", "b"] }, { words: ["x", "y", "z"] }], numeric: [{}, {}, {}] },
          2,
          { layers: [8, 4], dropout: 0.1 },
        ),
      ) as unknown as nn.Module<Tensor[], unknown>,
      inputs: [{ shape: [2], below: 3 }, { shape: [3] }],
      operators: ["Gather", "Concat", "BatchNormalization", "Gemm"],
    }),
    "transformer": () => ({
      model: new Transformer() as unknown as nn.Module<Tensor[], unknown>,
      inputs: [{ shape: [6], below: 11 }],
      operators: ["Gather", "LayerNormalization", "MatMul", "Softmax", "LogSoftmax"],
    }),
    "recurrent": () => ({
      model: new Recurrent() as unknown as nn.Module<Tensor[], unknown>,
      inputs: [{ shape: [4, 5] }],
      operators: ["Gemm", "Sigmoid", "Tanh"],
    }),
    "cnn": () => ({
      model: trained(simpleCnn({ nOut: 4, nIn: 1 })),
      inputs: [image(28, 1)],
      operators: ["Conv", "BatchNormalization"],
    }),
    "bottlenecks": () => ({
      model: trained(new ResNet("bottleneck", [1, 1, 1, 1], { nOut: 3, rng: new Rng(1) })),
      inputs: [image(32)],
      operators: ["Conv", "BatchNormalization"],
    }),
  };
}
