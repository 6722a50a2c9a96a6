/** Endings of files of PyTorch. */
export const TORCH_ENDING: RegExp = /\.(pt|pth|bin|ckpt)$/i;
