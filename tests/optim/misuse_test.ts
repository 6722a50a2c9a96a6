/**
 * What optimizers refuse, and what they say.
 */
import { assertEquals, assertThrows } from "@std/assert";
import { ConfigError, DtypeError, ShapeError } from "../../src/base/errors.ts";
import { Adam, Larc, Lookahead, Optimizer, type ParamsLike, SGD, slice } from "../../src/optim/mod.ts";
import { type Parameter, tensor, zeros } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";
import { bits, param } from "./support.ts";

Deno.test("what is no list of parameters", () => {
  const p = param(1), q = param(2);
  const wrong = (x: unknown): ParamsLike => x as ParamsLike;
  const refused: [ParamsLike, string][] = [
    [[], "Cannot make an optimizer: there are no parameters"],
    [[[], []], "Cannot make an optimizer: there are no parameters"],
    [[p, q, p], "Cannot make an optimizer: a parameter of shape [1] is there twice"],
    [[[p], [q, p]], "Cannot make an optimizer: a parameter of shape [1] is there twice"],
    [wrong([zeros([2])]), "Cannot optimize a Tensor: it is no Parameter"],
    [wrong([3]), "Cannot optimize 3: it is no Parameter"],
    [wrong([null]), "Cannot optimize null: it is no Parameter"],
    [wrong([[p], q]), "Cannot make an optimizer: the first entry is a group of parameters, entry 1 is not"],
    [wrong([p, [q]]), "Cannot make an optimizer: the first entry is no group of parameters, a later one is"],
    [wrong("abc"), "Cannot make an optimizer of string: parameters come in an array, or in arrays as groups"],
  ];
  for (const [params, text] of refused) assertThrows(() => SGD(params), ConfigError, text);
});

Deno.test("options that an optimizer does not have", () => {
  const p = [param(1)];
  assertThrows(
    () => SGD(p, { eps: 1 }),
    ConfigError,
    "Cannot make this optimizer with eps: the options are lr, mom, wd, decoupleWd",
  );
  assertThrows(
    () => Adam(p, { k: 6 }),
    ConfigError,
    "Cannot make this optimizer with k: the options are lr, mom, sqrMom",
  );
  assertThrows(() => Adam(p, { clip: false }), ConfigError, "Cannot make this optimizer with clip");
  assertThrows(() => Adam(p, { lr: NaN }), ConfigError, "Cannot make this optimizer with lr NaN");
  assertEquals(Larc(p, { clip: false }).hyperNames, ["lr", "mom", "trustCoeff", "eps", "wd"]);
});

Deno.test("Lookahead's own options", () => {
  const p = [param(1)];
  const refused = "Cannot look back every 0 steps: k is a whole number from 1";
  assertThrows(() => Lookahead(SGD, { k: 0 })(p), ConfigError, refused);
  assertThrows(() => Lookahead(SGD)(p, { k: 1.5 }), ConfigError, "Cannot look back every 1.5 steps");
  assertThrows(() => Lookahead(SGD, { alpha: 2 })(p), ConfigError, "Cannot follow by 2: alpha is from 0 to 1");
});

Deno.test("freezing", () => {
  const one = SGD([param(1)]);
  assertThrows(() => one.freeze(), ConfigError, "Cannot freeze: there is one parameter group; split the model first");
  assertThrows(() => one.freezeTo(0.5), ConfigError, "Cannot freeze up to group 0.5: it must be a whole number");
  assertThrows(() => one.freezeTo(5), ConfigError, "n is from -1 to 1; split the model first, with a splitter");
});

onDevices("gradients that do not fit leave everything as it was", async () => {
  const p = [param(1, 2), param(3)];
  const opt = SGD(p, { lr: 1, mom: 0.9 });
  const before = await bits(p);
  const attempt = (grad: Parameter["grad"]) => {
    p[0].grad = zeros([2]).add(1);
    p[1].grad = grad;
    opt.step();
  };
  assertThrows(
    () => attempt(zeros([2])),
    ShapeError,
    "Cannot use a gradient of shape [2] for a parameter of shape [1]: the shapes must be equal",
  );
  assertThrows(() => attempt(tensor([1], { dtype: "i32" })), DtypeError, "Cannot use a i32 gradient");
  assertEquals(await bits(p), before);
  assertEquals(opt.stateDict().state, [{}, {}]);
});

Deno.test("norms that are none, and statistics that nobody keeps", () => {
  const opt = SGD([param(1)]);
  assertThrows(() => opt.gradNorm(0), ConfigError, "Cannot take the 0-norm of gradients: it must be above 0");
  const odd = Optimizer.from([{ apply: (u) => u.setStat("gradAvg", u.g) }])([param(1)]);
  odd.groups[0][0].grad = zeros([1]);
  assertThrows(() => odd.step(), ConfigError, "Cannot use the statistic gradAvg: no stepper keeps it, there are none");
});

Deno.test("hyper-parameters keep their signs", () => {
  const cases: [string, number, string][] = [
    ["lr", -1, "Cannot set lr to -1: it is a number from 0 on"],
    ["wd", -0.1, "Cannot set wd to -0.1: it is a number from 0 on"],
    ["eps", -1e-8, "Cannot set eps to -1e-8: it is a number from 0 on"],
    ["mom", 1.5, "Cannot set mom to 1.5: it is a number from 0 to 1"],
    ["sqrMom", -0.5, "Cannot set sqrMom to -0.5: it is a number from 0 to 1"],
  ];
  const opt = Adam([param(1)]);
  for (const [name, value, told] of cases) {
    assertThrows(() => Adam([param(1)], { [name]: value }), ConfigError, told);
    assertThrows(() => opt.setHyper(name, value), ConfigError, told);
    opt.setHyper(name, 0);
  }
  assertThrows(() => opt.setHyper("lr", slice(-1)), ConfigError, "Cannot set lr to -1");
});
