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

/** Forms by name. */
function named<K extends string, F>(kinds: readonly K[], formOf: (kind: K) => F): Record<K, F> {
  return Object.fromEntries(kinds.map((kind) => [kind, formOf(kind)])) as Record<K, F>;
}

const PUBLISHED = [
  ...["convnextTiny", "convnextSmall", "convnextBase", "convnextLarge"] as const,
  ...["efficientnetB0", "efficientnetB1", "efficientnetB2", "efficientnetB3"] as const,
  ...["efficientnetB4", "efficientnetB5", "efficientnetB6", "efficientnetB7"] as const,
  ...["mobilenetV3Small", "mobilenetV3Large"] as const,
  ...["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"] as const,
  ...["vgg11Bn", "vgg13Bn", "vgg16Bn", "vgg19Bn"] as const,
];
const DRAWN = [
  ...["xresnet18", "xresnet34", "xresnet50", "xresnet101", "xresnet152"] as const,
  ...["xresnext18", "xresnext34", "xresnext50", "xresnext101"] as const,
  ...["xseResnet18", "xseResnet34", "xseResnet50", "xseResnet101", "xseResnet152"] as const,
  ...["xseResnext18", "xseResnext34", "xseResnext50", "xseResnext101"] as const,
];

/** Architectures of images, by name. */
export const archForms = { ...named(PUBLISHED, published), ...named(DRAWN, drawn) };
