/**
 * The public face of tensors: the scripts of the documentation compile without a cast, and methods and `ops` agree.
 */
import { assertEquals } from "@std/assert";
import {
  backward,
  grad,
  ones,
  ops,
  Parameter,
  randn,
  Rng,
  Tensor,
  tensor,
  TensorHandle,
  zeros,
} from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";

/** Operations that only are functions: of several tensors, or of none. */
const FREE = ["cat", "oneHot", "rotary", "scaledDotProductAttention", "stack", "where"];

/** Methods that are no operations: they tell of a tensor, look after it, or write to it. */
const OWN = ["array", "become", "data", "dispose", "item", "keep", "realize", "toJSON", "toString"];

Deno.test("every operation is a method and a free function", () => {
  const methods = [TensorHandle.prototype, Tensor.prototype]
    .flatMap((prototype) => Object.entries(Object.getOwnPropertyDescriptors(prototype)))
    .filter(([name, { value }]) => typeof value === "function" && name !== "constructor").map(([name]) => name);
  const free = Object.keys(ops);
  assertEquals(methods.filter((name) => !free.includes(name)).sort(), OWN, "methods without a function");
  assertEquals(free.filter((name) => !methods.includes(name)).sort(), FREE, "functions without a method");
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
