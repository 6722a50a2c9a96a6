"""Products of square matrices by PyTorch on CUDA: python3 bench/peers/torch_products.py <n> ... --seconds N

f32 with allow_tf32 = False, and f16. Prints what it has found as a line of JSON after each of them, as the parts of
`deno task gpu:check` do.
"""
import itertools
import json
import sys
import time

HEAD = ["PyTorch on CUDA", "operands", "n", "ms", "GFLOP/s"]
rows = []


def tell(whole, at="", absent=""):
    print(json.dumps({"head": HEAD, "rows": rows, "whole": whole, "at": at, "absent": absent}), flush=True)


def best_ms(torch, product):
    best = float("inf")
    for _ in range(12):
        torch.cuda.synchronize()
        start = time.perf_counter()
        product()
        torch.cuda.synchronize()
        best = min(best, time.perf_counter() - start)
    return best * 1e3


def main():
    end = time.perf_counter() + float(sys.argv[sys.argv.index("--seconds") + 1])
    sizes = [int(n) for n in itertools.takewhile(str.isdigit, sys.argv[1:])]
    try:
        import torch
    except ImportError as error:
        return tell(True, absent=f"python3 has no PyTorch: {error}")
    if not torch.cuda.is_available():
        return tell(True, absent="PyTorch finds no CUDA")
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    name = f"{torch.cuda.get_device_name()}, PyTorch {torch.__version__}"
    for n in sizes:
        for operands, dtype in (("f32", torch.float32), ("f16", torch.float16)):
            tell(False, f"the product of {n}, {operands}")
            if time.perf_counter() > end:
                return
            a, b = (torch.rand(n, n, device="cuda").to(dtype) for _ in range(2))
            ms = best_ms(torch, lambda: a @ b)
            rows.append([name, operands, n, round(ms, 4), round(2 * n**3 / ms / 1e6)])
    tell(True)


main()
