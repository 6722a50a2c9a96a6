/**
 * Architectures against torchvision's and fastai's: names, numbers of parameters, outputs, gradients; and what learners
 * make of them.
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ConfigError } from "../../src/base/errors.ts";
import { session } from "../../src/graph/session.ts";
import * as nn from "../../src/nn/mod.ts";
import { backward, noGrad, readAll, Rng, type Tensor, tensor, zeros } from "../../src/tensor/mod.ts";
import { makeConvNeXt } from "../../src/vision/models/convnext.ts";
import { makeEfficientNet } from "../../src/vision/models/efficientnet.ts";
import { FeatureClassifier } from "../../src/vision/models/feature_classifier.ts";
import { makeMobileNetV3 } from "../../src/vision/models/mobilenet.ts";
import {
  type ArchOptions,
  createBody,
  createUnetModel,
  createVisionModel,
  DynamicUnet,
  splitterOf,
  type VisionModel,
} from "../../src/vision/models/mod.ts";
import { archOf, archs } from "../../src/vision/models/named.ts";
import { vggFeatures } from "../../src/vision/models/vgg.ts";
import { XResNet } from "../../src/vision/models/xresnet.ts";
import { onDevices } from "../support/devices.ts";
import { fillF32 } from "../support/fill.ts";
import { loadGolden } from "../support/golden.ts";

interface Recorded {
  readonly size: number;
  readonly batch: number;
  readonly eval: readonly number[];
}

interface RecordedStep extends Recorded {
  readonly train: readonly number[];
  readonly loss: number;
  readonly grads: Readonly<Record<string, readonly [norm: number, first: number]>>;
  readonly running: Readonly<Record<string, readonly number[]>>;
}

interface Golden {
  readonly meta: { readonly seed: number; readonly input: number };
  readonly signatures: Readonly<Record<string, readonly [count: number, digest: string]>>;
  readonly cases: Readonly<Record<string, Recorded | RecordedStep>>;
}

const golden = loadGolden<Golden>("architectures.json");
const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
const blank = (shape: readonly number[]): Float32Array => new Float32Array(sizeOf(shape));
const options: ArchOptions = { nOut: 10, init: blank };

/** Larger nets are the same code with larger numbers; making them takes a gigabyte. */
const MOST_PARAMETERS = 15e6;

Deno.test("names, shapes and numbers of parameters are torchvision's and fastai's", async () => {
  for (const [name, [count, digest]] of Object.entries(golden.signatures)) {
    const arch = archOf(name);
    assertEquals(arch.name, name);
    if (count > MOST_PARAMETERS) continue;
    const model = arch({ init: blank });
    assertEquals(model.parameters().reduce((n, p) => n + p.size, 0), count, name);
    const lines = [...model.stateDict()].map(([key, { shape }]) => `${key}[${shape.join(",")}]\n`).join("");
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(lines)));
    assertEquals(hash.toHex(), digest, `${name}:\n${lines}`);
  }
});

/** The net of a recorded case. */
function modelOf(name: string): VisionModel {
  switch (name) {
    case "vgg16Bn":
      return new FeatureClassifier(
        vggFeatures([2, 2, 3, 3, 3], options),
        7,
        new nn.Sequential(new nn.Linear(512 * 49, 10)),
      );
    case "small ConvNeXt":
      return makeConvNeXt(name, { dims: [8, 12], depths: [1, 2], drop: 0.1 }, options);
    case "small EfficientNet":
      return makeEfficientNet(name, { width: 0.25, depth: 0.3, dropout: 0.2, large: false }, options);
    case "small MobileNetV3":
      return makeMobileNetV3(
        name,
        [
          [8, 3, 8, 8, true, "relu", 2],
          [8, 5, 24, 16, true, "hardswish", 2],
          [16, 5, 24, 16, false, "hardswish", 1],
        ],
        20,
        options,
      );
    case "small XResNeXt":
      return new XResNet(4, [1, 1, 1, 1], options, { groups: 32, reduction: 16, inside: [2, 2] });
    default:
      return archOf(name)(options);
  }
}

/** Fills the weights as the recording does, and turns off what is random. */
function fill(model: VisionModel): VisionModel {
  const state = new Map<string, Tensor>();
  [...model.namedParameters()].forEach(([name, { shape }], k) => {
    const matrix = shape.length > 1, size = sizeOf(shape);
    const scale = name.endsWith("layer_scale") ? 0.5 : matrix ? Math.sqrt(6 / (size / shape[0])) : 0.1;
    const offset = !matrix && name.endsWith("weight") ? 1 : 0, values = fillF32(golden.meta.seed + k, size, scale);
    state.set(name, tensor(offset === 0 ? values : values.map((v) => v + offset), { shape }));
  });
  model.loadStateDict(state, { strict: false });
  for (const m of model.modules()) if (m instanceof nn.Dropout || m instanceof nn.StochasticDepth) m.training = false;
  return model;
}

/** Fails unless all numbers are as near as `tolerance`, relative to the largest of them. */
function near(got: ArrayLike<number>, want: readonly number[], tolerance: number, what: string): void {
  assertEquals(got.length, want.length, what);
  const scale = Math.max(...want.map(Math.abs));
  want.forEach((v, i) => {
    assert(Math.abs(got[i] - v) <= tolerance * scale, `${what} ${i}: got ${got[i]}, recorded ${v}`);
  });
}

const norm = (values: Float32Array): number => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0));

function images({ size, batch }: Recorded): Tensor {
  const shape = [batch, 3, size, size];
  return tensor(fillF32(golden.meta.input, sizeOf(shape), 1), { shape });
}

/** One step of training: outputs, loss, gradients, and what the normalizations keep of it. */
async function trainStep(model: VisionModel, recorded: RecordedStep): Promise<void> {
  const targets = tensor(Int32Array.from({ length: recorded.batch }, (_, i) => i * 3 % 10));
  const logits = model.forward(images(recorded)), loss = new nn.CrossEntropyLoss().forward(logits, targets);
  backward(loss);
  const parameters = model.namedParameters();
  const names = Object.keys(recorded.grads);
  assertEquals([...parameters.keys()], names);
  const [train, lossValue, ...grads] = await readAll([logits, loss, ...names.map((n) => parameters.get(n)!.grad!)]);
  near(train, recorded.train, 1e-4, "logits in training");
  near(lossValue, [recorded.loss], 1e-4, "loss");
  const largest = Math.max(...Object.values(recorded.grads).map(([n]) => n));
  names.forEach((key, i) => {
    const [l2, first] = recorded.grads[key], got = Float32Array.from(grads[i]), rms = l2 / Math.sqrt(got.length);
    const allowed = Math.max(1e-3 * l2, 1e-6 * largest); // of a bias before a normalization nothing is left
    assert(Math.abs(norm(got) - l2) <= allowed, `norm of the gradient of ${key}: got ${norm(got)}, recorded ${l2}`);
    assert(
      Math.abs(got[0] - first) <= Math.max(1e-3 * Math.max(rms, Math.abs(first)), 1e-6 * largest),
      `gradient of ${key}: got ${got[0]}, recorded ${first}`,
    );
  });
  session.endStep();
  const state = model.stateDict();
  for (const [key, want] of Object.entries(recorded.running)) {
    near((await state.get(key)!.data()).slice(0, want.length), want, 1e-4, key);
  }
}

/** Those that have every kind of layer between them: a software adapter takes seconds for the kernels of each. */
const ON_WEBGPU: ReadonlySet<string> = new Set(["small ConvNeXt", "small EfficientNet"]);

for (const [name, recorded] of Object.entries(golden.cases)) {
  const whole = !("grads" in recorded);
  onDevices(`${name}: ${whole ? "outputs are" : "outputs, gradients and statistics are"} those recorded`, async () => {
    const model = fill(modelOf(name));
    if ("grads" in recorded) await trainStep(model, recorded);
    model.eval();
    near(await noGrad(() => model.forward(images(recorded))).data(), recorded.eval, 1e-4, "logits in evaluation");
  }, { kinds: ON_WEBGPU.has(name) ? ["cpu", "webgpu"] : ["cpu"] });
}

/** A body and a head, without drawing weights that are not looked at. */
const learnable = async (name: string) => {
  const body = await createBody(name, { pretrained: false, init: blank });
  return new nn.Sequential(body as nn.Module, new nn.Linear(2, 2));
};

Deno.test("bodies have fastai's cuts, names and groups", async () => {
  const model = await createVisionModel("mobilenet_v3_small", 3, { pretrained: false, rng: new Rng(1) });
  const names = [...model.namedParameters().keys()];
  assertEquals(names[0], "0.0.0.0.weight"); // of Sequential(features)
  assertEquals(names.filter((n) => n.startsWith("1.")).length, 6);
  assertEquals(model.namedParameters().get("1.2.weight")!.shape, [2 * 576]); // twice: largest elements and means
  assertEquals(model.forward(zeros([2, 3, 64, 64])).shape, [2, 3]);
  assertEquals(splitterOf("mobilenetV3Small")(model).map((g) => [g].flat().length), [names.length - 6, 6]);
  // 22 of the features' layers are six convolutions and normalizations, and what lies between
  const vgg = await learnable("vgg11_bn"), all = vgg.at(0).parameters().length;
  assertEquals(splitterOf("vgg11Bn")(vgg).map((g) => [g].flat().length), [24, all - 24, 2]);
  const squeezed = await learnable("xse_resnet18");
  assertEquals(splitterOf("xseResnet18")(squeezed).map((g) => [g].flat().length), [
    squeezed.at(0).parameters().length,
    2,
  ]);
});

Deno.test("a U-Net goes over what lies inside of a body", async () => {
  const net = await createUnetModel("mobilenetV3Small", 2, 32, { pretrained: false, rng: new Rng(1) });
  assert(net instanceof DynamicUnet);
  assertEquals(net.eval().forward(zeros([1, 3, 32, 32])).shape, [1, 2, 32, 32]);
  // from 16 pixels to 1
  assertEquals(net.decoder.filter((m) => m.constructor.name === "UnetBlock").length, 4);
});

Deno.test("architectures are known by name", async () => {
  assert(archs().size > 40);
  for (const arch of archs().values()) assertEquals(archOf(arch.name), arch);
  assertEquals(archOf("ConvNeXt-Tiny"), archOf("convnext_tiny"));
  assertThrows(
    () => archOf("resnet19"),
    ConfigError,
    'Cannot use "resnet19" as architecture: it is a function, such as',
  );
  await assertRejects(() => createBody("vgg"), ConfigError, "vgg11Bn, vgg13Bn");
});
