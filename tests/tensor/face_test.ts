/**
 * The public face of tensors: the scripts of the documentation compile without a cast, and methods and `ops` agree.
 */
import { assertEquals } from "@std/assert";
import { backward, grad, ones, ops, Parameter, randn, Rng, Tensor, tensor, zeros } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";

/** The methods of the documentation's table. */
const METHODS = [
  "add sub mul div pow maximum minimum eq ne lt le gt ge and or",
  "neg exp log log1p sqrt rsqrt reciprocal abs square sin cos tanh erf sigmoid relu relu6 silu mish hardswish hardsigmoid",
  "floor ceil round sign not leakyRelu elu gelu softplus clamp matmul sum mean max min logsumexp any all argmax argmin",
  "var std softmax logSoftmax cumsum topk reshape expand permute transpose squeeze unsqueeze flip roll",
  "conv1d conv2d convTranspose2d maxPool2d avgPool2d adaptiveAvgPool2d adaptiveMaxPool2d",
  "slice split tril pad indexSelect gather scatterAdd interpolate gridSample affineGrid cast detach",
].join(" ").split(" ");

Deno.test("every operation is a method and a free function", () => {
  const free = new Set(Object.keys(ops)), methods = new Set(Object.getOwnPropertyNames(Tensor.prototype));
  assertEquals(METHODS.filter((name) => !methods.has(name)), []);
  assertEquals([...METHODS, "where", "cat", "stack", "oneHot"].filter((name) => !free.has(name)), []);
  assertEquals([...free].filter((name) => !METHODS.includes(name)).sort(), ["cat", "oneHot", "stack", "where"]);
});

onDevices("the documentation's first script", async () => {
  const a = tensor([[1, 2], [3, 4]]);
  const b = randn([2, 2], { rng: new Rng(7) });
  const y = a.matmul(b).relu().sum();
  const [da, db] = grad(y, [a, b]);
  const positive = (await a.matmul(b).gt(0).cast("f32").matmul(b.transpose()).data()).length;
  assertEquals([positive, await da.data().then((d) => d.length), (await db.data()).constructor], [4, 4, Float32Array]);
  assertEquals(da.shape, [2, 2]);
});

onDevices("gradients by hand for parameters", async () => {
  const p0 = new Parameter(ones([2])), p1 = new Parameter(zeros([2])), p2 = new Parameter(tensor(3));
  const loss = p0.add(p1).mul(p2).sum();
  const grads = grad(loss, [p0, p1, p2]);
  [p0, p1, p2].forEach((p, i) => p.grad = grads[i]);
  assertEquals([await p0.grad?.array(), await p1.grad?.array(), await p2.grad?.item()], [[3, 3], [3, 3], 2]);
  const list: Parameter[] = [p0, p1];
  const more: Tensor[] = grad(p0.add(p1).sum(), list);
  assertEquals(more.length, 2);
});

onDevices("using gives memory back at the end of a block", async (device) => {
  const kept = tensor(new Float32Array(5000));
  await kept.add(1).data(); // makes the program, which has memory of its own
  let inside = 0;
  {
    using t = kept.add(1).realize();
    await t.data();
    inside = device.stats().liveBytes;
  }
  assertEquals(inside - device.stats().liveBytes, 20000);
});

onDevices("an annealed number makes no new program", async (device) => {
  const x = tensor([1, 2, 3]);
  const step = (k: number) =>
    ops.sub(k, x).mul(k).add(x.pow(k + 10)).leakyRelu(k).clamp({ min: -k, max: k + 1000 }).maximum(k).sum().item();
  await step(0.1);
  const { programs } = device.stats();
  for (let i = 2; i < 10; i++) await step(i / 10);
  assertEquals(device.stats().programs, programs);
});

onDevices("a loss that depends on parameters through many steps", async () => {
  const p = new Parameter(tensor(1));
  let y: Tensor = p;
  for (let i = 0; i < 3000; i++) y = y.mul(1.0001);
  backward(y.sum());
  const got = await p.grad!.item();
  assertEquals(Math.abs(got - 1.0001 ** 3000) < 1e-3, true, `${got}`);
});
