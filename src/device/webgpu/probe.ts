/**
 * Finds out by a short trial which matmul kernels suit the adapter. Its name says nothing: software adapters of the same
 * name differ several times.
 *
 * @module
 */
import type { Family } from "./kernels/plan.ts";
import { PROBE } from "./wgsl.gen.ts";

const BYTES = 128 * 128 * 4;
const TRIES = 6;
/** How much faster the way without workgroup memory must be; where launching costs more than the work, it is not. */
const CLEARLY = 0.9;

/**
 * Times a small product both ways.
 *
 * @param wait Returns when everything submitted has finished.
 * @returns `register` where operands straight from memory are clearly faster, as on adapters that run on a CPU.
 */
export function probeFamily(device: GPUDevice, wait: () => void): Family {
  const label = "anneal probe";
  const buffers = [0, 1, 2].map(() => device.createBuffer({ label, size: BYTES, usage: GPUBufferUsage.STORAGE }));
  const module = device.createShaderModule({ label, code: PROBE });
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  const runs = ([["direct", 16, 1], ["staged", 4, 4]] as const).map(([entryPoint, x, y]) => {
    const pipeline = device.createComputePipeline({ label, layout: "auto", compute: { module, entryPoint } });
    const group = device.createBindGroup({ label, layout: pipeline.getBindGroupLayout(0), entries });
    return () => {
      const encoder = device.createCommandEncoder({ label });
      const pass = encoder.beginComputePass({ label });
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(x, y);
      pass.end();
      const start = performance.now();
      device.queue.submit([encoder.finish()]);
      wait();
      return performance.now() - start;
    };
  });
  runs.forEach((run) => run()); // the first run compiles
  const best = [Infinity, Infinity];
  // in turn, so that a busy moment hits both
  for (let i = 0; i < TRIES; i++) runs.forEach((run, which) => best[which] = Math.min(best[which], run()));
  buffers.forEach((buffer) => buffer.destroy());
  return best[0] < CLEARLY * best[1] ? "register" : "shared";
}
