// conv_fold.wgsl   acc[g, m, n] = sum over chunks of partials[chunk, g, m, n]; four neighbours of a row per thread
// in     partials: f32, in quads of places. K[0] = (m, n, chunks, groups), K[1] = (grid width, quads, quads of a row of
//        places, places of such a row)
// out    what the epilogue does with four elements of a row at a time; those from n on are for it to leave out
// grid   groups * m * quads / WG, folded over x and y
// WG     threads: 8..64
// maths  chunks in order
// oracle tests/support/reference_device_kernels.ts; tolerance 1 ulp x sqrt(k)
// variants WG=8|32|64
override WG: u32 = 64u;

@group(0) @binding(0) var<uniform> K: array<vec4u, 2>;
@group(0) @binding(1) var<storage, read> partials: array<vec4f>;
// hook epilogue
@group(0) @binding(2) var<storage, read_write> c: array<vec4f>;
fn epilogue(b: u32, m: u32, n: u32, acc: vec4f) {
  c[((b * K[0].x + m) * K[0].y + n) / 4u] = acc;
}
// end hook

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let strip = (group.y * K[1].x + group.x) * WG + local;
  let all = K[1].y * K[0].x * K[0].w;
  if (strip >= all) {
    return;
  }
  var sum = partials[strip];
  for (var chunk = 1u; chunk < K[0].z; chunk++) {
    sum += partials[chunk * all + strip];
  }
  let quad = strip % K[1].y;
  let n = quad / K[1].z * K[1].w + 4u * (quad % K[1].z);
  epilogue(strip / (K[1].y * K[0].x), (strip / K[1].y) % K[0].x, n, sum);
}
