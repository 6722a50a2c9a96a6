// matmul_small.wgsl   acc[b, m, n] = sum over k of a[b, m, k] b[b, k, n]; four neighbours of a row per thread
// in     a, b: f32 or f16; the hooks say how they lie. K[0] = (m, n, k, batch), K[1] = strides (a.m, a.k, b.k, b.n), K[2].x = grid width
// out    what the epilogue does with four elements of a row at a time; those from n on are for it to leave out
// grid   batch * m * ceil(n / 4) / WG, folded over x and y
// WG     threads: 8..64
// maths  k in order, one fma each; for products too small to pay for the compilation of larger tiles
// oracle tests/support/reference_device_kernels.ts; tolerance 1 ulp x sqrt(k)
// variants WG=8|32|64
override WG: u32 = 64u;

@group(0) @binding(0) var<uniform> K: array<vec4u, 4>;
// hook a
@group(0) @binding(1) var<storage, read> a_data: array<f32>;
fn a_element(i: u32) -> f32 {
  return a_data[i];
}
fn a_base(b: u32) -> u32 {
  return b * K[0].x * K[0].z;
}
fn a_at(base: u32, m: u32, k: u32) -> f32 {
  return a_element(base + m * K[1].x + k * K[1].y);
}
fn a_block(base: u32, m: u32, k: u32) -> mat4x4f {
  return mat4x4f(
    a_at(base, m, k), a_at(base, m, k + 1u), a_at(base, m, k + 2u), a_at(base, m, k + 3u),
    a_at(base, m + 1u, k), a_at(base, m + 1u, k + 1u), a_at(base, m + 1u, k + 2u), a_at(base, m + 1u, k + 3u),
    a_at(base, m + 2u, k), a_at(base, m + 2u, k + 1u), a_at(base, m + 2u, k + 2u), a_at(base, m + 2u, k + 3u),
    a_at(base, m + 3u, k), a_at(base, m + 3u, k + 1u), a_at(base, m + 3u, k + 2u), a_at(base, m + 3u, k + 3u),
  );
}
// end hook
// hook b
@group(0) @binding(2) var<storage, read> b_data: array<f32>;
fn b_element(i: u32) -> f32 {
  return b_data[i];
}
fn b_base(b: u32) -> u32 {
  return b * K[0].y * K[0].z;
}
fn b_at(base: u32, k: u32, n: u32) -> f32 {
  return b_element(base + k * K[1].z + n * K[1].w);
}
fn b_block(base: u32, k: u32, n: u32) -> mat4x4f {
  return mat4x4f(
    b_at(base, k, n), b_at(base, k, n + 1u), b_at(base, k, n + 2u), b_at(base, k, n + 3u),
    b_at(base, k + 1u, n), b_at(base, k + 1u, n + 1u), b_at(base, k + 1u, n + 2u), b_at(base, k + 1u, n + 3u),
    b_at(base, k + 2u, n), b_at(base, k + 2u, n + 1u), b_at(base, k + 2u, n + 2u), b_at(base, k + 2u, n + 3u),
    b_at(base, k + 3u, n), b_at(base, k + 3u, n + 1u), b_at(base, k + 3u, n + 2u), b_at(base, k + 3u, n + 3u),
  );
}
// end hook
// hook epilogue
@group(0) @binding(3) var<storage, read_write> c: array<vec4f>;
fn epilogue(b: u32, m: u32, n: u32, acc: vec4f) {
  c[((b * K[0].x + m) * K[0].y + n) / 4u] = acc;
}
// end hook

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let wide = (K[0].y + 3u) / 4u;
  let strip = (group.y * K[2].x + group.x) * WG + local;
  if (strip >= wide * K[0].x * K[0].w) {
    return;
  }
  let n = 4u * (strip % wide);
  let m = (strip / wide) % K[0].x;
  let batch = strip / (wide * K[0].x);
  let from_a = a_base(batch);
  let from_b = b_base(batch);
  let last = K[0].y - 1u;
  var c = vec4f();
  for (var k = 0u; k < K[0].z; k++) {
    let b = vec4f(
      b_at(from_b, k, n),
      b_at(from_b, k, min(n + 1u, last)),
      b_at(from_b, k, min(n + 2u, last)),
      b_at(from_b, k, min(n + 3u, last)),
    );
    c = fma(vec4f(a_at(from_a, m, k)), b, c);
  }
  epilogue(batch, m, n, c);
}
