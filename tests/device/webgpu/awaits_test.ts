import { assert, assertEquals, assertRejects } from "@std/assert";
import { DeviceError } from "../../../src/base/errors.ts";
import { openWebgpu } from "../../../src/device/webgpu/mod.ts";
import { DataLoaders, init, Learner, nn, randn, Rng, silentLogger, tensor } from "../../../mod.ts";
import { session } from "../../../src/graph/session.ts";
import { adapter } from "../../support/webgpu.ts";

/** Tests of a device that must await whatever it reads, as in browsers. */
function awaitsTest(name: string, fn: (device: Awaited<ReturnType<typeof openWebgpu>>) => Promise<void>): void {
  Deno.test({
    name: `webgpu: where reads are awaited, ${name}`,
    ignore: adapter === null,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      const device = await openWebgpu({ awaits: true });
      assertEquals(device.readSync, undefined);
      await fn(device);
      await device.sync();
      device.close();
    },
  });
}

awaitsTest("a write of odd length leaves the rest of its last word alone", async (device) => {
  const buffer = device.alloc(16);
  const bytes = async () => [...(await device.read([{ buffer, offset: 0, bytes: 16 }]))[0]];
  device.write(buffer, 0, new Uint8Array(16).fill(9));
  device.write(buffer, 4, new Uint8Array([1, 2, 3, 4, 5]));
  assertEquals(await bytes(), [9, 9, 9, 9, 1, 2, 3, 4, 5, 9, 9, 9, 9, 9, 9, 9]);
  device.write(buffer, 12, new Uint8Array([250, 251, 252]));
  device.write(buffer, 0, new Uint8Array([7]));
  device.write(buffer, 1 * 4, new Uint8Array([8, 255])); // in the order of the calls
  assertEquals(await bytes(), [7, 9, 9, 9, 8, 255, 3, 4, 5, 9, 9, 9, 250, 251, 252, 9]);
});

awaitsTest("a fit waits while three submissions are in flight, and learns", async (device) => {
  session.useDevice(device);
  const x = randn([2048, 8], { rng: new Rng(1) });
  const y = x.sum({ axis: 1 }).gt(0).cast("i32");
  const dls = DataLoaders.fromArrays({ x, y, xValid: x, yValid: y }, { bs: 32, seed: 1 });
  const model = new nn.Sequential(new nn.Linear(8, 16), new nn.ReLU(), new nn.Linear(16, 2));
  const learn = new Learner(dls, model, { lossFunc: new nn.CrossEntropyLoss(), logger: silentLogger });
  let asked = 0, waited = 0;
  const pressure = device.pressure!.bind(device);
  device.pressure = () => {
    const pending = pressure();
    asked++;
    if (pending !== null) waited++;
    return pending;
  };
  await learn.fit(2, { lr: 1e-2 });
  assertEquals(asked, 2 * (64 + 64));
  assert(waited > 0, "the host is faster than the device at some time");
  const [first, last] = [learn.recorder.rows[0], learn.recorder.rows[1]];
  assert(Number(last.valid_loss) < Number(first.valid_loss), JSON.stringify([first, last]));
});

Deno.test({
  name: "webgpu: a lost device says so, and how to go on; init() opens another",
  ignore: adapter === null,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    let lose = (_: { reason: string; message: string }): void => {};
    const own = Object.getOwnPropertyDescriptor(GPUDevice.prototype, "lost")!;
    const lost = new Promise((resolve) => lose = resolve);
    Object.defineProperty(GPUDevice.prototype, "lost", { ...own, get: () => lost });
    try {
      await init({ device: "webgpu", powerPreference: "low-power" });
    } finally {
      Object.defineProperty(GPUDevice.prototype, "lost", own);
    }
    const device = session.device!;
    await init({ device: "webgpu", powerPreference: "low-power" });
    assert(session.device === device);
    const x = tensor([1, 2, 3]);
    lose({ reason: "unknown", message: "the driver was reset" });
    await lost;
    for (let i = 0; i < 2; i++) {
      await assertRejects(
        () => x.mul(2).data(),
        DeviceError,
        "it was lost, got the driver was reset; await init() opens",
      );
    }
    await init({ device: "webgpu", powerPreference: "low-power" });
    assert(session.device !== device);
    assertEquals([...await tensor([1, 2, 3]).mul(2).data()], [2, 4, 6]);
  },
});
