/**
 * Finds out whether the threads of a workgroup lie in subgroups as their numbers say. WGSL leaves that open.
 *
 * @module
 */
import { BufferUsage } from "./flags.ts";
import type { Readback } from "./readback.ts";

/** Fewest and most threads of a subgroup, on every adapter. */
const FEWEST = 4;
const MOST = 128;
/** Threads of the workgroups that kernels use, from few to many. */
const WORKGROUPS = [8, 64, 256];

/**
 * Threads that follow each other and lie in one subgroup, a power of two; 0 where subgroups are of no use.
 *
 * @param info What the adapter says of itself; of its sizes, the smallest counts.
 */
export async function usableLanes(device: GPUDevice, info: GPUAdapterInfo, readback: Readback): Promise<number> {
  if (!([...device.features] as string[]).includes("subgroups")) return 0;
  const said = "subgroupMinSize" in info && typeof info.subgroupMinSize === "number" ? info.subgroupMinSize : FEWEST;
  const lanes = 2 ** Math.floor(Math.log2(Math.min(MOST, Math.max(FEWEST, said))));
  for (const few of new Set([lanes, FEWEST])) {
    const right = [];
    for (const threads of WORKGROUPS) right.push(await exchanges(device, readback, { lanes: few, threads }));
    if (right.every((yes) => yes)) return few;
  }
  return 0;
}

/** Whether each of `threads` gets, for each bit of a lane's number, the number of the thread that differs in it. */
async function exchanges(
  device: GPUDevice,
  readback: Readback,
  { lanes, threads }: { readonly lanes: number; readonly threads: number },
): Promise<boolean> {
  const label = "anneal subgroups", bits = Math.log2(Math.min(lanes, threads));
  const code = `enable subgroups;
@group(0) @binding(0) var<storage, read_write> out: array<u32>;
@compute @workgroup_size(${threads})
fn main(@builtin(local_invocation_index) t: u32) {
${
    Array.from({ length: bits }, (_, bit) => `  out[t * 8u + ${bit}u] = subgroupShuffleXor(t, ${2 ** bit}u);`)
      .join("\n")
  }
}`;
  device.pushErrorScope("validation");
  const usage = BufferUsage.STORAGE | BufferUsage.COPY_SRC;
  const out = device.createBuffer({ label, size: threads * 32, usage });
  const module = device.createShaderModule({ label, code });
  const pipeline = device.createComputePipeline({ label, layout: "auto", compute: { module, entryPoint: "main" } });
  const entries = [{ binding: 0, resource: { buffer: out } }];
  const group = device.createBindGroup({ label, layout: pipeline.getBindGroupLayout(0), entries });
  const encoder = device.createCommandEncoder({ label });
  const pass = encoder.beginComputePass({ label });
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(1);
  pass.end();
  device.queue.submit([encoder.finish()]);
  const [bytes] = await readback.read([{ gpu: out, offset: 0, bytes: threads * 32 }]);
  out.destroy();
  if (await device.popErrorScope() !== null) return false;
  const words = new Uint32Array(bytes.buffer);
  for (let t = 0; t < threads; t++) {
    for (let bit = 0; bit < bits; bit++) if (words[t * 8 + bit] !== (t ^ 2 ** bit)) return false;
  }
  return true;
}
