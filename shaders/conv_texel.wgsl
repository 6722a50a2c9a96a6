// conv_texel.wgsl   acc[g, m, n] = sum over k of a[g, m, k] b[g, k, n], b read through windows; a 16x8 tile per thread
// in     a, b: as texel_pack.wgsl lays them, four terms along one axis of k a texel: k is (quads, t1, t2), n is (n0, n1, n2).
//        K[0] = (m, n, groups, quads), K[1] = last two sizes of n, (t1, t2), K[2] = strides of a (m, quad, t1, t2), K[3] = strides
//        of b (n0, quad, t1, t2), K[4] = strides of b (n1, n2), where b starts, where b holds zeros, K[5] = grid width, 8 (a trip
//        count that compilers must not unroll by), quads of a chunk, chunks, K[6] = where a starts, strides of a and b (g),
//        K[7] = quads of places, those of a row, which they do not cross, and its length
// out    finish: a quad of places; those beyond the end of its row are for it to leave out
// grid   chunks * groups * ceil(m / 16) * ceil(quads of places / 2) / WG, folded over x and y
// WG     threads: 8..64, neighbours in n
// maths  the terms of a texel in order, then t2, t1, quads, one fma each
// oracle tests/support/reference_device_kernels.ts; tolerance 1 ulp x sqrt(k)
// variants WG=8|32
override WG: u32 = 8u;

@group(0) @binding(0) var<uniform> K: array<vec4u, 8>;
@group(0) @binding(1) var a_texels: texture_storage_2d<rgba32float, read>;
@group(0) @binding(2) var b_texels: texture_storage_2d<rgba32float, read>;
// hook guards
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
// hook out
@group(0) @binding(3) var<storage, read_write> c: array<vec4f>;
fn finish(b: u32, m: u32, quad: u32, acc: vec4f) {
  c[(b * K[0].x + m) * K[7].x + quad] = acc;
}
// end hook

fn a_at(i: u32) -> vec4f {
  return textureLoad(a_texels, vec2u(i & 2047u, i >> 11u));
}

fn b_at(i: u32) -> vec4f {
  return textureLoad(b_texels, vec2u(i & 2047u, i >> 11u));
}

// hook quotient
fn quotient(n: u32, d: u32) -> u32 {
  return n / d;
}
// end hook

fn quotients(n: vec4u, d: u32) -> vec4u {
  return vec4u(quotient(n.x, d), quotient(n.y, d), quotient(n.z, d), quotient(n.w, d));
}

// four places: where they start in b, and what guards them
struct Places {
  at: vec4u,
  guards: Guards,
}

fn places(g: u32, quad: u32) -> Places {
  let row = quotient(quad, K[7].y);
  let first = vec4u(row * K[7].z + 4u * (quad - row * K[7].y));
  let all = min(first + vec4u(0u, 1u, 2u, 3u), vec4u(K[0].y - 1u));
  let rest = quotients(all, K[1].y);
  let n0 = quotients(rest, K[1].x);
  let n1 = rest - n0 * K[1].x;
  let n2 = all - rest * K[1].y;
  let at = vec4u(K[4].z + g * K[6].z) + n0 * K[3].x + n1 * K[4].x + n2 * K[4].y;
  return Places(at, guards_of(g, n0, n1, n2));
}

// four terms of four places, a row each term
fn b_block(at: vec4u, open: vec4<bool>) -> mat4x4f {
  let first = select(vec4u(K[4].w), at, open);
  return transpose(mat4x4f(b_at(first.x), b_at(first.y), b_at(first.z), b_at(first.w)));
}

// c + a.x b[0] + a.y b[1] + a.z b[2] + a.w b[3], in this order
fn dot4(a: vec4f, b: mat4x4f, c: vec4f) -> vec4f {
  return fma(vec4f(a.w), b[3], fma(vec4f(a.z), b[2], fma(vec4f(a.y), b[1], fma(vec4f(a.x), b[0], c))));
}

// four terms more at eight places of a row
fn row4(a: vec4f, p: mat4x4f, q: mat4x4f, c: mat2x4f) -> mat2x4f {
  return mat2x4f(dot4(a, p, c[0]), dot4(a, q, c[1]));
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

fn keep(b: u32, m: u32, quad: u32, acc: vec4f) {
  if (m < K[0].x && quad < K[7].x) {
    finish(b, m, quad, acc);
  }
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let wide = (K[7].x + 1u) / 2u;
  let high = (K[0].x + 15u) / 16u;
  let tile = (group.y * K[5].x + group.x) * WG + local;
  if (tile >= wide * high * K[0].z * K[5].w) {
    return;
  }
  let quads = 2u * (tile % wide);
  let m = 16u * ((tile / wide) % high);
  let b = tile / (wide * high);
  let g = b % K[0].z;
  let left = places(g, quads);
  let right = places(g, quads + 1u);
  let from_a = K[6].x + g * K[6].y;
  let last = K[0].x - 1u;
  let a0 = from_a + min(m + 0u, last) * K[2].x;
  let a1 = from_a + min(m + 1u, last) * K[2].x;
  let a2 = from_a + min(m + 2u, last) * K[2].x;
  let a3 = from_a + min(m + 3u, last) * K[2].x;
  let a4 = from_a + min(m + 4u, last) * K[2].x;
  let a5 = from_a + min(m + 5u, last) * K[2].x;
  let a6 = from_a + min(m + 6u, last) * K[2].x;
  let a7 = from_a + min(m + 7u, last) * K[2].x;
  let a8 = from_a + min(m + 8u, last) * K[2].x;
  let a9 = from_a + min(m + 9u, last) * K[2].x;
  let a10 = from_a + min(m + 10u, last) * K[2].x;
  let a11 = from_a + min(m + 11u, last) * K[2].x;
  let a12 = from_a + min(m + 12u, last) * K[2].x;
  let a13 = from_a + min(m + 13u, last) * K[2].x;
  let a14 = from_a + min(m + 14u, last) * K[2].x;
  let a15 = from_a + min(m + 15u, last) * K[2].x;
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
  let first = (b / K[0].z) * K[5].z;
  let stop = min(first + K[5].z, K[0].w);
  for (var quad = first; quad < stop; quad++) {
    for (var t1 = 0u; t1 < K[1].z; t1++) {
      let left_guards = guards_in(left.guards, 0u, t1);
      let right_guards = guards_in(right.guards, 0u, t1);
      var at = quad * K[3].y + t1 * K[3].z;
      var term = quad * K[2].y + t1 * K[2].z;
      for (var t2 = 0u; t2 < K[1].w; t2++) {
        let p = b_block(left.at + at, guards_at(left_guards, t2));
        let q = b_block(right.at + at, guards_at(right_guards, t2));
        c0 = row4(a_at(a0 + term), p, q, c0);
        c1 = row4(a_at(a1 + term), p, q, c1);
        c2 = row4(a_at(a2 + term), p, q, c2);
        c3 = row4(a_at(a3 + term), p, q, c3);
        c4 = row4(a_at(a4 + term), p, q, c4);
        c5 = row4(a_at(a5 + term), p, q, c5);
        c6 = row4(a_at(a6 + term), p, q, c6);
        c7 = row4(a_at(a7 + term), p, q, c7);
        c8 = row4(a_at(a8 + term), p, q, c8);
        c9 = row4(a_at(a9 + term), p, q, c9);
        c10 = row4(a_at(a10 + term), p, q, c10);
        c11 = row4(a_at(a11 + term), p, q, c11);
        c12 = row4(a_at(a12 + term), p, q, c12);
        c13 = row4(a_at(a13 + term), p, q, c13);
        c14 = row4(a_at(a14 + term), p, q, c14);
        c15 = row4(a_at(a15 + term), p, q, c15);
        at += K[3].w;
        term += K[2].w;
      }
    }
  }
  for (var i = 0u; i < K[5].y; i++) {
    let row = m + i / 2u;
    let place = quads + i % 2u;
    keep(b, row, place, pick(i, c0, c1, c2, c3));
    keep(b, row + 4u, place, pick(i, c4, c5, c6, c7));
    keep(b, row + 8u, place, pick(i, c8, c9, c10, c11));
    keep(b, row + 12u, place, pick(i, c12, c13, c14, c15));
  }
}
