/**
 * What a recipe may say of an architecture for images.
 *
 * @module
 */
import * as z from "zod";
import { form } from "./forms.ts";

/** One that others have trained. */
const published = <K extends string>(kind: K) => form({ kind: z.literal(kind), pretrained: z.boolean().optional() });
const drawn = <K extends string>(kind: K) => form({ kind: z.literal(kind) });

/** Architectures of images, by name. */
export const archForms = {
  convnextTiny: published("convnextTiny"),
  convnextSmall: published("convnextSmall"),
  convnextBase: published("convnextBase"),
  convnextLarge: published("convnextLarge"),
  efficientnetB0: published("efficientnetB0"),
  efficientnetB1: published("efficientnetB1"),
  efficientnetB2: published("efficientnetB2"),
  efficientnetB3: published("efficientnetB3"),
  efficientnetB4: published("efficientnetB4"),
  efficientnetB5: published("efficientnetB5"),
  efficientnetB6: published("efficientnetB6"),
  efficientnetB7: published("efficientnetB7"),
  mobilenetV3Small: published("mobilenetV3Small"),
  mobilenetV3Large: published("mobilenetV3Large"),
  resnet18: published("resnet18"),
  resnet34: published("resnet34"),
  resnet50: published("resnet50"),
  resnet101: published("resnet101"),
  resnet152: published("resnet152"),
  vgg11Bn: published("vgg11Bn"),
  vgg13Bn: published("vgg13Bn"),
  vgg16Bn: published("vgg16Bn"),
  vgg19Bn: published("vgg19Bn"),
  xresnet18: drawn("xresnet18"),
  xresnet34: drawn("xresnet34"),
  xresnet50: drawn("xresnet50"),
  xresnet101: drawn("xresnet101"),
  xresnet152: drawn("xresnet152"),
  xresnext18: drawn("xresnext18"),
  xresnext34: drawn("xresnext34"),
  xresnext50: drawn("xresnext50"),
  xresnext101: drawn("xresnext101"),
  xseResnet18: drawn("xseResnet18"),
  xseResnet34: drawn("xseResnet34"),
  xseResnet50: drawn("xseResnet50"),
  xseResnet101: drawn("xseResnet101"),
  xseResnet152: drawn("xseResnet152"),
  xseResnext18: drawn("xseResnext18"),
  xseResnext34: drawn("xseResnext34"),
  xseResnext50: drawn("xseResnext50"),
  xseResnext101: drawn("xseResnext101"),
} as const;
