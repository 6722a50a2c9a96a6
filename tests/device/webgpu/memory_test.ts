import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DeviceError } from "../../../src/base/errors.ts";
import type { Device, DeviceBuffer, Inst, Program } from "../../../src/device/contract.ts";
import { openWebgpu } from "../../../src/device/webgpu/mod.ts";
import { ReferenceDevice } from "../../support/reference_device.ts";
import { own, webgpuTest } from "../../support/webgpu.ts";

async function bytesOf(device: Device, buffer: DeviceBuffer, bytes: number = buffer.bytes): Promise<number[]> {
  return [...(await device.read([{ buffer, offset: 0, bytes }]))[0]];
}

function copyProgram(n: number, dtype: "f32" | "u8", body: readonly Inst[] = []): Program {
  const bytes = Math.ceil(n / (dtype === "u8" ? 16 : 4)) * 16;
  return {
    label: "copy",
    slots: [
      { bytes: 0, kind: "params", written: false },
      { bytes, kind: "bound", written: false },
      { bytes: n * 4, kind: "bound", written: true },
    ],
    kernels: [{
      op: "map",
      shape: [n],
      body: [{ k: "load", view: { slot: 1, dtype, offset: 0, strides: [1] } }, ...body],
      outs: [{ view: { slot: 2, dtype: dtype === "u8" ? "i32" : "f32", offset: 0, strides: [1] }, value: body.length }],
    }],
  };
}

webgpuTest("memory of the pool comes back as zeros", async (device) => {
  const ones = new Uint8Array(4096).fill(255);
  for (const touch of ["read", "write", "copy", "run"] as const) {
    const old = device.alloc(4096);
    device.write(old, 0, ones);
    device.free(old);
    const buffer = device.alloc(4096);
    const other = device.alloc(4096, { zeroed: false });
    if (touch === "write") device.write(buffer, 16, new Uint32Array([7]));
    if (touch === "copy") device.copy({ buffer, offset: 0, bytes: 64 }, other, 0);
    if (touch === "run") {
      const executable = device.compile(copyProgram(1024, "f32"));
      device.run(executable, [buffer, other], new Uint8Array(0));
      executable.dispose();
    }
    const want = new Array(32).fill(0);
    if (touch === "write") want[16] = 7;
    assertEquals(await bytesOf(device, buffer, 32), want, touch);
    if (touch === "copy" || touch === "run") {
      assertEquals(await bytesOf(device, other, 16), new Array(16).fill(0), touch);
    }
    device.free(buffer);
    device.free(other);
  }
});

webgpuTest("live bytes count what is in use, rounded up to 16", (device) => {
  const before = device.stats().liveBytes;
  const [a, b] = [device.alloc(1), device.alloc(1000)];
  assertEquals([a.bytes, b.bytes], [16, 1008]);
  assertEquals(device.stats().liveBytes - before, 1024);
  device.free(a);
  device.free(b);
  assertEquals(device.stats().liveBytes, before);
  assert(device.stats().peakBytes >= before + 1024);
});

webgpuTest("a write of odd length leaves the rest of its last word alone", async (device) => {
  const buffer = device.alloc(16);
  device.write(buffer, 0, new Uint8Array(16).fill(9));
  device.write(buffer, 4, new Uint8Array([1, 2, 3, 4, 5]));
  assertEquals(await bytesOf(device, buffer), [9, 9, 9, 9, 1, 2, 3, 4, 5, 9, 9, 9, 9, 9, 9, 9]);
  device.free(buffer);
});

webgpuTest("several ranges come back in one read, at once as well", async (device) => {
  const [a, b] = [device.alloc(32), device.alloc(16)];
  device.write(a, 0, new Uint32Array([1, 2, 3, 4, 5]));
  device.write(b, 0, new Uint32Array([6]));
  const ranges = [{ buffer: a, offset: 4, bytes: 12 }, { buffer: b, offset: 0, bytes: 4 }];
  const words = (parts: Uint8Array[]) => parts.map((part) => [...new Uint32Array(part.slice().buffer)]);
  const before = device.stats().reads;
  assertEquals(words(await device.read(ranges)), [[2, 3, 4], [6]]);
  assertEquals(device.readSync !== undefined, own, "Deno maps buffers at once");
  for (let i = 0; i < 10; i++) {
    device.write(b, 0, new Uint32Array([i]));
    assertEquals(words(device.readSync?.(ranges) ?? await device.read(ranges)), [[2, 3, 4], [i]]);
  }
  assertEquals(device.stats().reads - before, 11);
  device.free(a);
  device.free(b);
});

webgpuTest("more than 65,535 workgroups are folded over two axes", async (device) => {
  const n = 65536 * 64 + 77; // u8 keeps the kernel at one element a thread
  const executable = device.compile(copyProgram(n, "u8"));
  const [from, to] = [device.alloc(n), device.alloc(n * 4)];
  const data = Uint8Array.from({ length: Math.ceil(n / 4) * 4 }, (_, i) => i % 251);
  device.write(from, 0, data);
  device.run(executable, [from, to], new Uint8Array(0));
  const [bytes] = await device.read([{ buffer: to, offset: 0, bytes: n * 4 }]);
  const got = new Int32Array(bytes.buffer, bytes.byteOffset, n);
  assertEquals(got.findIndex((v, i) => v !== i % 251), -1);
  executable.dispose();
  [from, to].forEach((buffer) => device.free(buffer));
});

webgpuTest("misuse is told, and by what", (device) => {
  const buffer = device.alloc(16);
  const foreign = new ReferenceDevice().alloc(16);
  assertThrows(() => device.alloc(0), DeviceError, "a whole number above 0");
  assertThrows(() => device.alloc(device.profile.maxBufferBytes + 16), DeviceError, "the adapter's maxBufferSize");
  assertThrows(() => device.write(foreign, 0, new Uint8Array(4)), DeviceError, "another device");
  assertThrows(() => device.write(buffer, 2, new Uint8Array(4)), DeviceError, "multiples of 4");
  assertThrows(() => device.write(buffer, 16, new Uint8Array(4)), DeviceError, "16 bytes");
  assertThrows(() => device.copy({ buffer, offset: 0, bytes: 4 }, buffer, 8), DeviceError, "must differ");
  const executable = device.compile(copyProgram(4, "f32"));
  assertThrows(() => device.run(executable, [buffer, buffer], new Uint8Array(4)), DeviceError, "bytes of parameters");
  assertThrows(() => device.run(executable, [buffer], new Uint8Array(0)), DeviceError, "2 bound slots");
  executable.dispose();
  assertThrows(() => device.run(executable, [buffer, buffer], new Uint8Array(0)), DeviceError, "disposed");
  device.free(buffer);
  assertThrows(() => device.free(buffer), DeviceError, "freed");
});

webgpuTest("a kernel that does not compile is told at the next boundary", async () => {
  const device = await openWebgpu();
  const wrong = { k: "binary", op: "nonsense", a: 0, b: 0 } as unknown as Inst;
  const executable = device.compile(copyProgram(4, "f32", [wrong]));
  await device.sync().then(() => device.sync()).then(
    () => assert(false, "sync should have failed"),
    (error) => assert(error instanceof DeviceError && error.message.includes(`compile the kernel "copy 0 map"`), error),
  );
  executable.dispose();
  device.close();
  assertThrows(() => device.alloc(16), DeviceError, "closed");
});

webgpuTest("a lost device is told at every boundary", async () => {
  const device = await openWebgpu();
  const buffer = device.alloc(16);
  device.close();
  await assertRejects(() => device.read([{ buffer, offset: 0, bytes: 4 }]), DeviceError, "closed");
  await assertRejects(() => device.sync(), DeviceError, "closed");
});

webgpuTest("without an adapter the error says what to install", async () => {
  const original = navigator.gpu.requestAdapter;
  Object.defineProperty(navigator.gpu, "requestAdapter", { value: () => Promise.resolve(null), configurable: true });
  try {
    await assertRejects(() => openWebgpu(), DeviceError, "apt-get install -y mesa-vulkan-drivers libvulkan1");
  } finally {
    Object.defineProperty(navigator.gpu, "requestAdapter", { value: original, configurable: true });
  }
});
