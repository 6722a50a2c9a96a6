/**
 * Finds out by a short trial which matmul kernels suit the adapter. Its name says nothing: software adapters of the same
 * name differ several times.
 *
 * @module
 */
import { BufferUsage, TextureUsage } from "./flags.ts";
import type { KernelStrategy } from "./kernels/plan.ts";
import { hasLanguageFeature } from "./request.ts";
import { PROBE } from "./wgsl.gen.ts";

const BYTES = 128 * 128 * 4;
const TRIES = 6;
/** How much faster the way without workgroup memory must be; where launching costs more than the work, it is not. */
const CLEARLY = 0.9;

/** The ways, which entry point of the shader each is, and its grid. */
const WAYS = [["shared", "staged", 4, 4], ["register", "direct", 16, 1], ["texel", "texels", 16, 1]] as const;

/**
 * Times a small product all three ways.
 *
 * @param gpu What the device came from.
 * @param wait Returns, or resolves, when everything submitted has finished.
 * @returns `register` or `texel` where operands straight from memory are clearly faster than tiles in workgroup memory, as on
 *   adapters that run on a CPU.
 */
export async function probeStrategy(
  gpu: GPU,
  device: GPUDevice,
  wait: () => void | Promise<unknown>,
): Promise<KernelStrategy> {
  const label = "anneal probe";
  const buffers = [0, 1, 2].map(() => device.createBuffer({ label, size: BYTES, usage: BufferUsage.STORAGE }));
  const usage = TextureUsage.STORAGE_BINDING | TextureUsage.COPY_DST;
  const textures = [3, 4].map(() => {
    const texture = device.createTexture({ label, size: [32, 128], format: "rgba32float", usage });
    // left to themselves they are cleared by a way that spoils Mesa's timestamps from then on
    device.queue.writeTexture({ texture }, new Uint8Array(BYTES), { bytesPerRow: 512 }, [32, 128]);
    return texture;
  });
  const texels = hasLanguageFeature(gpu, "readonly_and_readwrite_storage_textures");
  const ways = WAYS.filter(([strategy]) => strategy !== "texel" || texels);
  const code = texels ? PROBE : PROBE.replace(/\/\/ hook texels\n[^]*?\/\/ end hook\n/, "");
  const module = device.createShaderModule({ label, code });
  const [a, b, c] = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  const images = textures.map((texture, i) => ({ binding: 3 + i, resource: texture.createView() }));
  const runs = ways.map(([strategy, entryPoint, x, y]) => {
    const pipeline = device.createComputePipeline({ label, layout: "auto", compute: { module, entryPoint } });
    const entries = strategy === "texel" ? [c, ...images] : [a, b, c];
    const group = device.createBindGroup({ label, layout: pipeline.getBindGroupLayout(0), entries });
    return async () => {
      const encoder = device.createCommandEncoder({ label });
      const pass = encoder.beginComputePass({ label });
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(x, y);
      pass.end();
      const start = performance.now();
      device.queue.submit([encoder.finish()]);
      await wait();
      return performance.now() - start;
    };
  });
  for (const run of runs) await run(); // the first run compiles
  const best = ways.map(() => Infinity);
  // in turn, so that a busy moment hits all
  for (let i = 0; i < TRIES; i++) {
    for (const [which, run] of runs.entries()) best[which] = Math.min(best[which], await run());
  }
  [...buffers, ...textures].forEach((resource) => resource.destroy());
  const [shared, ...others] = best;
  const [way] = ways.map(([strategy], which) => ({ strategy, best: best[which] })).sort((x, y) => x.best - y.best);
  return Math.min(...others) < CLEARLY * shared ? way.strategy : "shared";
}
