// conv_register.wgsl   acc[g, m, n] = sum over k of a[g, m, k] b[g, k, n], b read through windows; an 8x4 tile per thread, no shared memory
// in     a, b: f32; the hooks say where they start and which elements of b are padding. K[0] = (m, n, k, groups), n and k counted
//        row-major over three axes, K[1] = last two sizes of k and of n, K[2] = strides of a (m, k), K[3] = strides of b (k), chunks
//        of k, K[4] = strides of b (n), terms in a chunk, K[5].x = grid width, K[5].y = 8, a trip count that compilers must not
//        unroll by, K[6].xyz = 16 terms as steps of the axes of k
// out    what the epilogue does with four elements of a row at a time; those from n on are for it to leave out. With several chunks,
//        its first argument is chunk * groups + g
// grid   chunks * groups * ceil(m / 8) * ceil(n / (4 WG)), folded over x and y
// WG     threads: 8..64, neighbours in n; they share rows of a, so that its addresses are the same for all
// maths  k in order, one fma each; places are taken apart once a thread, and no k is divided in the loop
// oracle tests/support/reference_device_kernels.ts; tolerance 1 ulp x sqrt(k)
// variants WG=8|32|64
override WG: u32 = 8u;

@group(0) @binding(0) var<uniform> K: array<vec4u, 7>;
// hook a
@group(0) @binding(1) var<storage, read> a_data: array<f32>;
fn a_base(g: u32) -> u32 {
  return g * K[0].x * K[0].z;
}
// end hook
// hook b
@group(0) @binding(2) var<storage, read> b_data: array<f32>;
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
  return select(vec4f(0.0), vec4f(b_data[inside.x], b_data[inside.y], b_data[inside.z], b_data[inside.w]), open);
}

// row i of eight
fn pick(i: u32, c0: mat4x4f, c1: mat4x4f) -> vec4f {
  let odd = (i & 1u) == 1u;
  let low = select(select(c0[0], c0[1], odd), select(c0[2], c0[3], odd), (i & 2u) == 2u);
  let high = select(select(c1[0], c1[1], odd), select(c1[2], c1[3], odd), (i & 2u) == 2u);
  return select(low, high, (i & 4u) == 4u);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let high = (K[0].x + 7u) / 8u;
  let wide = (K[0].y + 4u * WG - 1u) / (4u * WG);
  let tile = group.y * K[5].x + group.x;
  if (tile >= high * wide * K[0].w * K[3].w) {
    return;
  }
  // rows first: workgroups that follow each other read the same windows
  let m = 8u * (tile % high);
  let strip = tile / high;
  let n = 4u * (WG * (strip % wide) + local);
  let b = strip / wide;
  let g = b % K[0].w;
  let place = places(g, n);
  let last = K[0].x - 1u;
  let start = a_base(g);
  let r0 = start + m * K[2].x;
  let r1 = start + min(m + 1u, last) * K[2].x;
  let r2 = start + min(m + 2u, last) * K[2].x;
  let r3 = start + min(m + 3u, last) * K[2].x;
  let r4 = start + min(m + 4u, last) * K[2].x;
  let r5 = start + min(m + 5u, last) * K[2].x;
  let r6 = start + min(m + 6u, last) * K[2].x;
  let r7 = start + min(m + 7u, last) * K[2].x;
  var c0 = vec4f();
  var c1 = vec4f();
  var c2 = vec4f();
  var c3 = vec4f();
  var c4 = vec4f();
  var c5 = vec4f();
  var c6 = vec4f();
  var c7 = vec4f();
  let first = (b / K[0].w) * K[4].w;
  var left = min(K[4].w, K[0].z - first);
  var k2 = first % K[1].y;
  var k1 = (first / K[1].y) % K[1].x;
  var k0 = first / (K[1].x * K[1].y);
  while (left > 0u) {
    let guards = guards_in(place.guards, k0, k1);
    let end = min(K[1].y, k2 + left);
    left -= end - k2;
    var at = place.at + k0 * K[3].x + k1 * K[3].y + k2 * K[3].z;
    var ka = k0 * K[2].y + k1 * K[2].z + k2 * K[2].w;
    for (; k2 < end; k2++) {
      let line = b_line(at, guards_at(guards, k2));
      c0 = fma(vec4f(a_data[r0 + ka]), line, c0);
      c1 = fma(vec4f(a_data[r1 + ka]), line, c1);
      c2 = fma(vec4f(a_data[r2 + ka]), line, c2);
      c3 = fma(vec4f(a_data[r3 + ka]), line, c3);
      c4 = fma(vec4f(a_data[r4 + ka]), line, c4);
      c5 = fma(vec4f(a_data[r5 + ka]), line, c5);
      c6 = fma(vec4f(a_data[r6 + ka]), line, c6);
      c7 = fma(vec4f(a_data[r7 + ka]), line, c7);
      at += K[3].z;
      ka += K[2].w;
    }
    k2 = 0u;
    k1++;
    if (k1 == K[1].x) {
      k1 = 0u;
      k0++;
    }
  }
  if (n >= K[0].y) {
    return;
  }
  for (var i = 0u; i < min(K[5].y, K[0].x - m); i++) {
    epilogue(b, m + i, n, pick(i, mat4x4f(c0, c1, c2, c3), mat4x4f(c4, c5, c6, c7)));
  }
}
