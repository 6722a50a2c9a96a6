// matmul_register.wgsl   acc[b, m, n] = sum over k of a[b, m, k] b[b, k, n]; an 8x8 tile per thread, no shared memory
// in     a, b: f32; the hooks say how they lie. K[0] = (m, n, k, batch), K[1] = strides (a.m, a.k, b.k, b.n), K[2].x = grid width
// out    what the epilogue does with four elements of a row at a time; n is padded to a multiple of 4 there
// grid   batch * ceil(m / 8) * ceil(n / 8) / WG, folded over x and y
// WG     threads: 8..64
// maths  k in order, one fma each
// oracle tests/support/reference_device_kernels.ts; tolerance 1 ulp x sqrt(k)
// variants WG=8|32|64
override WG: u32 = 8u;

@group(0) @binding(0) var<uniform> K: array<vec4u, 4>;
// hook a
@group(0) @binding(1) var<storage, read> a_data: array<f32>;
fn a_base(b: u32) -> u32 {
  return b * K[0].x * K[0].z;
}
fn a_at(base: u32, m: u32, k: u32) -> f32 {
  return a_data[base + m * K[1].x + k * K[1].y];
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
fn b_base(b: u32) -> u32 {
  return b * K[0].y * K[0].z;
}
fn b_at(base: u32, k: u32, n: u32) -> f32 {
  return b_data[base + k * K[1].z + n * K[1].w];
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

// c + a.x b[0] + a.y b[1] + a.z b[2] + a.w b[3], in this order
fn dot4(a: vec4f, b: mat4x4f, c: vec4f) -> vec4f {
  return fma(vec4f(a.w), b[3], fma(vec4f(a.z), b[2], fma(vec4f(a.y), b[1], fma(vec4f(a.x), b[0], c))));
}

fn b_line(base: u32, k: u32, n: u32) -> vec4f {
  let last = K[0].y - 1u;
  return vec4f(
    b_at(base, k, min(n, last)), b_at(base, k, min(n + 1u, last)),
    b_at(base, k, min(n + 2u, last)), b_at(base, k, min(n + 3u, last)),
  );
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let wide = (K[0].y + 7u) / 8u;
  let high = (K[0].x + 7u) / 8u;
  let tile = (group.y * K[2].x + group.x) * WG + local;
  if (tile >= wide * high * K[0].w) {
    return;
  }
  let n = 8u * (tile % wide);
  let m = 8u * ((tile / wide) % high);
  let batch = tile / (wide * high);
  let a_from = a_base(batch);
  let b_from = b_base(batch);
  let last = K[0].x - 1u;
  var c00 = vec4f();
  var c01 = vec4f();
  var c10 = vec4f();
  var c11 = vec4f();
  var c20 = vec4f();
  var c21 = vec4f();
  var c30 = vec4f();
  var c31 = vec4f();
  var c40 = vec4f();
  var c41 = vec4f();
  var c50 = vec4f();
  var c51 = vec4f();
  var c60 = vec4f();
  var c61 = vec4f();
  var c70 = vec4f();
  var c71 = vec4f();
  let whole = K[0].z & ~3u;
  for (var k = 0u; k < whole; k += 4u) {
    let a = a_block(a_from, m, k);
    let d = a_block(a_from, m + 4u, k);
    var b = b_block(b_from, k, n);
    c00 = dot4(a[0], b, c00);
    c10 = dot4(a[1], b, c10);
    c20 = dot4(a[2], b, c20);
    c30 = dot4(a[3], b, c30);
    c40 = dot4(d[0], b, c40);
    c50 = dot4(d[1], b, c50);
    c60 = dot4(d[2], b, c60);
    c70 = dot4(d[3], b, c70);
    b = b_block(b_from, k, n + 4u);
    c01 = dot4(a[0], b, c01);
    c11 = dot4(a[1], b, c11);
    c21 = dot4(a[2], b, c21);
    c31 = dot4(a[3], b, c31);
    c41 = dot4(d[0], b, c41);
    c51 = dot4(d[1], b, c51);
    c61 = dot4(d[2], b, c61);
    c71 = dot4(d[3], b, c71);
  }
  for (var k = whole; k < K[0].z; k++) {
    let p = b_line(b_from, k, n);
    let q = b_line(b_from, k, n + 4u);
    let a0 = vec4f(a_at(a_from, min(m, last), k));
    c00 = fma(a0, p, c00);
    c01 = fma(a0, q, c01);
    let a1 = vec4f(a_at(a_from, min(m + 1u, last), k));
    c10 = fma(a1, p, c10);
    c11 = fma(a1, q, c11);
    let a2 = vec4f(a_at(a_from, min(m + 2u, last), k));
    c20 = fma(a2, p, c20);
    c21 = fma(a2, q, c21);
    let a3 = vec4f(a_at(a_from, min(m + 3u, last), k));
    c30 = fma(a3, p, c30);
    c31 = fma(a3, q, c31);
    let a4 = vec4f(a_at(a_from, min(m + 4u, last), k));
    c40 = fma(a4, p, c40);
    c41 = fma(a4, q, c41);
    let a5 = vec4f(a_at(a_from, min(m + 5u, last), k));
    c50 = fma(a5, p, c50);
    c51 = fma(a5, q, c51);
    let a6 = vec4f(a_at(a_from, min(m + 6u, last), k));
    c60 = fma(a6, p, c60);
    c61 = fma(a6, q, c61);
    let a7 = vec4f(a_at(a_from, min(m + 7u, last), k));
    c70 = fma(a7, p, c70);
    c71 = fma(a7, q, c71);
  }
  var sums = array<vec4f, 16>(
    c00, c01, c10, c11, c20, c21, c30, c31, c40, c41, c50, c51, c60, c61, c70, c71,
  );
  for (var i = 0u; i < 16u; i++) {
    let row = m + i / 2u;
    let column = n + 4u * (i % 2u);
    if (row < K[0].x && column < K[0].y) {
      epilogue(batch, row, column, sums[i]);
    }
  }
}
