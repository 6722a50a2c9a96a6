/** Layers of torchvision's nets: what the recorded cases do not say. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ConfigError, nn, ones, Rng, ShapeError, zeros } from "../../mod.ts";
import { onDevices } from "../support/devices.ts";

onDevices("StochasticDepth leaves out whole items, or the batch, and keeps the mean", async () => {
  const layer = new nn.StochasticDepth(0.25, "row", { rng: new Rng(5) }), n = 4000;
  const rows = await layer.forward(ones([n, 3])).data();
  let kept = 0;
  for (let i = 0; i < n; i++) {
    const [a, b, c] = rows.subarray(3 * i);
    assertEquals([a, b], [b, c]);
    assert(a === 0 || Math.abs(a - 1 / 0.75) < 1e-6);
    if (a !== 0) kept++;
  }
  assert(Math.abs(kept - 0.75 * n) < 6 * Math.sqrt(n * 0.75 * 0.25), `${kept} of ${n} were kept`);
  const batch = await new nn.StochasticDepth(0.5, "batch", { rng: new Rng(5) }).forward(ones([8, 3])).data();
  assertEquals(new Set(batch).size, 1);
  const x = ones([2, 2]);
  assertEquals(layer.train().forward(x.half()).dtype, "f16"); // as of every layer of dropout
  assertEquals(layer.eval().forward(x), x);
});

Deno.test("layers of vision refuse what they do not take", () => {
  assertThrows(() => new nn.StochasticDepth(1.5), ConfigError, "p is a probability from 0 to 1, got 1.5");
  assertThrows(() => new nn.StochasticDepth(0.5, "rows" as "row"), ConfigError, '"row" or "batch"');
  assertThrows(() => new nn.StochasticDepth(0.5).forward(zeros([])), ShapeError, "it takes [n, ...]");
  assertThrows(() => new nn.Permute([0, 2]), ConfigError, "dims are the axes 0, 1, ... in another order, got 0,2");
  assertThrows(() => new nn.LayerNorm2d(3).forward(zeros([2, 4, 1, 1])), ShapeError, "it takes [n, 3, h, w]");
  assertThrows(() => new nn.SqueezeExcitation(0, 2), ConfigError, "inputChannels");
});
