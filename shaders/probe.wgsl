// probe.wgsl   three ways to one product of 128x128 matrices, small enough to compile fast: which one does this adapter like?
// in     a, b: f32[128, 128] contiguous
// out    c: a b; same shape
// grid   direct, texels: 16; staged: 4 x 4
// WG     64 threads, fixed; a 4x4 tile per thread
// maths  not used: only the time counts
@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(1) var<storage, read> b: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> c: array<vec4f>;

fn outer(x: vec4f, y: vec4f, sum: mat4x4f) -> mat4x4f {
  return mat4x4f(sum[0] + x.x * y, sum[1] + x.y * y, sum[2] + x.z * y, sum[3] + x.w * y);
}

fn put(m: u32, n: u32, sum: mat4x4f) {
  c[m * 32u + n] = sum[0];
  c[(m + 1u) * 32u + n] = sum[1];
  c[(m + 2u) * 32u + n] = sum[2];
  c[(m + 3u) * 32u + n] = sum[3];
}

// operands straight from memory, each thread its own
@compute @workgroup_size(64)
fn direct(@builtin(global_invocation_id) id: vec3u) {
  let m = id.x / 32u;
  let n = id.x % 32u;
  var sum = mat4x4f();
  for (var k = 0u; k < 128u; k++) {
    sum = outer(a[k * 32u + m], b[k * 32u + n], sum);
  }
  put(4u * m, n, sum);
}

// hook texels
@group(0) @binding(3) var a_texels: texture_storage_2d<rgba32float, read>;
@group(0) @binding(4) var b_texels: texture_storage_2d<rgba32float, read>;

// the same, from textures of 32 texels a row
@compute @workgroup_size(64)
fn texels(@builtin(global_invocation_id) id: vec3u) {
  let m = id.x / 32u;
  let n = id.x % 32u;
  var sum = mat4x4f();
  for (var k = 0u; k < 128u; k++) {
    sum = outer(textureLoad(a_texels, vec2u(m, k)), textureLoad(b_texels, vec2u(n, k)), sum);
  }
  put(4u * m, n, sum);
}
// end hook

var<workgroup> a_tile: array<vec4f, 128>;
var<workgroup> b_tile: array<vec4f, 128>;

// operands through workgroup memory, 16 terms at a time
@compute @workgroup_size(64)
fn staged(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let m = local / 8u;
  let n = local % 8u;
  var sum = mat4x4f();
  for (var k = 0u; k < 128u; k += 16u) {
    for (var i = local; i < 128u; i += 64u) {
      a_tile[i] = a[(k + i / 8u) * 32u + group.y * 8u + i % 8u];
      b_tile[i] = b[(k + i / 8u) * 32u + group.x * 8u + i % 8u];
    }
    workgroupBarrier();
    for (var i = 0u; i < 16u; i++) {
      sum = outer(a_tile[8u * i + m], b_tile[8u * i + n], sum);
    }
    workgroupBarrier();
  }
  put(32u * group.y + 4u * m, 8u * group.x + n, sum);
}
