/** Endings of files of PyTorch, which are read and not written. */
export const TORCH_ENDING: RegExp = /\.(pt|pth|bin|ckpt)$/i;
