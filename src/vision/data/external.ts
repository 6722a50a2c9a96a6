/**
 * Data sets from the network, in fastai's folders.
 *
 * @module
 */
import type { Logger } from "../../train/mod.ts";

const S3 = "https://s3.amazonaws.com/fast-ai-imageclas/";

/** Addresses of data sets that fastai publishes. */
export const URLs = {
  /** 7,390 cats and dogs of 37 breeds (Oxford-IIIT Pet); cats' files start with a capital letter. */
  PETS: `${S3}oxford-iiit-pet.tgz`,
  /** 70,000 handwritten digits, in folders. */
  MNIST: `${S3}mnist_png.tgz`,
  /** 13,394 images of ten easy classes of ImageNet, the shorter side 160 pixels. */
  IMAGENETTE_160: `${S3}imagenette2-160.tgz`,
  /** The same, 320 pixels. */
  IMAGENETTE_320: `${S3}imagenette2-320.tgz`,
  /** The same, full size. */
  IMAGENETTE: `${S3}imagenette2.tgz`,
  /** 60,000 images of 32 x 32 pixels in ten classes. */
  CIFAR: `${S3}cifar10.tgz`,
} as const;

/** Options of {@link untarData}. */
export interface UntarDataOptions {
  /** Folder with `archive` and `data` inside; `$FASTAI_HOME` or `~/.fastai` by default. */
  readonly base?: string;
  /** Whether to fetch and unpack anew; false by default. */
  readonly forceDownload?: boolean;
  /** SHA-256 of the archive in hexadecimal digits, where known. */
  readonly sha256?: string;
  /** Where progress is shown; standard output by default, if it is a terminal. */
  readonly logger?: Logger;
  /** Most bytes of the unpacked files; 64 GiB by default. */
  readonly maxBytes?: number;
  /** How often a transfer that brings nothing is tried again; 3 by default. */
  readonly retries?: number;
}

/**
 * Fetches an archive unless it is there, unpacks it, and gives the folder: `data/<name>` in fastai's folder. What fastai
 * fetched before is used as it is.
 *
 * @param url A `.tgz`, `.tar.gz` or `.tar`, such as `URLs.PETS`.
 * @throws {DataError} If it can't be fetched or is not what it should be: see {@link fetchCached} and {@link untar}.
 */
export async function untarData(url: string, options: UntarDataOptions = {}): Promise<string> {
  const { untarData } = await import("./fetch_archive.ts"); // code that training does without
  return await untarData(url, options);
}
