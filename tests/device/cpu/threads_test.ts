import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { ConfigError } from "../../../src/base/errors.ts";
import { openCpu } from "../../../src/device/cpu/mod.ts";
import { runScript } from "./support.ts";

for (const threads of [0, -1, 1.5, NaN, 257, Infinity]) {
  Deno.test(`cpu: ${threads} threads are refused`, () => {
    assertThrows(() => openCpu({ threads }), ConfigError, String(threads));
  });
}

Deno.test("cpu: the name says how many threads and which instructions", () => {
  const device = openCpu({ threads: 3, simd: "plain" });
  assertMatch(device.name, /3 threads/);
  assertEquals(device.kind, "cpu");
  device.close();
});

/** Opens a device with 3 threads and runs a product large enough to wake them. */
const START = `
import { openCpu } from "$ROOT/src/device/cpu/mod.ts";
const n = 256;
const device = openCpu({ threads: 3 });
const view = (slot) => ({ slot, dtype: "f32", offset: 0, strides: [n, 1] });
const bytes = n * n * 4;
const executable = device.compile({
  label: "product",
  slots: [{ kind: "params", bytes: 0, written: false },
    { kind: "bound", bytes, written: false }, { kind: "bound", bytes, written: true }],
  kernels: [{ op: "matmul", batch: [], m: n, n, k: n, a: view(1), b: view(1),
    body: [{ k: "acc" }], outs: [{ view: view(2), value: 0 }] }],
});
const buffers = [device.alloc(bytes), device.alloc(bytes)];
device.write(buffers[0], 0, new Float32Array(n * n).fill(1));
const run = () => device.run(executable, buffers, new Uint8Array(0));
const first = () => new Float32Array(device.readSync([{ buffer: buffers[1], offset: 0, bytes: 4 }])[0].buffer)[0];
run();
console.log("first", first(), "helpers", device.threads?.workers.length);
`;

/** Tries \`body\` and prints the error's name. */
const TRY = `
const attempt = (name, body) => {
  try { body(); console.log(name, "went through"); } catch (error) { console.log(name, error.name); }
};
`;

Deno.test("cpu: a process with sleeping helper threads exits by itself, without permissions", async () => {
  const { code, output, timedOut } = await runScript(START, 20000);
  assertEquals({ timedOut, code }, { timedOut: false, code: 0 }, output);
  assertMatch(output, /first 256 helpers 2/);
});

Deno.test("cpu: so does one that closed the device, and one that opened many", async () => {
  const script = `${START}
device.close();
for (let i = 0; i < 5; i++) openCpu({ threads: 2 }).close();
console.log("done");`;
  const { code, output, timedOut } = await runScript(script, 20000);
  assertEquals({ timedOut, code }, { timedOut: false, code: 0 }, output);
  assertMatch(output, /done/);
});

Deno.test("cpu: a helper that was ended from outside gives a DeviceError at the next call, and again", async () => {
  const script = `${START}${TRY}
await device.threads.workers[0].end();
await new Promise((resolve) => setTimeout(resolve, 50));
attempt("run", run);
attempt("again", run);
attempt("read", first);
await device.sync().then(() => console.log("sync went through"), (error) => console.log("sync", error.name));`;
  const { output, timedOut } = await runScript(script, 40000);
  assertEquals(timedOut, false, output);
  for (const call of ["run", "again", "read", "sync"]) assertMatch(output, new RegExp(`${call} DeviceError`));
});

Deno.test("cpu: nor does the main thread hang when a helper is ended right before a run", async () => {
  const script = `${START}${TRY}
device.threads.workers[0].end(); // not awaited
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
attempt("run", run);`;
  const { output, timedOut } = await runScript(script, 60000);
  assertEquals(timedOut, false, `the run hangs\n${output}`);
  assertMatch(output, /run DeviceError/);
});

/** Before {@link START}: what helper threads do is changed as `change` says. */
const changed = (change: string) => `
const encode = encodeURIComponent;
globalThis.encodeURIComponent = (text) => encode(text${change});`;

/** \`START\` with its imports made dynamic, so that it may follow other code. */
const LATER = START.replace(/import \{ openCpu \} from ("[^"]+");/, "const { openCpu } = await import($1);");

Deno.test("cpu: a helper that ends in the middle of a run gives a DeviceError within seconds, not a process that hangs", async () => {
  const leave = `
  .replace("import {", "import process from 'node:process'; import {")
  .replace("programs.get(words[", "if (thread === 1 && (globalThis.runs = (globalThis.runs ?? 0) + 1) === 2) process.exit(3); programs.get(words[")`;
  const script = `${changed(leave)}${LATER}${TRY}
// what a signal handler of a fit waits for is the end of this call
attempt("run", run);
attempt("again", run);
executable.dispose();
device.close();
console.log("the process goes on");`;
  const { output, timedOut } = await runScript(script, 60000);
  assertEquals(timedOut, false, `the run hangs\n${output}`);
  for (const call of ["run", "again"]) assertMatch(output, new RegExp(`${call} DeviceError`));
  assertMatch(output, /the process goes on/);
});

Deno.test("cpu: helpers that cannot start leave nothing behind, and every later run says so at once", async () => {
  // the first one starts, the second does not
  const broken = `.replace("let seen =", "if (thread === 2) throw new Error('no room'); let seen =")`;
  const script = `${changed(broken)}
const started = [];
const { Worker: Real } = await import("node:worker_threads");
const terminate = Real.prototype.terminate;
Real.prototype.terminate = function () { started.push(this); return terminate.call(this); };
${LATER.replace("\nrun();\n", "\n").replace(/console.log\("first".*/, "")}${TRY}
attempt("run", run);
console.log("ended", started.length);
const start = performance.now();
attempt("again", run);
console.log("waited", performance.now() - start < 1000 ? "no" : "yes");
const one = openCpu({ threads: 1 });
console.log("one thread", one.name.includes("1 thread"));`;
  const { output, timedOut } = await runScript(script, 60000);
  assertEquals(timedOut, false, output);
  for (const call of ["run", "again"]) assertMatch(output, new RegExp(`${call} DeviceError`));
  assertMatch(output, /ended 2/);
  assertMatch(output, /waited no/);
  assertMatch(output, /one thread true/);
});

Deno.test("cpu: programs compiled and disposed by the hundred do not stop the threads", async () => {
  const script = `${START}
for (let i = 0; i < 200; i++) {
  const other = device.compile(executable.program);
  device.run(other, buffers, new Uint8Array(0));
  other.dispose();
}
run();
console.log("last", first(), device.stats().liveBytes < 4 * bytes);`;
  const { output, timedOut } = await runScript(script, 60000);
  assertEquals(timedOut, false, output);
  assertMatch(output, /last 256 true/);
});
