"""Files as PyTorch writes them, and what is in them: tests/golden/torch_*.

pip install torch torchvision; python3 tests/oracle/record_torch.py, in the root of the repository.
"""
import base64
import collections
import io
import json
import pickle
import tarfile
import zipfile

import torch
import torchvision

GOLDEN = "tests/golden/"
torch.manual_seed(1)


def values(t):
    if t.dtype == torch.bfloat16 or t.dtype == torch.float16:
        t = t.float()
    return [str(v) if v != v or v in (float("inf"), float("-inf")) else v for v in t.flatten().tolist()]


def told(state):
    return {name: {"shape": list(t.shape), "values": values(t)} for name, t in state.items()}


def saved(value, **options):
    out = io.BytesIO()
    torch.save(value, out, **options)
    return out.getvalue()


def text(data):
    return base64.b64encode(data).decode()


def zipped(data, change=lambda name, content: content, zip64=False):
    """The same archive with other contents; as Python writes zip files."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for info in old.infolist():
            content = change(info.filename, old.read(info))
            if content is None:
                continue
            with new.open(zipfile.ZipInfo(info.filename), "w", force_zip64=zip64) as entry:
                entry.write(content)
    return out.getvalue()


base = torch.arange(24, dtype=torch.float32)
types = collections.OrderedDict(
    f64=torch.tensor([1.5, -2e30, float("inf")], dtype=torch.float64),
    f32=torch.randn(2, 3),
    f16=torch.tensor([1.5, -65504, 2**-24, float("nan")], dtype=torch.float16),
    bf16=torch.tensor([[1.5, -3e38], [1e-30, 0]], dtype=torch.bfloat16),
    i64=torch.tensor([2**31 - 1, -5]),
    i32=torch.tensor([[7], [-8]], dtype=torch.int32),
    i16=torch.tensor([-300, 300], dtype=torch.int16),
    i8=torch.tensor([-128, 127], dtype=torch.int8),
    u8=torch.tensor([0, 255], dtype=torch.uint8),
    u16=torch.tensor([0, 65535], dtype=torch.uint16),
    bool=torch.tensor([True, False, True]),
    scalar=torch.tensor(3.25),
    empty=torch.zeros(2, 0),
    parameter=torch.nn.Parameter(torch.randn(3)),
    transposed=torch.randn(4, 3).t(),
    permuted=torch.randn(2, 3, 4).permute(2, 0, 1),
    every_other=base[1::2],
    columns=base.reshape(4, 6)[1:, 2:5],
    same=base,
    expanded=torch.tensor([[1.0], [2.0]]).expand(2, 5),
)
model = torch.nn.Linear(3, 2)
optimizer = torch.optim.Adam(model.parameters())
model(torch.randn(4, 3)).sum().backward()
optimizer.step()
checkpoint = {
    "epoch": 3,
    "arch": "linear",
    "best_acc1": torch.tensor(0.5),
    "state_dict": model.state_dict(),
    "optimizer": optimizer.state_dict(),
    "rates": [0.1, (1, None, True)],
    "size": torch.Size([1, 2]),
    "device": torch.device("cpu"),
    "dtype": torch.float16,
    "large": 2**80,
}
plain = {name: t for name, t in types.items() if name not in ("u16",)}


def swapped(name, content):
    if name.endswith("/byteorder"):
        return b"big"
    if "/data/" in name:
        return content[::-1] if name.endswith("/0") else torch.frombuffer(bytearray(content), dtype=torch.int32).numpy().byteswap().tobytes()
    return content


class Evil:
    def __reduce__(self):
        import os
        return (os.system, ("echo run",))


def tar():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        archive.addfile(tarfile.TarInfo("sys_info"))
    return out.getvalue()


one = {"w": torch.tensor([1.0, 2.0])}
torch.serialization.set_crc32_options(False)
no_checksums = saved(one)
torch.serialization.set_crc32_options(True)
scripted = io.BytesIO()
torch.jit.save(torch.jit.script(torch.nn.ReLU()), scripted)
files = {
    "types": {"file": text(saved(types)), "tensors": told(types)},
    "protocol 4": {"file": text(saved(plain, pickle_protocol=4)), "tensors": told(plain)},
    "checkpoint": {"file": text(saved(checkpoint)), "tensors": told(model.state_dict())},
    "module": {"file": text(saved(model.state_dict())), "tensors": told(model.state_dict())},
    "zip64": {"file": text(zipped(saved(one), zip64=True)), "tensors": told(one)},
    "before byteorder": {"file": text(zipped(saved(one), lambda n, c: None if n.endswith("byteorder") else c)), "tensors": told(one)},
    "big-endian": {
        "file": text(zipped(saved({"d": torch.tensor([1.5], dtype=torch.float64), "f": torch.tensor([1.5, -2.0]), "i": torch.tensor([7], dtype=torch.int32)}), swapped)),
        "tensors": {"d": {"shape": [1], "values": [1.5]}, "f": {"shape": [2], "values": [1.5, -2.0]}, "i": {"shape": [1], "values": [7]}},
    },
    "no checksums": {"file": text(no_checksums), "tensors": told(one)},
    "one tensor": {"file": text(saved(torch.tensor([1.0, 2.0]))), "tensors": {"tensor": {"shape": [2], "values": [1.0, 2.0]}}},
    "a list": {"file": text(saved([torch.tensor([1.0]), (torch.tensor([2.0]),)])), "tensors": {"0": {"shape": [1], "values": [1.0]}, "1.0": {"shape": [1], "values": [2.0]}}},
}
refused = {
    "a class": {"file": text(saved({"w": one["w"], "x": Evil()})), "words": ["posix.system", "torch.save(model.state_dict()"]},
    "a whole module": {"file": text(saved(model)), "words": ["torch.nn.modules.linear.Linear", "torch.save(model.state_dict()"]},
    "two dictionaries": {"file": text(saved({"model": one, "ema": dict(one)})), "words": ['"model", "ema"', "key"]},
    "nothing": {"file": text(saved({"a": 1})), "words": ["holds no tensors"]},
    "complex": {"file": text(saved({"z": torch.ones(2, dtype=torch.complex64)})), "words": ["complex64", '"z"']},
    "too large": {"file": text(saved({"i": torch.tensor([2**40])})), "words": ["1099511627776", "i32"]},
    "sparse": {"file": text(saved({"s": torch.eye(2).to_sparse()})), "words": ["_rebuild_sparse_tensor"]},
    "legacy": {"file": text(saved(one, _use_new_zipfile_serialization=False)), "words": ["before 1.6", "torch.save(torch.load("]},
    "tar": {"file": text(tar()), "words": ["tar archive", "torch.save(torch.load("]},
    "pickle": {"file": text(pickle.dumps({"a": [1, 2]})), "words": ["a pickle by itself"]},
    "TorchScript": {"file": text(scripted.getvalue()), "words": ["TorchScript", "torch.jit.load"]},
    "another zip": {"file": text(zipped(saved(one), lambda n, c: None if n.endswith("data.pkl") else c)), "words": ["no data.pkl"]},
    "Git LFS": {"file": text(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"), "words": ["git lfs pull"]},
    "cut": {"file": text(saved(one)[:-40]), "words": ["damaged zip"]},
    "compressed": {"file": None, "words": ["compressed"]},
    "a storage missing": {"file": text(zipped(saved(one), lambda n, c: None if "/data/" in n else c)), "words": ["missing"]},
    "a storage too short": {"file": text(zipped(saved(one), lambda n, c: c[:4] if "/data/" in n else c)), "words": ["has 4 bytes"]},
    "an expansion": {"file": text(saved({"w": torch.zeros(1).expand(2**30)})), "words": ["repeat"]},
}
out = io.BytesIO()
with zipfile.ZipFile(io.BytesIO(saved(one))) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
    for name in old.namelist():
        new.writestr(name, old.read(name))
refused["compressed"]["file"] = text(out.getvalue())
with open(GOLDEN + "torch_files.json", "w") as f:
    json.dump({"torch": torch.__version__, "read": files, "refused": refused}, f, indent=1)

# torchvision's ResNet-18: each tensor one number, repeated by strides of 0, so that the file is small
net = torchvision.models.resnet18().eval()
state = net.state_dict()
for i, (name, t) in enumerate(state.items()):
    if name.endswith("num_batches_tracked"):
        t.fill_(i)
    else:
        t.fill_((0.5 + 0.01 * (i % 7)) / (1 if t.dim() < 2 else t[0].numel()) * (-1 if name.endswith("running_mean") else 1))
small = collections.OrderedDict((name, t.flatten()[:1].clone().reshape([1] * t.dim()).expand(t.shape)) for name, t in state.items())
torch.save({"arch": "resnet18", "state_dict": small}, GOLDEN + "torch_resnet18.pth")
x = torch.arange(2 * 3 * 33 * 33).reshape(2, 3, 33, 33) % 13 / 13
with torch.no_grad():
    y = net(x)
with open(GOLDEN + "torch_resnet18.json", "w") as f:
    json.dump({"torchvision": torchvision.__version__, "output": y[:, 0].tolist(), "tracked": int(state["bn1.num_batches_tracked"])}, f)
