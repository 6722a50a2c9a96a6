import { assertEquals } from "@std/assert";
import type { Device, Guard } from "../../../src/device/contract.ts";
import { planProgram } from "../../../src/device/webgpu/planner.ts";
import { checkCase } from "../../support/conformance.ts";
import { fillF32 } from "../../support/fill.ts";
import { CaseBuilder, type ProgramCase, sumTolerance } from "../../support/programs_builder.ts";
import { sharedWebgpu, webgpuTest } from "../../support/webgpu.ts";

/** A 3x3 convolution with padding, and the gradient of its weight. */
function product(which: "forward" | "weight", [batch, cin, cout, h, w]: number[]): ProgramCase {
  const terms = which === "forward" ? cin * 9 : batch * h * w;
  const c = new CaseBuilder(`${which} ${[batch, cin, cout, h, w]}`, sumTolerance(terms));
  const x = c.input(fillF32(1, batch * cin * h * w));
  const other = c.input(fillF32(2, which === "forward" ? cout * cin * 9 : batch * cout * h * w));
  const taps = { sizes: [cin, 3, 3], strides: [h * w, w, 1], row: [0, 1, 0], column: [0, 0, 1] };
  const places = { sizes: [batch, h, w], strides: [cin * h * w, w, 1], row: [0, 1, 0], column: [0, 0, 1] };
  const [k, n] = which === "forward" ? [taps, places] : [places, taps];
  const guards: Guard[] = [
    { offset: -1, strides: [0, ...k.row, ...n.row], size: h },
    { offset: -1, strides: [0, ...k.column, ...n.column], size: w },
  ];
  const b = c.view(x, [1, ...k.sizes, ...n.sizes], { offset: -w - 1, strides: [0, ...k.strides, ...n.strides] });
  const a = which === "forward"
    ? c.view(other, [1, cout, ...k.sizes])
    : c.view(other, [1, cout, ...k.sizes], { strides: [0, h * w, cout * h * w, w, 1] });
  const y = c.output("f32", cout * n.sizes.reduce((p, q) => p * q, 1));
  return c.conv({ groups: 1, m: cout, k: k.sizes, n: n.sizes, a, b, guards }, (body) => {
    body.store(y, body.binary("mul", body.acc(), body.const(0.5)));
  }).build();
}

/** Sums so long that one binding of uniforms does not hold a row's terms, with tiles enough that they are not cut into chunks. */
function longSums(): ProgramCase {
  const [groups, terms, places] = [33, 1028, 196];
  const c = new CaseBuilder("of many long sums", sumTolerance(terms));
  const [w, x] = [c.input(fillF32(3, groups * terms)), c.input(fillF32(4, groups * terms * places))];
  const [a, b] = [c.view(w, [groups, 1, terms]), c.view(x, [groups, terms, places])];
  const y = c.output("f32", groups * places);
  return c.conv({ groups, m: 1, k: [terms], n: [places], a, b, guards: [] }, (body) => body.store(y, body.acc()))
    .build();
}

/** Taps of one weight in three products, as in a strided convolution's gradient, and those of another weight behind it. */
function tapsApart(): ProgramCase {
  const [batch, cin, cout, h, w] = [2, 24, 20, 4, 6];
  const c = new CaseBuilder("of taps that lie apart", sumTolerance(2 * cout));
  const weights = c.input(fillF32(5, 2 * cout * cin * 9)), g = c.input(fillF32(6, batch * cout * h * w));
  for (const [offset, taps] of [[4, 1], [3, 2], [0, 2], [cout * cin * 9 + 3, 2]]) {
    const a = c.view(weights, [1, cin, cout, taps], { offset, strides: [0, 9, cin * 9, 2] });
    const strides = [0, h * w, 1, cout * h * w, w, 1];
    const b = c.view(g, [1, cout, taps, batch, h, w - 1], { strides });
    const y = c.output("f32", cin * batch * h * (w - 1));
    c.conv({ groups: 1, m: cin, k: [cout, taps], n: [batch, h, w - 1], a, b, guards: [] }, (body) => {
      body.store(y, body.acc());
    });
  }
  return c.build();
}

Deno.test("taps of one weight are laid out once for all products that take some", () => {
  const { program } = tapsApart();
  const { dispatches } = planProgram(program, {
    profile: { maxSlotsPerKernel: 8, maxBufferBytes: 2 ** 30 },
    strategy: () => "texel",
  });
  const packs = dispatches.map(({ label }) => label).filter((label) => label.endsWith("left pack"));
  assertEquals(packs.length, 2, packs.join("; ")); // the other weight's own
});

async function bitsOf(device: Device, { program, bound, params }: ProgramCase): Promise<Uint32Array> {
  const executable = device.compile(program);
  const buffers = bound.map((data) => device.alloc(data.byteLength));
  bound.forEach((data, i) => device.write(buffers[i], 0, data));
  device.run(executable, buffers, params);
  const last = bound.length - 1;
  const [out] = await device.read([{ buffer: buffers[last], offset: 0, bytes: bound[last].byteLength }]);
  executable.dispose();
  buffers.forEach((buffer) => device.free(buffer));
  return new Uint32Array(out.slice().buffer);
}

const CASES = [
  product("forward", [2, 5, 70, 9, 11]), // more than a tile each way, rows of odd length
  product("forward", [1, 123, 9, 5, 4]), // chunks of the sum that end within a tap's row
  product("weight", [3, 3, 5, 31, 29]), // chunks that end within a picture's row
  product("weight", [2, 20, 66, 16, 16]),
  longSums(),
  tapsApart(),
];

for (const convCase of CASES) {
  webgpuTest(
    `all strategies give the right numbers, and two of them the same bits: conv ${convCase.name}`,
    async () => {
      const devices = [await sharedWebgpu("register"), await sharedWebgpu("shared")];
      for (const device of devices) assertEquals(await checkCase(device, convCase), null);
      const [register, shared] = [await bitsOf(devices[0], convCase), await bitsOf(devices[1], convCase)];
      assertEquals(register, shared);
      // which takes the terms in another order
      const texel = await sharedWebgpu("texel");
      assertEquals(await checkCase(texel, convCase), null);
      assertEquals(await bitsOf(texel, convCase), await bitsOf(texel, convCase));
    },
  );
}
