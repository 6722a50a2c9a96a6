"""Record what transformers makes of sentences with the real all-MiniLM-L6-v2.

    deno run -A tools/minilm.ts && python3 tests/oracle/record_minilm.py

Writes tests/golden/minilm.json: the tokens of hard texts, and the mean of the positions of each, normalized, in float32.
"""
import json
import warnings
from pathlib import Path

warnings.filterwarnings("ignore")
import torch
import transformers
from tokenizers import Tokenizer
from transformers import BertModel

from recorder import GOLDEN, flat, numbers

FOLDER = Path(__file__).resolve().parents[2] / ".cache" / "minilm"
TEXTS = [
    "Call me Ishmael.",
    "The quick brown fox jumps over the lazy dog",
    "",
    "Ünïcödé, naïve café — ﬁne; 東京 タワー",
    "👩‍👩‍👧 emoji\u0000\u200b and\tcontrol\ncharacters",
    "unaffable " * 40,
]

tokenizer = Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
tokenizer.no_padding()
tokenizer.enable_truncation(max_length=64)
model = BertModel.from_pretrained(FOLDER).eval()
ids = [tokenizer.encode(t).ids for t in TEXTS]
n = max(map(len, ids))
batch = torch.tensor([row + [0] * (n - len(row)) for row in ids])
mask = torch.tensor([[1] * len(row) + [0] * (n - len(row)) for row in ids])
with torch.no_grad():
    y = model(batch, attention_mask=mask).last_hidden_state
    wide = mask[..., None].float()
    vectors = torch.nn.functional.normalize((y * wide).sum(1) / wide.sum(1).clamp(min=1e-9))
found = {"meta": {"torch": torch.__version__, "transformers": transformers.__version__, "command": "python3 tests/oracle/record_minilm.py"},
         "maxTokens": 64, "texts": TEXTS, "ids": ids, "vectors": numbers(flat(vectors))}
text = json.dumps(found, separators=(",", ":"))
(GOLDEN / "minilm.json").write_text(text + "\n")
print(len(text), "bytes")
