import { assertEquals } from "@std/assert";
import type { ConvKernel, Device, Inst, Kernel, MapKernel, Program, Slot, View } from "../../src/device/contract.ts";
import { forwardStores } from "../../src/graph/lower/forward_stores.ts";
import { openCpu } from "../../src/device/cpu/mod.ts";
import { slotsOf } from "../../src/device/last_access.ts";
import { session } from "../../src/graph/session.ts";
import { backward, Parameter, type Tensor, tensor } from "../../src/tensor/mod.ts";
import { fillF32 } from "../support/fill.ts";
import { ReferenceDevice } from "../support/reference_device.ts";

const [X, PARTS, WHOLE, OTHER] = [1, 2, 3, 4];

function view(slot: number, strides: readonly number[], offset = 0): View {
  return { slot, dtype: "f32", offset, strides };
}

/** Stores `factor` times what it loads. */
function scaled(shape: readonly number[], factor: number, from: View, to: View): MapKernel {
  const body: Inst[] = [
    { k: "load", view: from },
    { k: "const", value: factor, type: "f32" },
    { k: "binary", op: "mul", a: 0, b: 1 },
  ];
  return { op: "map", shape, body, outs: [{ view: to, value: 2 }] };
}

function copy(shape: readonly number[], from: View, to: View): MapKernel {
  return { op: "map", shape, body: [{ k: "load", view: from }], outs: [{ view: to, value: 0 }] };
}

/** Stores sums of three products, `[lead, place]`. */
function product([lead, place]: readonly [number, number], from: View, to: View): ConvKernel {
  return {
    op: "conv",
    groups: 1,
    m: lead,
    k: [3],
    n: [place],
    a: view(X, [0, 3, 1]),
    b: { ...from, strides: [0, 1, 2] },
    guards: [],
    body: [{ k: "acc" }],
    outs: [{ view: { ...to, strides: [0, place, 1] }, value: 0 }],
  };
}

/** Parts `[y phase, x phase, lead, y, x]`, each by a kernel of its own, and the copy to `[lead, y, y phase, x, x phase]`. */
function interleaving([py, px, lead, y, x]: readonly number[], by: "one axis" | "two axes" | "products"): Kernel[] {
  const part = lead * y * x, all = py * px * part;
  const kernels: Kernel[] = [];
  for (let p = 0; p < py * px; p++) {
    const [shape, strides] = by === "one axis" ? [[part], [1]] : [[lead, y * x], [y * x, 1]];
    if (by === "products") kernels.push(product([lead, y * x], view(X, [], p), view(PARTS, [], p * part)));
    else kernels.push(scaled(shape, p + 2, view(X, strides), view(PARTS, strides, p * part)));
  }
  const shape = [lead * y, py, x, px];
  const from = view(PARTS, [x, px * part, 1, part]), to = view(WHOLE, [py * x * px, x * px, px, 1]);
  return [...kernels, copy(shape, from, to), scaled([all], 1, view(WHOLE, [1]), view(OTHER, [1]))];
}

function programOf(
  kernels: readonly Kernel[],
  size: number,
  kinds: Partial<Record<number, Slot["kind"]>> = {},
): Program {
  const slots = [X, PARTS, WHOLE, OTHER].map((slot): Slot => {
    const kind = kinds[slot] ?? (slot === X || slot === OTHER ? "bound" : "temporary");
    return { kind, bytes: size * 4, written: slot !== X };
  });
  return { label: "stores", slots: [{ kind: "params", bytes: 16, written: false }, ...slots], kernels };
}

/** The program without the copies that could be left out. */
function forwarded(program: Program): { program: Program; left: number } {
  const kernels = forwardStores(program.kernels, {
    isTemporary: (slot) => program.slots[slot].kind === "temporary",
    maxSlots: 8,
  });
  // a temporary that nobody touches any more would be refused
  const touched = new Set(kernels.flatMap((kernel) => [...slotsOf(kernel)]));
  const slots = program.slots.map((slot, i): Slot =>
    slot.kind === "temporary" && !touched.has(i) ? { ...slot, kind: "bound", written: false } : slot
  );
  return { program: { ...program, slots, kernels }, left: kernels.length };
}

async function outOf(program: Program, size: number, device: Device = new ReferenceDevice()): Promise<Uint8Array> {
  const bound = program.slots.flatMap(({ kind }) => kind === "bound" ? [device.alloc(size * 4)] : []);
  device.write(bound[0], 0, fillF32(7, size));
  device.run(device.compile(program), bound, new Uint8Array(16));
  return (await device.read([{ buffer: bound[bound.length - 1], offset: 0, bytes: size * 4 }]))[0];
}

const SIZES = [[2, 2, 3, 4, 5], [1, 2, 2, 3, 7], [2, 1, 4, 1, 6], [3, 2, 1, 2, 2], [2, 2, 5, 1, 1], [2, 2, 9, 8, 8]];

for (const sizes of SIZES) {
  for (const by of ["one axis", "two axes", "products"] as const) {
    Deno.test(`parts are stored where a copy would bring them: ${sizes}, ${by}`, async () => {
      const size = sizes.reduce((a, b) => a * b, 1);
      const program = programOf(interleaving(sizes, by), size);
      const short = forwarded(program);
      assertEquals(short.left, program.kernels.length - 1);
      assertEquals(await outOf(short.program, size), await outOf(program, size));
      for (const options of [{ threads: 1 }, { threads: 2 }, { native: false }]) {
        const device = openCpu(options);
        assertEquals(await outOf(short.program, size, device), await outOf(program, size, device), device.name);
        device.close();
      }
    });
  }
}

/** Whether a kernel stores something just as it has loaded it. */
function copies(kernel: Kernel): boolean {
  return kernel.op === "map" && kernel.outs.some(({ value }) => kernel.body[value].k === "load");
}

const image = (n: number, seed: number, [c, h, w]: readonly number[]): Tensor =>
  tensor(new Float32Array(fillF32(seed, n * c * h * w).buffer), { shape: [n, c, h, w] }).realize();

/** Functions of images whose gradients come in parts. */
const WINDOWS: Record<string, (x: Tensor) => Tensor> = {
  "a strided convolution": (x) => x.conv2d(image(6, 2, [4, 3, 3]), { stride: 2, padding: 1 }),
  "a kernel smaller than its stride": (x) => x.conv2d(image(6, 2, [4, 1, 1]), { stride: 2 }),
  "windows that overlap": (x) => x.maxPool2d(3, { stride: 2, padding: 1 }),
  "a pool over the whole image": (x) => x.adaptiveAvgPool2d(1),
  "windows side by side": (x) => x.avgPool2d(4),
};
/** Of which the gradient is not in parts: no element is in two windows, or in none. */
const WHOLE_GRADIENTS: ReadonlySet<string> = new Set(["a pool over the whole image", "windows side by side"]);

for (const [name, f] of Object.entries(WINDOWS)) {
  Deno.test(`no copy is left of the gradient of ${name}`, async () => {
    const device = new ReferenceDevice(), kernels: Kernel[] = [];
    const compile = device.compile.bind(device);
    device.compile = (program) => {
      kernels.push(...program.kernels);
      return compile(program);
    };
    session.useDevice(device);
    const x = new Parameter(image(2, 1, [4, 8, 8]));
    const y = f(x.conv2d(image(4, 3, [4, 3, 3]), { padding: 1 })).realize();
    kernels.length = 0;
    backward(y.mul(y.detach().sin()).sum());
    await x.grad!.data();
    assertEquals(kernels.filter(copies).length, 0);
    const stores = kernels.map((k) => "outs" in k ? k.outs.length : 1);
    if (WHOLE_GRADIENTS.has(name)) assertEquals(Math.max(...stores) <= 2, true, `stores of the kernels: ${stores}`);
  });
}

Deno.test("a copy stays whose target shares its memory with something before it", async () => {
  const sizes = [2, 2, 3, 2, 5], size = 120;
  const [first, ...rest] = interleaving(sizes, "two axes");
  // something lies in the target until the second part has been made from it
  const before = scaled([size], 5, view(X, [1]), view(WHOLE, [1]));
  const second = rest[0].op === "map"
    ? { ...rest[0], body: scaled([1], 9, view(WHOLE, [10, 1]), view(0, [])).body }
    : rest[0];
  const program = programOf([before, first, second, ...rest.slice(1)], size, { [WHOLE]: "bound" });
  const short = forwarded(program);
  assertEquals(short.left, program.kernels.length);
  assertEquals(await outOf(short.program, size), await outOf(program, size));
});

Deno.test("a copy into a part of what kernels between its writers store to loses none of it", async () => {
  const sizes = [2, 2, 3, 2, 5], size = 120;
  const kernels = interleaving(sizes, "two axes").slice(0, 5);
  // the other half of the target is stored between the first part and the copy, as in a concatenation
  const other = scaled([size], 3, view(X, [1]), view(WHOLE, [1], size));
  const both = scaled([2 * size], 1, view(WHOLE, [1]), view(OTHER, [1]));
  const program = programOf([kernels[0], other, ...kernels.slice(1), both], 2 * size);
  assertEquals(await outOf(forwarded(program).program, 2 * size), await outOf(program, 2 * size));
});

Deno.test("parts that others read are stored in both places", async () => {
  const sizes = [2, 2, 3, 2, 5], size = 120;
  const kernels = interleaving(sizes, "two axes");
  const sees = scaled([size], 1, view(PARTS, [1]), view(OTHER, [1]));
  for (const after of [kernels.length, 4]) {
    const program = programOf([...kernels.slice(0, after), sees, ...kernels.slice(after)], size);
    const short = forwarded(program);
    assertEquals(short.left, program.kernels.length - 1);
    assertEquals(short.program.kernels.slice(0, 4).map((k) => "outs" in k && k.outs.length), [2, 2, 2, 2]);
    assertEquals(await outOf(short.program, size), await outOf(program, size));
    // parameters and four slots that it touches already
    const small = forwardStores(program.kernels, {
      isTemporary: (slot) => slot === PARTS || slot === WHOLE,
      maxSlots: 3,
    });
    assertEquals(small.length, program.kernels.length);
  }
});

/** Cells whose state the next one reads, and all states side by side. */
Deno.test("what a loop carries is stored beside the other steps at once", async () => {
  const size = 24, steps = 5, state = (t: number) => 2 + t, all = 2 + steps, out = all + 1;
  const cells = Array.from(
    { length: steps },
    (_, t) => scaled([4, 6], 1.5, view(t === 0 ? X : state(t - 1), [6, 1]), view(state(t), [6, 1])),
  );
  const stack = cells.map((_, t) => copy([4, 6], view(state(t), [6, 1]), view(all, [6 * steps, 1], 6 * t)));
  const kernels = [...cells, ...stack, scaled([size * steps], 1, view(all, [1]), view(out, [1]))];
  const slots = Array.from({ length: out }, (_, i): Slot => ({
    kind: i === 0 || i === out - 1 ? "bound" : "temporary",
    bytes: size * steps * 4,
    written: i > 0,
  }));
  const program: Program = {
    label: "cells",
    slots: [{ kind: "params", bytes: 16, written: false }, ...slots],
    kernels,
  };
  const short = forwarded(program);
  assertEquals(short.left, steps + 1);
  assertEquals(await outOf(short.program, size * steps), await outOf(program, size * steps));
});

Deno.test("copies stay where the caller keeps the parts, or they are not whole", async () => {
  const sizes = [2, 2, 3, 2, 5], size = 120;
  const kernels = interleaving(sizes, "two axes");
  const cases: [string, Program][] = [
    ["kept by the caller", programOf(kernels, size, { [PARTS]: "bound" })],
    ["one part missing", programOf(kernels.slice(1), size)],
  ];
  for (const [name, program] of cases) {
    const short = forwarded(program);
    assertEquals(short.left, program.kernels.length, name);
    if (name !== "one part missing") assertEquals(await outOf(short.program, size), await outOf(program, size), name);
  }
});
