import { assert, assertEquals, assertThrows } from "@std/assert";
import { DeviceError } from "../../../src/base/errors.ts";
import { openCpu } from "../../../src/device/cpu/mod.ts";
import { Memory } from "../../../src/device/cpu/memory.ts";
import type { Device } from "../../../src/device/contract.ts";
import { fill } from "../../support/fill.ts";

function withDevice(body: (device: Device) => void | Promise<void>): () => Promise<void> {
  return async () => {
    const device = openCpu({ threads: 1 });
    try {
      await body(device);
    } finally {
      device.close();
    }
  };
}

const bytesOf = (device: Device, buffer: { id: number; bytes: number }, bytes: number, offset = 0) =>
  device.readSync!([{ buffer, offset, bytes }])[0];

Deno.test("cpu: random allocations never overlap, are aligned, and all memory comes back", () => {
  const memory = new Memory(false, 1024);
  const sizes = fill(1, 4000), choices = fill(2, 4000);
  const held = new Map<number, number>();
  sizes.forEach((s, i) => {
    if (choices[i] > 0.1 && held.size > 0) {
      const address = [...held.keys()][Math.floor((choices[i] - 0.1) / 0.9 * held.size * 0.999)];
      held.delete(address);
      memory.free(address);
    } else {
      const bytes = Math.ceil((s + 1.001) ** 6 * 1000);
      const address = memory.alloc(bytes);
      assertEquals(address % 64, 0);
      assert(address >= 1024);
      assert(address + bytes <= memory.memory.buffer.byteLength);
      for (const [other, size] of held) {
        assert(
          address + bytes <= other || other + size <= address,
          `[${address}, +${bytes}] over [${other}, +${size}]`,
        );
      }
      held.set(address, bytes);
    }
  });
  for (const address of held.keys()) memory.free(address);
  assertEquals(memory.used, 0);
  const whole = memory.memory.buffer.byteLength - 1024; // neighbours have been joined: all of it is one piece again
  memory.alloc(whole);
  assertEquals(memory.memory.buffer.byteLength, whole + 1024);
});

Deno.test(
  "cpu: memory holds zeros, also where it was used before",
  withDevice((device) => {
    const first = device.alloc(1000);
    device.write(first, 0, new Uint8Array(1000).fill(7));
    device.free(first);
    const second = device.alloc(1000);
    assertEquals(bytesOf(device, second, 1000).every((b) => b === 0), true);
  }),
);

Deno.test(
  "cpu: sizes are rounded up to 16, and the rest of the last words is zero too",
  withDevice((device) => {
    const dirty = device.alloc(16);
    device.write(dirty, 0, new Uint8Array(16).fill(9));
    device.free(dirty);
    const buffer = device.alloc(5);
    assertEquals(buffer.bytes, 16);
    assertEquals([...bytesOf(device, buffer, 16)], Array(16).fill(0));
  }),
);

Deno.test(
  "cpu: contents and views survive growth",
  withDevice((device) => {
    const small = device.alloc(64);
    device.write(small, 4, Uint32Array.of(1, 2, 3));
    const large = device.alloc(96 << 20);
    device.write(large, (96 << 20) - 4, Uint32Array.of(42));
    assertEquals([...new Uint32Array(bytesOf(device, small, 16).buffer)], [0, 1, 2, 3]);
    assertEquals(bytesOf(device, large, 4, (96 << 20) - 4)[0], 42);
  }),
);

Deno.test(
  "cpu: copies within a buffer are right when they overlap, both ways",
  withDevice((device) => {
    const buffer = device.alloc(64);
    const ramp = Uint32Array.from({ length: 16 }, (_, i) => i);
    device.write(buffer, 0, ramp);
    device.copy({ buffer, offset: 0, bytes: 40 }, buffer, 8);
    assertEquals([...new Uint32Array(bytesOf(device, buffer, 56).buffer)].slice(2, 12), [...ramp.slice(0, 10)]);
    device.write(buffer, 0, ramp);
    device.copy({ buffer, offset: 16, bytes: 40 }, buffer, 0);
    assertEquals([...new Uint32Array(bytesOf(device, buffer, 40).buffer)], [...ramp.slice(4, 14)]);
  }),
);

Deno.test(
  "cpu: what is read is a copy of unshared memory",
  withDevice((device) => {
    const buffer = device.alloc(16);
    const [before] = device.readSync!([{ buffer, offset: 0, bytes: 16 }]);
    device.write(buffer, 0, Uint32Array.of(5));
    assertEquals(before[0], 0);
    assert(before.buffer instanceof ArrayBuffer);
    assertEquals(before.byteOffset % 4, 0);
  }),
);

Deno.test(
  "cpu: live and peak bytes are exact, and come back to where they were",
  withDevice((device) => {
    const start = device.stats().liveBytes;
    const a = device.alloc(1 << 20), b = device.alloc(48);
    assertEquals(device.stats().liveBytes - start, (1 << 20) + 48);
    device.free(a);
    device.free(b);
    assertEquals(device.stats().liveBytes, start);
    assertEquals(device.stats().peakBytes - start, (1 << 20) + 48);
  }),
);

Deno.test(
  "cpu: an executable's temporaries count as live until it is disposed, once",
  withDevice((device) => {
    const start = device.stats().liveBytes;
    const executable = device.compile({
      label: "nothing",
      slots: [{ kind: "params", bytes: 0, written: false }, { kind: "temporary", bytes: 1 << 16, written: true }],
      kernels: [],
    });
    assert(device.stats().liveBytes - start >= 1 << 16);
    executable.dispose();
    executable.dispose();
    assertEquals(device.stats().liveBytes, start);
  }),
);

Deno.test(
  "cpu: more than there is gives a DeviceError that says how much was asked for and is in use",
  withDevice((device) => {
    device.alloc(1 << 20);
    const large = 2 ** 31 - 64;
    device.alloc(large, { zeroed: false });
    const error = assertThrows(() => device.alloc(large), DeviceError, String(large));
    assert(/\b21485\d{5}\b/.test(error.message), error.message); // one of them and the mebibyte
    device.alloc(64); // and the device goes on
  }),
);

Deno.test(
  "cpu: two gibibytes are two gibibytes",
  withDevice((device) => {
    const large = device.alloc(2 ** 31 - 8, { zeroed: false });
    const next = device.alloc(64);
    device.write(next, 0, Uint32Array.of(11));
    device.write(large, 2 ** 30, Uint32Array.of(22));
    device.write(large, 2 ** 31 - 12, Uint32Array.of(33));
    assertEquals(bytesOf(device, next, 4)[0], 11);
    assertEquals(bytesOf(device, large, 4, 2 ** 31 - 12)[0], 33);
  }),
);

Deno.test("cpu: a closed device refuses work", () => {
  const device = openCpu({ threads: 1 });
  device.close();
  assertThrows(() => device.alloc(16), DeviceError, "closed");
  device.close();
});

Deno.test(
  "cpu: a thousand runs make nothing and hold nothing",
  withDevice((device) => {
    const view = { slot: 1, dtype: "f32", offset: 0, strides: [1] } as const;
    const executable = device.compile({
      label: "add one",
      slots: [{ kind: "params", bytes: 16, written: false }, { kind: "bound", bytes: 64, written: true }],
      kernels: [{
        op: "map",
        shape: [16],
        body: [{ k: "load", view }, { k: "const", value: 1, type: "f32" }, { k: "binary", op: "add", a: 0, b: 1 }],
        outs: [{ view, value: 2 }],
      }],
    });
    const buffer = device.alloc(64), params = new Uint8Array(16);
    const before = device.stats();
    for (let i = 0; i < 1000; i++) device.run(executable, [buffer], params);
    const { runs, dispatches, submits, writes, ...rest } = device.stats();
    assertEquals([runs, dispatches, submits, writes], [
      before.runs + 1000,
      before.dispatches + 1000,
      before.submits + 1000,
      before.writes + 1000,
    ]);
    const { runs: _r, dispatches: _d, submits: _s, writes: _w, ...old } = before;
    assertEquals(rest, old);
    assertEquals(new Float32Array(bytesOf(device, buffer, 64).buffer)[15], 1000);
  }),
);
