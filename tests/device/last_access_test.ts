/**
 * What another thread may rely on while a program runs: memory stays as it is from the kernel on that is said to be the last
 * to touch it, and the device says how many kernels have run.
 */
import { assert, assertEquals } from "@std/assert";
import { backward, init, nn, randn, Rng, setSeed, SGD, tensor } from "../../mod.ts";
import type { Device, DeviceBuffer, Executable, Program } from "../../src/device/contract.ts";
import { LastAccess, loadsOf, storesOf } from "../../src/device/last_access.ts";
import { session } from "../../src/graph/session.ts";

/** Runs of a program: what it worked on, before it did. */
interface Seen {
  readonly program: Program;
  readonly bound: readonly DeviceBuffer[];
  readonly before: readonly Uint8Array[];
  readonly params: Uint8Array;
}

/** Writes down the runs of `device` while `body` runs. */
async function runsOf(device: Device, body: () => Promise<void>): Promise<Seen[]> {
  const seen: Seen[] = [];
  const { run } = device;
  device.run = function (executable: Executable, bound, params) {
    const before = device.readSync!(bound.map((buffer) => ({ buffer, offset: 0, bytes: buffer.bytes })));
    seen.push({ program: executable.program, bound: [...bound], before, params: params.slice() });
    run.call(device, executable, bound, params);
  };
  try {
    await body();
  } finally {
    device.run = run;
  }
  return seen;
}

class Net extends nn.Module {
  readonly conv1: nn.Conv2d = new nn.Conv2d(3, 16, 3, { padding: 1 });
  readonly norm: nn.BatchNorm2d = new nn.BatchNorm2d(16);
  readonly conv2: nn.Conv2d = new nn.Conv2d(16, 32, 3, { stride: 2, padding: 1 });
  readonly words: nn.Embedding = new nn.Embedding(50, 512);
  readonly last: nn.Linear = new nn.Linear(512, 10);

  override forward(x: ReturnType<typeof randn>): ReturnType<typeof randn> {
    const y = this.conv2.forward(this.norm.forward(this.conv1.forward(x)).relu()).relu();
    const z = y.reshape([8, -1]).slice([[0, 8], [0, 512]]);
    return this.last.forward(z.add(this.words.forward(tensor([1, 2, 3, 4, 1, 2, 3, 4], { dtype: "i32" }))).relu());
  }
}

for (const threads of [1, 2]) {
  Deno.test(`memory is left alone from the kernel on that is said to be the last, ${threads} threads`, async () => {
    await init({ device: "cpu", threads });
    setSeed(1);
    const device = session.device!;
    const progress = device.progress!;
    device.free(device.alloc(2 ** 27)); // the memory grows: the word stays where others look at it
    const net = new Net(), opt = SGD(net.parameters(), { lr: 0.1 }), loss = new nn.CrossEntropyLoss();
    const x = randn([8, 3, 16, 16], { rng: new Rng(1) }), y = tensor([0, 1, 2, 3, 4, 5, 6, 7], { dtype: "i32" });
    await x.data();
    const seen = await runsOf(device, async () => {
      for (let i = 0; i < 2; i++) { // the second one adds to the gradients of the first
        backward(loss.forward(net.forward(x), y));
        opt.gradRanges();
        await loss.forward(net.forward(x), y).item();
      }
      opt.step();
    });
    let early = 0, checked = 0;
    for (const { program, bound, before, params } of seen) {
      const places = program.slots.flatMap(({ kind }, i) => kind === "bound" ? [i] : []);
      const slots = places.filter((i) => program.slots[i].written && program.slots[i].bytes >= 2 ** 16);
      if (slots.length === 0) continue;
      const after = (count: number): Float32Array[] => {
        bound.forEach((buffer, i) => device.write(buffer, 0, before[i]));
        progress[0] = 0;
        const part = device.compile({ ...program, kernels: program.kernels.slice(0, count) });
        device.run(part, bound, params);
        const counted = program.kernels.slice(0, count).findLastIndex((kernel) =>
          [...storesOf(kernel), ...loadsOf(kernel)].some(({ slot }) => slots.includes(slot))
        );
        assertEquals(progress[0], counted + 1);
        part.dispose();
        return slots.map((i) => {
          const buffer = bound[places.indexOf(i)];
          const [bytes] = device.readSync!([{ buffer, offset: 0, bytes: buffer.bytes }]);
          return new Float32Array(bytes.slice().buffer);
        });
      };
      const states = Array.from({ length: program.kernels.length + 1 }, (_, i) => after(i));
      const final = states[program.kernels.length];
      slots.forEach((slot, k) => {
        const touches = new LastAccess(program, slot), n = final[k].length;
        for (let first = 0; first < n; first += 64) {
          const end = Math.min(n, first + 64);
          const last = touches.last(first, end);
          if (last <= program.kernels.length / 2) early++; // before the second half begins
          checked++;
          for (let i = last; i <= program.kernels.length; i++) {
            assertEquals(states[i][k].subarray(first, end), final[k].subarray(first, end), `${first} after ${i}`);
          }
        }
      });
    }
    assert(checked > 500, `${checked} ranges`);
    assert(early > 100, `${early} ranges are there early`);
  });
}
