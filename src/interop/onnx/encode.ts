/**
 * Models of ONNX as bytes, and in files.
 *
 * @module
 */
import { basename } from "../../base/path.ts";
import { ConfigError } from "../../base/errors.ts";
import { writeAtomic } from "../../base/atomic.ts";
import { type ModelProto, SCHEMA, type TensorProto } from "./schema.ts";

/** Protocol buffers hold less than this many bytes. */
export const MOST_BYTES = 2 ** 31 - 1;

/** What a file has beside its numbers, at most: names, shapes, operations. */
const ROOM = 2 ** 26;

/** Numbers beside a model start at multiples of this many bytes, so that they can be mapped into memory. */
const ALIGNMENT = 4096;

/** Bytes of the numbers in a model. */
export function numberBytes({ graph }: ModelProto): number {
  return graph.initializer.reduce((n, t) => n + (t.rawData?.byteLength ?? 0), 0);
}

/** The model as one file. */
export async function encodeModel(model: ModelProto): Promise<Uint8Array> {
  if (numberBytes(model) > MOST_BYTES - ROOM) {
    throw new ConfigError(
      `Cannot write a model of ${numberBytes(model)} bytes as one file: ONNX's files end at 2 GiB, use save(), which ` +
        "puts the numbers into a second one",
    );
  }
  const { default: protobuf } = await import("protobufjs/light.js");
  const type = protobuf.Root.fromJSON(SCHEMA).lookupType("ModelProto");
  return type.encode(type.fromObject(model as unknown as Record<string, unknown>)).finish();
}

/**
 * Writes a model, each file whole or not at all.
 *
 * @param external Whether the numbers go into a second file, `<path>.data`; null: where one file cannot hold them.
 * @returns The paths that were written.
 */
export async function saveModel(path: string, model: ModelProto, external: boolean | null): Promise<string[]> {
  if (!(external ?? numberBytes(model) > MOST_BYTES - ROOM)) {
    await writeAtomic(path, [await encodeModel(model)]);
    return [path];
  }
  const data = `${path}.data`, parts: Uint8Array[] = [];
  let at = 0;
  const initializer = model.graph.initializer.map((t): TensorProto => {
    const bytes = t.rawData!;
    if (bytes.byteLength < ALIGNMENT) return t;
    const gap = (ALIGNMENT - at % ALIGNMENT) % ALIGNMENT;
    if (gap > 0) parts.push(new Uint8Array(gap));
    parts.push(bytes);
    const start = at + gap;
    at = start + bytes.byteLength;
    const { name, dims, dataType } = t;
    const place = { location: basename(data), offset: String(start), length: String(bytes.byteLength) };
    return {
      name,
      dims,
      dataType,
      externalData: Object.entries(place).map(([key, value]) => ({ key, value })),
      dataLocation: 1,
    };
  });
  await writeAtomic(data, parts);
  await writeAtomic(path, [await encodeModel({ ...model, graph: { ...model.graph, initializer } })]);
  return [path, data];
}
