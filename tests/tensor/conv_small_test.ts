/**
 * Convolutions of every small size, forward and both gradients, against float64: where padding surrounds a single place,
 * windows reach past both ends, or a stride skips a kernel's taps, the parts of a gradient degenerate in ways of their own.
 */
import { assertEquals } from "@std/assert";
import type { Device } from "../../src/device/contract.ts";
import { openCpu } from "../../src/device/cpu/mod.ts";
import { STRATEGIES } from "../../src/device/webgpu/kernels/plan.ts";
import { planProgram } from "../../src/device/webgpu/planner.ts";
import { session } from "../../src/graph/session.ts";
import { grad, readAll, Rng, type Tensor, tensor } from "../../src/tensor/mod.ts";
import {
  type Ref,
  ref,
  refConv,
  refConvTranspose,
  refConvWeight,
  refPlaces,
  type RefWindows,
  sizeOf,
} from "../support/ref.ts";
import { sharedWebgpu, webgpuTest } from "../support/webgpu.ts";
import { assertClose } from "./golden_cases.ts";

/** A convolution of `d` axes; numbers stand for each. */
interface Small {
  readonly d: 1 | 2;
  readonly transposed: boolean;
  readonly size: number;
  readonly taps: number;
  readonly stride: number;
  readonly padding: number;
  readonly dilation: number;
  readonly groups: number;
}

const SINGLE: Small = {
  d: 2,
  transposed: false,
  size: 3,
  taps: 3,
  stride: 3,
  padding: 1,
  dilation: 1,
  groups: 1,
};

const upTo = (n: number, from = 1) => Array.from({ length: n - from + 1 }, (_, i) => i + from);

function* allSmall(): Generator<Small> {
  for (const size of upTo(4)) {
    for (const taps of upTo(4)) {
      for (const stride of upTo(4)) {
        for (const padding of upTo(2, 0)) {
          for (const dilation of upTo(2)) {
            for (const groups of upTo(2)) {
              for (const transposed of [false, true]) {
                for (const d of [1, 2] as const) {
                  // sequences have no transposed convolution; strides of 4 only spread it further
                  if (transposed && (d === 1 || stride > 3)) continue;
                  const small = { d, transposed, size, taps, stride, padding, dilation, groups };
                  if (placesOf(small) >= 1) yield small;
                }
              }
            }
          }
        }
      }
    }
  }
}

function placesOf({ transposed, size, taps, stride, padding, dilation }: Small): number {
  if (transposed) return (size - 1) * stride - 2 * padding + dilation * (taps - 1) + 1;
  return refPlaces([size], [taps], { stride: [stride], padding: [padding], dilation: [dilation] })[0];
}

function some(rng: Rng, shape: readonly number[]): [Tensor, Ref] {
  const data = rng.uniformArray(sizeOf(shape), -1, 1);
  return [tensor(data, { shape }), ref(shape, data)];
}

/** The result and both gradients, here and by the definition. */
function claimsOf(small: Small): [Tensor, Ref][] {
  const { d, transposed, size, taps, groups } = small;
  const axes = (n: number): number[] => Array(d).fill(n);
  const rng = new Rng(7);
  // as many terms as the kernels that copy their operands ask for
  const [cin, cout] = [4 * groups, 6 * groups];
  const w: RefWindows = {
    stride: axes(small.stride),
    padding: axes(small.padding),
    dilation: axes(small.dilation),
    groups,
  };
  const [x, refX] = some(rng, [2, cin, ...axes(size)]);
  const [k, refK] = some(rng, [...(transposed ? [cin, cout / groups] : [cout, cin / groups]), ...axes(taps)]);
  const [dy, refDy] = some(rng, [2, cout, ...axes(placesOf(small))]);
  const options = { ...w, groups };
  const y = transposed ? x.convTranspose2d(k, options) : d === 1 ? x.conv1d(k, options) : x.conv2d(k, options);
  const [dx, dk] = grad(y.mul(dy).sum(), [x, k]);
  if (transposed) {
    return [
      [y, refConvTranspose(refX, refK, w, axes(placesOf(small)))],
      [dx, refConv(refDy, refK, w)],
      [dk, refConvWeight(refDy, refX, refK.shape, w)],
    ];
  }
  return [
    [y, refConv(refX, refK, w)],
    [dx, refConvTranspose(refDy, refK, w, axes(size))],
    [dk, refConvWeight(refX, refDy, refK.shape, w)],
  ];
}

async function check(cases: Iterable<Small>): Promise<void> {
  const failures: string[] = [];
  for (const small of cases) {
    try {
      const claims = claimsOf(small);
      const got = await readAll(claims.map(([y]) => y));
      claims.forEach(([y, want], i) => {
        assertEquals(y.shape, want.shape);
        assertClose(got[i], want.data, ["result", "input", "weight"][i], 1);
      });
    } catch (error) {
      failures.push(`${JSON.stringify(small)}: ${error}`);
    }
  }
  assertEquals(failures, []);
}

Deno.test("every small convolution is right on the CPU, and every strategy of WebGPU's kernels has a plan for it", async () => {
  const cpu = await openCpu({});
  const planning: Device = new Proxy(cpu, {
    get: (device, key) => {
      if (key === "compile") {
        return (program: Parameters<Device["compile"]>[0]) => {
          for (const strategy of STRATEGIES) {
            planProgram(program, {
              profile: device.profile,
              strategy: () => strategy,
            });
          }
          return device.compile(program);
        };
      }
      const value = Reflect.get(device, key);
      return typeof value === "function" ? value.bind(device) : value;
    },
  });
  session.useDevice(planning);
  await check(allSmall());
  cpu.close();
});

/** Cases that are run, of all that are planned: kernels take long to compile where a CPU stands in for a GPU. */
const EVERY = { shared: 67, register: 29, texel: 23 };

for (const strategy of STRATEGIES) {
  webgpuTest(`small convolutions are right (${strategy})`, async () => {
    session.useDevice(await sharedWebgpu(strategy));
    // padding around a single place, and a sample of the others
    const single: Small[] = [1, 2].map((d) => ({ ...SINGLE, d: d as 1 | 2 }));
    await check([...single, ...[...allSmall()].filter((_, i) => i % EVERY[strategy] === 5)]);
  });
}
