/**
 * Products and convolutions at random: sizes around the edges of tiles, panels and blocks, operands that lie anyhow.
 *
 * @module
 */
import { fillF32 } from "../../../support/fill.ts";
import { CaseBuilder, type ProgramCase, sumTolerance } from "../../../support/programs_builder.ts";
import { forward, type Images, weightGradient } from "../../../support/programs_conv.ts";
import { Rng } from "../../../../src/tensor/mod.ts";

type Draw = (below: number) => number;

const drawer = (seed: number): Draw => {
  const rng = new Rng(seed);
  return (below) => rng.integer(below);
};

/** A size: mostly small, sometimes past a panel, a block of the inner axis, or a block of columns. */
function size(draw: Draw, most: number): number {
  const kind = draw(10);
  if (kind < 5) return 1 + draw(20);
  if (kind < 9) return 1 + draw(Math.min(most, 150));
  return 1 + draw(most);
}

/** An operand `[rows, columns]` somewhere in its slot: rows or columns along memory, backwards, with gaps, or one for all. */
function operand(draw: Draw, c: CaseBuilder, rows: number, columns: number, seed: number) {
  const gap = () => draw(3) === 0 ? draw(7) : 0;
  let strides: [number, number];
  if (draw(2) === 0) {
    const inner = draw(8) === 0 ? 2 : 1;
    strides = [columns * inner + gap(), inner];
  } else {
    const inner = draw(8) === 0 ? 3 : 1;
    strides = [inner, rows * inner + gap()];
  }
  strides = strides.map((s) => draw(8) === 0 ? -s : draw(12) === 0 ? 0 : s) as typeof strides;
  const span = (stride: number, count: number) => stride * (count - 1);
  const low = Math.min(0, span(strides[0], rows)) + Math.min(0, span(strides[1], columns));
  const high = Math.max(0, span(strides[0], rows)) + Math.max(0, span(strides[1], columns));
  const before = draw(5), data = fillF32(seed, high - low + 1 + before);
  return c.view(c.input(data), [rows, columns], { strides, offset: before - low });
}

/** A product, sometimes with an epilogue or stored anyhow, and sometimes with values that are not finite. */
export function randomProduct(seed: number): ProgramCase {
  const draw = drawer(seed);
  const thin = draw(6) === 0 ? 1 + draw(4) : 0; // one or two rows, or columns
  const m = thin === 1 || thin === 2 ? thin : size(draw, 400), n = thin > 2 ? thin - 2 : size(draw, 700);
  const k = draw(12) === 0 ? 1 : size(draw, 800);
  const c = new CaseBuilder(`product ${seed}: ${m} x ${n} x ${k}`, sumTolerance(k));
  const a = operand(draw, c, m, k, seed * 3 + 1), b = operand(draw, c, k, n, seed * 3 + 2);
  const y = c.output("f32", m * n * 2), turned = draw(4) === 0, relu = draw(3) === 0;
  return c.matmul({ m, n, k, a, b }, (body) => {
    const value = relu ? body.binary("max", body.acc(), body.const(0.25)) : body.acc();
    body.store(y, value, { strides: turned ? [1, m] : [n + draw(Math.max(1, Math.min(n, 5))), 1], offset: draw(2) });
  }).build();
}

/** A convolution of some direction. */
export function randomConv(seed: number): ProgramCase {
  const draw = drawer(seed);
  const kernel = [1 + draw(5), 1 + draw(5)] as const, padding = [draw(3), draw(3)] as const;
  const dilation = draw(5) === 0 ? [1 + draw(2), 1 + draw(3)] as const : [1, 1] as const;
  const side = (i: 0 | 1) =>
    Math.max(1, dilation[i] * (kernel[i] - 1) + 1 - 2 * padding[i]) + draw(draw(3) === 0 ? 40 : 14);
  const images: Images = {
    batch: 1 + draw(6),
    groups: draw(5) === 0 ? 1 + draw(4) : 1,
    cin: 1 + draw(draw(3) === 0 ? 60 : 10),
    cout: 1 + draw(draw(3) === 0 ? 90 : 12),
    size: [side(0), side(1)],
    kernel,
    padding,
    dilation,
    stride: draw(3) === 0 ? [1 + draw(3), 1 + draw(3)] : [1, 1],
  };
  return draw(2) === 0 ? forward(`conv ${seed}`, images) : weightGradient(`conv ${seed}`, images);
}
