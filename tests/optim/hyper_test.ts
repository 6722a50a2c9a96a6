/**
 * Hyper-parameters: values for groups, as fastai spreads them.
 */
import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { ConfigError } from "../../src/base/errors.ts";
import { Adam, type HyperValue, RMSProp, SGD, slice } from "../../src/optim/mod.ts";
import { param } from "./support.ts";

const groups = () => [[param(1)], [param(2)], [param(3)]];

Deno.test("a slice, a number, a list: values of three groups", () => {
  const cases: [HyperValue, number[]][] = [
    [slice(1e-2), [1e-3, 1e-3, 1e-2]],
    [slice(1e-4, 1e-2), [1e-4, 1e-3, 1e-2]],
    [slice(0, 1e-2), [1e-3, 1e-3, 1e-2]], // a start of 0 is none, as in fastai
    [0.5, [0.5, 0.5, 0.5]],
    [[0.5], [0.5, 0.5, 0.5]],
    [[1, 2, 3], [1, 2, 3]],
  ];
  for (const [value, want] of cases) {
    const made = SGD(groups(), { lr: value }), set = SGD(groups());
    set.setHyper("lr", value);
    for (const opt of [made, set]) {
      opt.hypers.forEach((h, i) => assertAlmostEquals(h.lr, want[i], want[i] * 1e-12, JSON.stringify(value)));
    }
  }
});

Deno.test("one group gets the stop of a slice", () => {
  const opt = SGD([param(1)], { lr: slice(1e-4, 1e-2) });
  assertEquals(opt.hypers, [{ lr: 1e-2, mom: 0, wd: 0 }]);
  opt.setHyper("lr", slice(3));
  assertEquals(opt.hypers[0].lr, 3);
});

Deno.test("defaults are fastai's", () => {
  assertEquals(Adam([param(1)]).hypers, [{ lr: 1e-3, mom: 0.9, sqrMom: 0.99, eps: 1e-5, wd: 0.01 }]);
  assertEquals(RMSProp([param(1)]).hypers, [{ lr: 1e-3, mom: 0, sqrMom: 0.99, eps: 1e-8, wd: 0 }]);
});

Deno.test("with() gives the same kind with other defaults, over and over", () => {
  const f = Adam.with({ wd: 0.2 }).with({ lr: 0.5, eps: undefined });
  assertEquals(f.lr, 0.5);
  assertEquals(Adam.lr, undefined);
  assertEquals(f([param(1)], { wd: 0.3, lr: undefined }).hypers, [{
    lr: 0.5,
    mom: 0.9,
    sqrMom: 0.99,
    eps: 1e-5,
    wd: 0.3,
  }]);
});

Deno.test("momentum of some group is momentum", () => {
  assertEquals(SGD(groups(), { mom: [0, 0, 0.9] }).steppers.length, 3);
  assertEquals(SGD(groups(), { mom: slice(0.9) }).steppers.length, 3);
  assertEquals(SGD(groups(), { mom: [0, 0, 0] }).steppers.length, 2);
});

Deno.test("what setHyper refuses", () => {
  const opt = Adam(groups());
  const before = structuredClone(opt.hypers);
  const refused: [string, HyperValue, string][] = [
    ["lr", [1, 2], "Cannot set lr to 2 values: the optimizer has 3 parameter groups"],
    ["lr", NaN, "Cannot set lr to NaN: hyper-parameters are finite numbers"],
    ["wd", [0, Infinity, 0], "Cannot set wd to Infinity: hyper-parameters are finite numbers"],
    ["sqrmom", 1, "Cannot set sqrmom: this optimizer has lr, mom, sqrMom, eps, wd; did you mean sqrMom?"],
    ["toString", 1, "Cannot set toString: this optimizer has lr, mom, sqrMom, eps, wd"],
  ];
  for (const [name, value, text] of refused) assertThrows(() => opt.setHyper(name, value), ConfigError, text);
  assertEquals(opt.hypers, before);
  assertThrows(() => slice(NaN), ConfigError, "Cannot make a slice of NaN: its ends are finite numbers");
});
