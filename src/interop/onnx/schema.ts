/**
 * The messages of ONNX that a model is written in, as protobufjs takes them: names and numbers of the fields are those of
 * ONNX's own schema.
 *
 * @module
 * @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */

/** Element types, by ONNX's numbers. */
export const ELEMENT = { f32: 1, u8: 2, i32: 6, i64: 7, bool: 9, f16: 10, u32: 12 } as const;

/** A name and a text. */
export interface EntryProto {
  readonly key: string;
  readonly value: string;
}

/** An attribute of a node: one of its values, and which. */
export interface AttributeProto {
  readonly name: string;
  readonly type: number;
  readonly f?: number;
  readonly i?: number;
  readonly s?: Uint8Array;
  readonly floats?: readonly number[];
  readonly ints?: readonly number[];
  readonly strings?: readonly Uint8Array[];
}

/** One operation. */
export interface NodeProto {
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly name: string;
  readonly opType: string;
  readonly attribute: readonly AttributeProto[];
}

/** Numbers. */
export interface TensorProto {
  readonly name: string;
  readonly dims: readonly number[];
  readonly dataType: number;
  readonly rawData?: Uint8Array;
  readonly externalData?: readonly EntryProto[];
  readonly dataLocation?: number;
}

/** One size of a shape: a number, or a name. */
export type DimensionProto = { readonly dimValue: number } | { readonly dimParam: string };

/** An input or output. */
export interface ValueInfoProto {
  readonly name: string;
  readonly type: {
    readonly tensorType: { readonly elemType: number; readonly shape: { readonly dim: readonly DimensionProto[] } };
  };
}

/** A graph. */
export interface GraphProto {
  readonly name: string;
  readonly node: readonly NodeProto[];
  readonly initializer: readonly TensorProto[];
  readonly input: readonly ValueInfoProto[];
  readonly output: readonly ValueInfoProto[];
}

/** A model. */
export interface ModelProto {
  readonly irVersion: number;
  readonly producerName: string;
  readonly opsetImport: readonly { readonly domain: string; readonly version: number }[];
  readonly graph: GraphProto;
  readonly metadataProps: readonly EntryProto[];
}

const field = (type: string, id: number) => ({ type, id });
const many = (type: string, id: number) => ({ rule: "repeated", type, id });

/** The messages, as protobufjs's `Root.fromJSON` takes them. */
export const SCHEMA = {
  nested: {
    EntryProto: { fields: { key: field("string", 1), value: field("string", 2) } },
    AttributeProto: {
      fields: {
        name: field("string", 1),
        f: field("float", 2),
        i: field("int64", 3),
        s: field("bytes", 4),
        floats: many("float", 7),
        ints: many("int64", 8),
        strings: many("bytes", 9),
        type: field("int32", 20),
      },
    },
    NodeProto: {
      fields: {
        input: many("string", 1),
        output: many("string", 2),
        name: field("string", 3),
        opType: field("string", 4),
        attribute: many("AttributeProto", 5),
      },
    },
    TensorProto: {
      fields: {
        dims: many("int64", 1),
        dataType: field("int32", 2),
        name: field("string", 8),
        rawData: field("bytes", 9),
        externalData: many("EntryProto", 13),
        dataLocation: field("int32", 14),
      },
    },
    DimensionProto: { fields: { dimValue: field("int64", 1), dimParam: field("string", 2) } },
    ShapeProto: { fields: { dim: many("DimensionProto", 1) } },
    TensorTypeProto: { fields: { elemType: field("int32", 1), shape: field("ShapeProto", 2) } },
    TypeProto: { fields: { tensorType: field("TensorTypeProto", 1) } },
    ValueInfoProto: { fields: { name: field("string", 1), type: field("TypeProto", 2) } },
    GraphProto: {
      fields: {
        node: many("NodeProto", 1),
        name: field("string", 2),
        initializer: many("TensorProto", 5),
        input: many("ValueInfoProto", 11),
        output: many("ValueInfoProto", 12),
      },
    },
    OperatorSetIdProto: { fields: { domain: field("string", 1), version: field("int64", 2) } },
    ModelProto: {
      fields: {
        irVersion: field("int64", 1),
        producerName: field("string", 2),
        graph: field("GraphProto", 7),
        opsetImport: many("OperatorSetIdProto", 8),
        metadataProps: many("EntryProto", 14),
      },
    },
  },
};
