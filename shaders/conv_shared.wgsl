// conv_shared.wgsl   acc[g, m, n] = sum over k of a[g, m, k] b[g, k, n], b read through windows; 64x64 a workgroup, an 8x8 tile per thread
// in     a, b: f32 or f16; the hooks say where they start and which elements of b are padding. K[0] = (m, n, k, groups), n and k counted
//        row-major over three axes, K[1] = last two sizes of k and of n, K[2] = strides of a (m, k), K[3] = strides of b (k), chunks
//        of k, K[4] = strides of b (n), terms in a chunk, K[5].x = grid width, K[5].y = 8, a trip count that compilers must not
//        unroll by, K[6].xyz = 16 terms as steps of the axes of k
// out    what the epilogue does with four elements of a row at a time; those from n on are for it to leave out. With several chunks,
//        its first argument is chunk * groups + g
// grid   chunks * groups * ceil(m / 64) * ceil(n / 64), folded over x and y
// WG     64 threads, fixed: each brings one 4x4 block of a and one of b a round
// maths  k in order, one fma each; places are taken apart once a thread, and no k is divided in the loop
// oracle tests/support/reference_device_kernels.ts; tolerance 1 ulp x sqrt(k)

@group(0) @binding(0) var<uniform> K: array<vec4u, 7>;
// hook a
@group(0) @binding(1) var<storage, read> a_data: array<f32>;
fn a_element(i: u32) -> f32 {
  return a_data[i];
}
fn a_base(g: u32) -> u32 {
  return g * K[0].x * K[0].z;
}
// end hook
// hook b
@group(0) @binding(2) var<storage, read> b_data: array<f32>;
fn b_element(i: u32) -> f32 {
  return b_data[i];
}
fn b_base(g: u32) -> u32 {
  return g * K[0].y * K[0].z;
}
struct Guards {
  open: vec4<bool>,
}
// forms of the guards at four places
fn guards_of(g: u32, n0: vec4u, n1: vec4u, n2: vec4u) -> Guards {
  return Guards(vec4<bool>(true));
}
// ... at the first two coordinates of k
fn guards_in(guards: Guards, k0: u32, k1: u32) -> Guards {
  return guards;
}
// ... and the last one: which of the four are not padding
fn guards_at(guards: Guards, k2: u32) -> vec4<bool> {
  return guards.open;
}
// end hook
// hook epilogue
@group(0) @binding(3) var<storage, read_write> c: array<vec4f>;
fn epilogue(b: u32, m: u32, n: u32, acc: vec4f) {
  c[((b * K[0].x + m) * K[0].y + n) / 4u] = acc;
}
// end hook

// four windows: where they start in b, and what guards them
struct Places {
  at: vec4u,
  guards: Guards,
}

// n to n + 3; beyond the end the last is repeated
fn places(g: u32, n: u32) -> Places {
  let all = min(vec4u(n) + vec4u(0u, 1u, 2u, 3u), vec4u(K[0].y - 1u));
  let n2 = all % K[1].w;
  let rest = all / K[1].w;
  let n1 = rest % K[1].z;
  let n0 = rest / K[1].z;
  let at = vec4u(b_base(g)) + n0 * K[4].x + n1 * K[4].y + n2 * K[4].z;
  return Places(at, guards_of(g, n0, n1, n2));
}

// b at four addresses, 0 where padding
fn b_line(at: vec4u, open: vec4<bool>) -> vec4f {
  let inside = select(vec4u(0u), at, open);
  return select(vec4f(0.0), vec4f(b_element(inside.x), b_element(inside.y), b_element(inside.z), b_element(inside.w)), open);
}

var<workgroup> a_tile: array<vec4f, 256>; // [k 16][m 64 / 4]
var<workgroup> b_tile: array<vec4f, 256>; // [k 16][n 64 / 4]

// the coordinates of k after a step of the axes, carried over
fn advance(k: vec3u, by: vec3u) -> vec3u {
  var next = k + by;
  if (next.z >= K[1].y) {
    next.z -= K[1].y;
    next.y++;
  }
  if (next.y >= K[1].x) {
    next.y -= K[1].x;
    next.x++;
  }
  return next;
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

fn finish(b: u32, row: u32, column: u32, sum: vec4f) {
  if (row < K[0].x && column < K[0].y) {
    epilogue(b, row, column, sum);
  }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let wide = (K[0].y + 63u) / 64u;
  let high = (K[0].x + 63u) / 64u;
  let tile = group.y * K[5].x + group.x;
  if (tile >= wide * high * K[0].w * K[3].w) {
    return;
  }
  let n = 64u * (tile % wide);
  let m = 64u * ((tile / wide) % high);
  let b = tile / (wide * high);
  let g = b % K[0].w;
  let first = (b / K[0].w) * K[4].w;
  let end = min(first + K[4].w, K[0].z);
  // what this thread brings: four terms of four rows of a and of four places of b
  let across = local % 16u;
  let deep = 4u * (local / 16u);
  let to = deep * 16u + across;
  let place = places(g, n + 4u * across);
  let rows = vec4u(a_base(g)) + min(vec4u(m + 4u * across) + vec4u(0u, 1u, 2u, 3u), vec4u(K[0].x - 1u)) * K[2].x;
  let start = first + deep;
  var k = vec3u(start / (K[1].x * K[1].y), (start / K[1].y) % K[1].x, start % K[1].y);
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
  for (var round = first; round < end; round += 16u) {
    var at = k;
    for (var d = 0u; d < 4u; d++) {
      var a = vec4f();
      var line = vec4f();
      if (round + deep + d < end) {
        let r = rows + dot(at, K[2].yzw);
        a = vec4f(a_element(r.x), a_element(r.y), a_element(r.z), a_element(r.w));
        line = b_line(place.at + dot(at, K[3].xyz), guards_at(guards_in(place.guards, at.x, at.y), at.z));
      }
      a_tile[to + 16u * d] = a;
      b_tile[to + 16u * d] = line;
      at = advance(at, vec3u(0u, 0u, 1u));
    }
    k = advance(k, K[6].xyz);
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
  for (var i = 0u; i < K[5].y; i++) {
    let row = m + 4u * y + i / 2u;
    let column = n + 4u * x + 32u * (i % 2u);
    finish(b, row, column, pick(i, c0, c1, c2, c3));
    finish(b, row + 32u, column, pick(i, c4, c5, c6, c7));
  }
}
