/**
 * The most multiplications and additions that an adapter does: sixteen independent vectors in each thread's registers.
 *
 * @module
 */

const TIMES = 4096;
const GROUP = 256;

const sums = Array.from({ length: 16 }, (_, i) => `c${i}`);

/** `x` halves a sum at each step, so that it stays a number of either type. */
function codeOf(dtype: "f32" | "f16"): string {
  const [vector, one] = dtype === "f16" ? ["vec4h", "f16"] : ["vec4f", "f32"];
  return `${dtype === "f16" ? "enable f16;" : ""}
@group(0) @binding(0) var<storage, read_write> out: array<vec4f>;
@compute @workgroup_size(${GROUP}) fn main(@builtin(global_invocation_id) id: vec3u) {
  let x = ${vector}(0.5) + ${vector}(${one}(id.y));
  let y = ${vector}(${one}(id.x % 256u));
  ${sums.map((c, i) => `var ${c} = y + ${i}.0;`).join(" ")}
  for (var i = id.y; i < ${TIMES}u; i++) { ${sums.map((c) => `${c} = fma(${c}, x, y);`).join(" ")} }
  out[id.x % 4096u] = vec4f(${sums.join(" + ")});
}`;
}

/**
 * GFLOP/s (a multiplication and an addition are two).
 *
 * @param leastMs How long the longest run takes at least; the work grows until it does.
 */
export async function peakGflops(device: GPUDevice, dtype: "f32" | "f16", leastMs: number): Promise<number> {
  const out = device.createBuffer({ label: "peak", size: 4096 * 16, usage: GPUBufferUsage.STORAGE });
  const module = device.createShaderModule({ label: "peak", code: codeOf(dtype) });
  const pipeline = device.createComputePipeline({
    label: "peak",
    layout: "auto",
    compute: { module, entryPoint: "main" },
  });
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer: out } }],
  });
  const time = async (groups: number): Promise<number> => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(groups);
    pass.end();
    const start = performance.now();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    return performance.now() - start;
  };
  await time(1);
  // waiting for the device takes some runtimes 11 ms
  const idle = Math.min(await time(0), await time(0), await time(0));
  let best = 0;
  for (let groups = 1; groups < 65536; groups *= 2) {
    const ms = await time(groups);
    if (ms > 2 * idle) best = Math.max(best, 2 * 16 * 4 * TIMES * GROUP * groups / (ms - idle) / 1e6);
    if (ms >= Math.max(leastMs, 3 * idle)) break;
  }
  out.destroy();
  return best;
}
