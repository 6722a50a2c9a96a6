/**
 * U-Nets against fastai's `DynamicUnet`: names, outputs and gradients.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ConfigError, ShapeError } from "../../src/base/errors.ts";
import { Conv2d, ReLU, Sequential } from "../../src/nn/mod.ts";
import { backward, type Tensor, tensor, zeros } from "../../src/tensor/mod.ts";
import { createUnetModel, DynamicUnet, resnet18 } from "../../src/vision/models/mod.ts";
import { onDevices } from "../support/devices.ts";
import { fillF32 } from "../support/fill.ts";
import { loadGolden } from "../support/golden.ts";

interface Case {
  readonly name: string;
  readonly size: readonly [number, number];
  readonly nOut: number;
  readonly options: {
    readonly blur?: boolean;
    readonly blur_final?: boolean;
    readonly last_cross?: boolean;
    readonly y_range?: readonly [number, number];
  };
  readonly state: readonly (readonly [string, readonly number[]])[];
  readonly y: readonly number[];
  readonly yEval: readonly number[];
  readonly grads: Readonly<Record<string, readonly [norm: number, first: number]>>;
}

const golden = loadGolden<{
  readonly cases: readonly Case[];
  readonly resnet18: readonly (readonly [string, readonly number[]])[];
}>("unet.json");

const conv = (cin: number, cout: number, stride = 1) => new Conv2d(cin, cout, 3, { padding: 1, stride });
const encoder = () => new Sequential(conv(3, 4), new ReLU(), conv(4, 6, 2), new ReLU(), conv(6, 8, 2), new ReLU());
const halved = () => new Sequential(conv(3, 4, 2), new ReLU(), conv(4, 8, 2), new ReLU());

function net({ name, size: [height, width], nOut, options }: Case): DynamicUnet {
  return new DynamicUnet(name === "same" || name === "odd" ? encoder() : halved(), nOut, { width, height }, {
    blur: options.blur ?? false,
    blurFinal: options.blur_final ?? true,
    lastCross: options.last_cross ?? true,
    ...(options.y_range === undefined ? {} : { yRange: options.y_range }),
  });
}

/** The recorded weights: `fill` by the parameter's number, of a scale that its kind decides. */
function fillWeights(model: DynamicUnet): void {
  const state = new Map<string, Tensor>();
  [...model.namedParameters()].forEach(([name, { shape, size }], k) => {
    const matrix = shape.length > 1, scale = matrix ? Math.sqrt(6 / (size / shape[0])) : 0.1;
    const one = !matrix && (name.endsWith("bn.weight") || name.startsWith("layers.1.weight"));
    state.set(name, tensor(fillF32(500 + k, size, scale).map((v) => v + (one ? 1 : 0)), { shape }));
  });
  model.loadStateDict(state, { strict: false });
}

function near(got: ArrayLike<number>, want: readonly number[], tolerance: number, what: string): void {
  assertEquals(got.length, want.length, what);
  const scale = Math.max(...want.map(Math.abs));
  want.forEach((v, i) =>
    assert(Math.abs(got[i] - v) <= tolerance * scale, `${what} ${i}: got ${got[i]}, recorded ${v}`)
  );
}

const some = (all: ArrayLike<number>): number[] => Array.from(all).filter((_, i) => i % 7 === 0);

for (const recorded of golden.cases) {
  onDevices(`DynamicUnet ${recorded.name}: outputs and gradients are fastai's`, async () => {
    const model = net(recorded), [height, width] = recorded.size;
    assertEquals(
      [...model.stateDict()].map(([name, { shape }]) => [name, [...shape]]),
      recorded.state.map(([name, shape]) => [name, [...shape]]),
    );
    fillWeights(model);
    const x = tensor(fillF32(9, 6 * height * width, 1), { shape: [2, 3, height, width] });
    const y = model.forward(x);
    assertEquals(y.shape, [2, recorded.nOut, height, width]);
    backward(y.mul(tensor(fillF32(10, y.size, 1), { shape: y.shape })).sum());
    near(some(await y.data()), recorded.y, 1e-5, "y");
    for (const [name, p] of model.namedParameters()) {
      const grad = await p.grad!.data(), norm = Math.hypot(...grad), [want, first] = recorded.grads[name];
      // a bias before a batch normalization has no gradient but for rounding
      assert(Math.abs(norm - want) <= 1e-4 * want + 1e-4, `${name}: gradient of norm ${norm}, recorded ${want}`);
      assert(Math.abs(grad[0] - first) <= 1e-4 * want + 1e-4, `${name}: ${grad[0]}, recorded ${first}`);
    }
    model.eval();
    near(some(await model.forward(x).data()), recorded.yEval, 1e-5, "y in evaluation");
  }, { kinds: ["cpu", "webgpu"] });
}

Deno.test("a U-Net over resnet18 has fastai's names and shapes", async () => {
  const model = await createUnetModel(resnet18, 2, 64, { pretrained: false });
  assertEquals(
    [...model.stateDict()].map(([name, { shape }]) => [name, [...shape]]).sort(),
    golden.resnet18.map(([name, shape]) => [name, shape]).sort() as [string, number[]][],
  );
});

Deno.test("enlargements start without a checkerboard: the four pixels of one are alike", async () => {
  const model = net(golden.cases[1]);
  const weight = new Map(model.namedParameters()).get("layers.4.shuf.0.0.weight")!;
  const data = await weight.data(), row = data.length / weight.shape[0];
  for (let o = 0; o < weight.shape[0]; o++) {
    const first = (o >> 2) * 4;
    assertEquals(data.slice(o * row, (o + 1) * row), data.slice(first * row, (first + 1) * row));
  }
  assert(new Set(data).size > row, "channels differ");
});

Deno.test("U-Nets refuse what they cannot be made of, and images with other channels", () => {
  const size = { width: 8, height: 8 };
  assertThrows(() => new DynamicUnet(new Sequential(conv(3, 4)), 2, size), ConfigError, "no layer of the encoder");
  assertThrows(() => new DynamicUnet(halved(), 0, size), ConfigError, "nOut is a whole number from 1");
  assertThrows(() => new DynamicUnet(halved(), 2, size).forward(zeros([1, 1, 8, 8])), ShapeError, "[n, 3, h, w]");
});
