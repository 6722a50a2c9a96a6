/** What holds for every normalization, those that come later too. */
import { assertEquals, assertThrows } from "@std/assert";
import { ConfigError, DataLoaders, Learner, nn, type Parameter, silentLogger, type Tensor } from "../../mod.ts";
import { applyInit } from "../../src/vision/models/vision_model.ts";
import { onDevices } from "../support/devices.ts";

/** Each with its parameters, for 4 channels. */
const NORMS: readonly ((options: { eps?: number }) => nn.Norm)[] = [
  (o) => new nn.BatchNorm1d(4, o),
  (o) => new nn.BatchNorm2d(4, o),
  (o) => new nn.LayerNorm(4, o),
  (o) => new nn.LayerNorm([4, 2], o), // a weight of two axes is no matrix to be drawn
  (o) => new nn.LayerNorm2d(4, o),
  (o) => new nn.RMSNorm([4, 2], o),
  (o) => new nn.GroupNorm(2, 4, o),
  (o) => new nn.InstanceNorm2d(4, { affine: true, ...o }),
];

Deno.test("every normalization stands in the list", () => {
  const kinds = Object.values(nn).filter((v) => typeof v === "function" && v.prototype instanceof nn.Norm);
  const listed = NORMS.map((make) => make({}).constructor as unknown);
  assertEquals(kinds.filter((kind) => !listed.includes(kind)), [nn.BatchNorm]); // abstract
});

Deno.test("eps is a finite number above 0", () => {
  for (const make of NORMS) {
    assertEquals(make({ eps: 0.5 }).eps, 0.5);
    for (const eps of [0, -1, Infinity]) {
      assertThrows(() => make({ eps }), ConfigError, "eps is a finite number above 0");
    }
  }
  assertEquals(new nn.RMSNorm(4).eps, 2 ** -23);
  assertEquals(new nn.RMSNorm(4, { eps: null }).eps, 2 ** -23);
});

onDevices("parameters of normalizations do not decay, train on in frozen groups, and are not drawn", async () => {
  for (const make of NORMS) {
    const norm = make({});
    class Net extends nn.Module {
      readonly norm = norm;
      readonly head = new nn.Linear(4, 1);
      override forward(x: Tensor): Tensor {
        return this.head.forward(x);
      }
    }
    const model = new Net(), own = norm.parameters();
    const data = { data: new Float32Array(8), shape: [2, 4] };
    const dls = DataLoaders.fromArrays({ x: data, y: { data: new Float32Array(2), shape: [2, 1] } }, { bs: 2 });
    const learn = new Learner(dls, model, {
      lossFunc: new nn.MSELoss(),
      wd: 0.1,
      splitter: (m) => [own, m.head.parameters()],
      logger: silentLogger,
    });
    learn.freeze();
    const { state } = learn.opt.stateDict();
    const flags = (list: readonly Parameter[]) => list.map((p) => state[model.parameters().indexOf(p)]);
    const kind = norm.constructor.name;
    for (const { doWd, forceTrain } of flags(own)) assertEquals([kind, doWd, forceTrain], [kind, false, true]);
    assertEquals(flags([model.head.weight]).map(({ doWd, forceTrain }) => [doWd ?? true, forceTrain ?? false]), [[
      true,
      false,
    ]]);
    const before = await Promise.all(own.map((p) => p.array()));
    applyInit(model, (shape) => new Float32Array(shape.reduce((a, b) => a * b)).fill(7));
    assertEquals(await Promise.all(own.map((p) => p.array())), before, kind);
  }
}, { kinds: ["cpu"] });
