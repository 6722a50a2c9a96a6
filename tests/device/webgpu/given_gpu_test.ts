import { assert, assertEquals, assertRejects } from "@std/assert";
import { ConfigError, DeviceError, init } from "../../../mod.ts";
import { dawnDriver, dawnIsInstalled, runWithDawn } from "../../support/dawn.ts";
import { adapter } from "../../support/webgpu.ts";

const driver = await dawnIsInstalled() ? await dawnDriver() : null;

Deno.test("a given WebGPU is one, and does not go with the CPU or its options", async () => {
  const gpu = { requestAdapter: () => Promise.resolve(null) };
  const wrong = (options: object) => () => init(options);
  await assertRejects(wrong({ gpu: "vulkan" }), ConfigError, "it takes a WebGPU, as navigator.gpu or create([])");
  await assertRejects(wrong({ gpu: {} }), ConfigError, "it takes a WebGPU");
  await assertRejects(wrong({ gpu, device: "cpu" }), ConfigError, 'it is for device: "webgpu"');
  await assertRejects(wrong({ gpu, native: true }), ConfigError, 'it is for device: "cpu"');
  await assertRejects(wrong({ gpu }), DeviceError, "got no adapter");
});

Deno.test({
  name: "webgpu: the runtime's own may be given, and is asked no more than once",
  ignore: adapter === null,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    let asked = 0;
    const gpu = {
      requestAdapter: (options?: GPURequestAdapterOptions) => (asked++, navigator.gpu.requestAdapter(options)),
    };
    assertEquals((await init({ gpu })).device, "webgpu");
    assertEquals((await init({ gpu, device: "webgpu" })).device, "webgpu");
    assertEquals(asked, 1);
  },
});

Deno.test({
  name: "dawn: given to init() it trains, with the bits of Deno's own WebGPU on the same adapter",
  ignore: driver === null,
  fn: async () => {
    const script = new URL("../../hosts/given_gpu.ts", import.meta.url).href;
    const [own, dawn] = await Promise.all(["own", "dawn"].map(async (which) => {
      const out = await runWithDawn(script, [which, "register"], driver!.env);
      return JSON.parse(out.trim().split("\n").at(-1)!) as { name: string; bits: string[] };
    }));
    assert(dawn.name !== "" && own.name !== "", "both name the adapter");
    assertEquals(new Set(dawn.bits).size, 13, "the losses of 12 steps, and a learning rate");
    assertEquals(dawn.bits, own.bits);
  },
});
