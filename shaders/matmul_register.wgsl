// matmul_register.wgsl   acc[b, m, n] = sum over k of a[b, m, k] b[b, k, n]; a 16x8 tile per thread, no shared memory
// in     a, b: f32 or f16; the hooks say how they lie. K[0] = (m, n, k, batch), K[1] = strides (a.m, a.k, b.k, b.n), K[2].x = grid width,
//        K[2].yz = (8, 4), trip counts that compilers must not unroll by
// out    what the epilogue does with four elements of a row at a time; those from n on are for it to leave out
// grid   batch * ceil(m / 16) * ceil(n / 8) / WG, folded over x and y
// WG     threads: 8..64
// maths  k in order, one fma each
// oracle tests/support/reference_device_kernels.ts; tolerance 1 ulp x sqrt(k)
// variants WG=8|32|64
override WG: u32 = 8u;

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

// c + a.x b[0] + a.y b[1] + a.z b[2] + a.w b[3], in this order
fn dot4(a: vec4f, b: mat4x4f, c: vec4f) -> vec4f {
  return fma(vec4f(a.w), b[3], fma(vec4f(a.z), b[2], fma(vec4f(a.y), b[1], fma(vec4f(a.x), b[0], c))));
}

// four terms more in eight columns of a row
fn row4(a: vec4f, p: mat4x4f, q: mat4x4f, c: mat2x4f) -> mat2x4f {
  return mat2x4f(dot4(a, p, c[0]), dot4(a, q, c[1]));
}

fn b_line(base: u32, k: u32, n: u32) -> vec4f {
  let last = K[0].y - 1u;
  return vec4f(
    b_at(base, k, min(n, last)), b_at(base, k, min(n + 1u, last)),
    b_at(base, k, min(n + 2u, last)), b_at(base, k, min(n + 3u, last)),
  );
}

// piece i of four rows: row i / 2, left or right half
fn pick(i: u32, c0: mat2x4f, c1: mat2x4f, c2: mat2x4f, c3: mat2x4f) -> vec4f {
  let right = (i & 1u) == 1u;
  let a = select(c0[0], c0[1], right);
  let b = select(c1[0], c1[1], right);
  let c = select(c2[0], c2[1], right);
  let d = select(c3[0], c3[1], right);
  return select(select(a, b, (i & 2u) == 2u), select(c, d, (i & 2u) == 2u), (i & 4u) == 4u);
}

// the last terms, where k is no multiple of 4, and out
fn finish(batch: u32, m: u32, n: u32, i: u32, whole: u32, sum: vec4f) {
  let row = m + i / 2u;
  let column = n + 4u * (i % 2u);
  if (row >= K[0].x || column >= K[0].y) {
    return;
  }
  var c = sum;
  for (var k = whole; k < K[0].z; k++) {
    c = fma(vec4f(a_at(a_base(batch), row, k)), b_line(b_base(batch), k, column), c);
  }
  epilogue(batch, row, column, c);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let wide = (K[0].y + 7u) / 8u;
  let high = (K[0].x + 15u) / 16u;
  let tile = (group.y * K[2].x + group.x) * WG + local;
  if (tile >= wide * high * K[0].w) {
    return;
  }
  let n = 8u * (tile % wide);
  let m = 16u * ((tile / wide) % high);
  let batch = tile / (wide * high);
  let from_a = a_base(batch);
  let from_b = b_base(batch);
  var c0 = mat2x4f();
  var c1 = mat2x4f();
  var c2 = mat2x4f();
  var c3 = mat2x4f();
  var c4 = mat2x4f();
  var c5 = mat2x4f();
  var c6 = mat2x4f();
  var c7 = mat2x4f();
  var c8 = mat2x4f();
  var c9 = mat2x4f();
  var c10 = mat2x4f();
  var c11 = mat2x4f();
  var c12 = mat2x4f();
  var c13 = mat2x4f();
  var c14 = mat2x4f();
  var c15 = mat2x4f();
  let whole = K[0].z & ~3u;
  for (var k = 0u; k < whole; k += 4u) {
    let p = b_block(from_b, k, n);
    let q = b_block(from_b, k, n + 4u);
    var a = a_block(from_a, m, k);
    c0 = row4(a[0], p, q, c0);
    c1 = row4(a[1], p, q, c1);
    c2 = row4(a[2], p, q, c2);
    c3 = row4(a[3], p, q, c3);
    a = a_block(from_a, m + 4u, k);
    c4 = row4(a[0], p, q, c4);
    c5 = row4(a[1], p, q, c5);
    c6 = row4(a[2], p, q, c6);
    c7 = row4(a[3], p, q, c7);
    a = a_block(from_a, m + 8u, k);
    c8 = row4(a[0], p, q, c8);
    c9 = row4(a[1], p, q, c9);
    c10 = row4(a[2], p, q, c10);
    c11 = row4(a[3], p, q, c11);
    a = a_block(from_a, m + 12u, k);
    c12 = row4(a[0], p, q, c12);
    c13 = row4(a[1], p, q, c13);
    c14 = row4(a[2], p, q, c14);
    c15 = row4(a[3], p, q, c15);
  }
  for (var i = 0u; i < K[2].y; i++) {
    finish(batch, m, n, i, whole, pick(i, c0, c1, c2, c3));
    finish(batch, m + 4u, n, i, whole, pick(i, c4, c5, c6, c7));
    finish(batch, m + 8u, n, i, whole, pick(i, c8, c9, c10, c11));
    finish(batch, m + 12u, n, i, whole, pick(i, c12, c13, c14, c15));
  }
}
