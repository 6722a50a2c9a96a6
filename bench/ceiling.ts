/**
 * What a WebGPU adapter can do at most: multiplications and additions in registers, and copies.
 *
 * @module
 */

const TIMES = 4096;
const THREADS = 8 * 256;
const BYTES = 2 ** 22;

// sixteen independent sums in a thread, each step four of them at a time; what is added is not known before
const line = Array.from({ length: 16 }, (_, i) => `c${i % 4} = fma(c${i % 4}, x, y);`).join(" ");
const FMA = `@group(0) @binding(0) var<storage, read_write> out: array<vec4f>;
@compute @workgroup_size(8) fn main(@builtin(global_invocation_id) id: vec3u) {
  let x = vec4f(0.5) + vec4f(f32(id.y));
  let y = vec4f(f32(id.x));
  var c0 = y; var c1 = y + 1.0; var c2 = y + 2.0; var c3 = y + 3.0;
  for (var i = id.y; i < ${TIMES}u; i++) { ${line} }
  out[id.x] = c0 + c1 + c2 + c3;
}`;

const COPY = `@group(0) @binding(0) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(1) var<storage, read> data: array<vec4f>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  out[id.x] = data[id.x];
}`;

/** GFLOP/s (a multiplication and an addition are two) and GB/s (read and written), the best of 9 each. */
export async function ceiling(device: GPUDevice): Promise<{ gflops: number; gbytes: number }> {
  const make = (size: number, usage: number) => device.createBuffer({ size, usage });
  const [out, data] = [0, 1].map(() => make(BYTES, GPUBufferUsage.STORAGE));
  const querySet = device.createQuerySet({ type: "timestamp", count: 2 });
  const ticks = make(16, GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC);
  const host = make(16, GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ);
  const best = async (code: string, buffers: readonly GPUBuffer[], groups: number): Promise<number> => {
    const module = device.createShaderModule({ code });
    const pipeline = device.createComputePipeline({ layout: "auto", compute: { module, entryPoint: "main" } });
    const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
    const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
    let least = Infinity;
    for (let i = 0; i < 10; i++) {
      const encoder = device.createCommandEncoder();
      const timestampWrites = { querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 };
      const pass = encoder.beginComputePass({ timestampWrites });
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(groups);
      pass.end();
      encoder.resolveQuerySet(querySet, 0, 2, ticks, 0);
      encoder.copyBufferToBuffer(ticks, 0, host, 0, 16);
      device.queue.submit([encoder.finish()]);
      await host.mapAsync(GPUMapMode.READ);
      const [start, end] = new BigUint64Array(host.getMappedRange().slice(0));
      host.unmap();
      if (i > 0) least = Math.min(least, Number(end - start));
    }
    return least;
  };
  const gflops = 2 * 16 * 4 * TIMES * THREADS / await best(FMA, [out], THREADS / 8);
  const gbytes = 2 * BYTES / await best(COPY, [out, data], BYTES / 16 / 64);
  [out, data, ticks, host].forEach((buffer) => buffer.destroy());
  querySet.destroy();
  return { gflops, gbytes };
}
