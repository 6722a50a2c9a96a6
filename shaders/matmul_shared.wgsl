// matmul_shared.wgsl   acc[b, m, n] = sum over k of a[b, m, k] b[b, k, n]; 64x64 a workgroup, an 8x8 tile per thread
// in     a, b: f32 or f16; the hooks say how they lie. K[0] = (m, n, k, batch), K[1] = strides (a.m, a.k, b.k, b.n), K[2].x = grid width,
//        K[2].yz = (8, 4), trip counts that compilers must not unroll by
// out    what the epilogue does with four elements of a row at a time; those from n on are for it to leave out
// grid   batch * ceil(m / 64) * ceil(n / 64), folded over x and y
// WG     64 threads, fixed: each brings one 4x4 block of a and one of b a round
// maths  k in order, one fma each
// oracle tests/support/reference_device_kernels.ts; tolerance 1 ulp x sqrt(k)

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

var<workgroup> a_tile: array<vec4f, 256>; // [k 16][m 64 / 4]
var<workgroup> b_tile: array<vec4f, 256>; // [k 16][n 64 / 4]

// 0 where k is beyond its end; m and n beyond theirs repeat the last
fn a_or_0(base: u32, m: u32, k: u32) -> f32 {
  return select(0.0, a_at(base, min(m, K[0].x - 1u), min(k, K[0].z - 1u)), k < K[0].z);
}

fn b_or_0(base: u32, k: u32, n: u32) -> f32 {
  return select(0.0, b_at(base, min(k, K[0].z - 1u), min(n, K[0].y - 1u)), k < K[0].z);
}

fn a_line(base: u32, m: u32, k: u32) -> vec4f {
  return vec4f(a_or_0(base, m, k), a_or_0(base, m + 1u, k), a_or_0(base, m + 2u, k), a_or_0(base, m + 3u, k));
}

fn b_line(base: u32, k: u32, n: u32) -> vec4f {
  return vec4f(b_or_0(base, k, n), b_or_0(base, k, n + 1u), b_or_0(base, k, n + 2u), b_or_0(base, k, n + 3u));
}

fn bring(a_from: u32, b_from: u32, m: u32, n: u32, k: u32, local: u32) {
  let across = local % 16u;
  let deep = 4u * (local / 16u);
  let ka = k + deep;
  let ma = m + 4u * across;
  let nb = n + 4u * across;
  var a: mat4x4f;
  var b: mat4x4f;
  if (ka + 4u <= K[0].z) {
    a = transpose(a_block(a_from, ma, ka));
    b = b_block(b_from, ka, nb);
  } else {
    a = mat4x4f(
      a_line(a_from, ma, ka), a_line(a_from, ma, ka + 1u), a_line(a_from, ma, ka + 2u), a_line(a_from, ma, ka + 3u),
    );
    b = mat4x4f(b_line(b_from, ka, nb), b_line(b_from, ka + 1u, nb), b_line(b_from, ka + 2u, nb), b_line(b_from, ka + 3u, nb));
  }
  let to = deep * 16u + across;
  a_tile[to] = a[0];
  a_tile[to + 16u] = a[1];
  a_tile[to + 32u] = a[2];
  a_tile[to + 48u] = a[3];
  b_tile[to] = b[0];
  b_tile[to + 16u] = b[1];
  b_tile[to + 32u] = b[2];
  b_tile[to + 48u] = b[3];
}

// one term more in eight columns of a row
fn row1(a: f32, p: vec4f, q: vec4f, c: mat2x4f) -> mat2x4f {
  return mat2x4f(fma(vec4f(a), p, c[0]), fma(vec4f(a), q, c[1]));
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

fn finish(batch: u32, row: u32, column: u32, sum: vec4f) {
  if (row < K[0].x && column < K[0].y) {
    epilogue(batch, row, column, sum);
  }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let wide = (K[0].y + 63u) / 64u;
  let high = (K[0].x + 63u) / 64u;
  let tile = group.y * K[2].x + group.x;
  if (tile >= wide * high * K[0].w) {
    return;
  }
  let n = 64u * (tile % wide);
  let m = 64u * ((tile / wide) % high);
  let batch = tile / (wide * high);
  let a_from = a_base(batch);
  let b_from = b_base(batch);
  let x = local % 8u;
  let y = local / 8u;
  var c0 = mat2x4f();
  var c1 = mat2x4f();
  var c2 = mat2x4f();
  var c3 = mat2x4f();
  var c4 = mat2x4f();
  var c5 = mat2x4f();
  var c6 = mat2x4f();
  var c7 = mat2x4f();
  for (var k = 0u; k < K[0].z; k += 16u) {
    bring(a_from, b_from, m, n, k, local);
    workgroupBarrier();
    for (var d = 0u; d < 256u; d += 16u) {
      let a = a_tile[d + y];
      let e = a_tile[d + y + 8u];
      let p = b_tile[d + x];
      let q = b_tile[d + x + 8u];
      c0 = row1(a.x, p, q, c0);
      c1 = row1(a.y, p, q, c1);
      c2 = row1(a.z, p, q, c2);
      c3 = row1(a.w, p, q, c3);
      c4 = row1(e.x, p, q, c4);
      c5 = row1(e.y, p, q, c5);
      c6 = row1(e.z, p, q, c6);
      c7 = row1(e.w, p, q, c7);
    }
    workgroupBarrier();
  }
  for (var i = 0u; i < K[2].y; i++) {
    let row = m + 4u * y + i / 2u;
    let column = n + 4u * x + 32u * (i % 2u);
    finish(batch, row, column, pick(i, c0, c1, c2, c3));
    finish(batch, row + 32u, column, pick(i, c4, c5, c6, c7));
  }
}
