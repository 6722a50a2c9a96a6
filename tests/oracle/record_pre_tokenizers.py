"""Records how the parts of Hugging Face's tokenizers cut texts.

usage: python3 tests/oracle/record_pre_tokenizers.py     writes tests/golden/pre_tokenizers.json
"""
import json
import pathlib

import tokenizers
from tokenizers import Regex, decoders, models, normalizers, pre_tokenizers as pre

TEXTS = ["Hello, World!  it's  ok", "café cafe\u0301 Å 日本語とEnglish", "a-b--c - d", "x1y22z333 ٣٤ ½ Ⅷ", "!!??.. (so)", " 👩\u200d👧 nbsp\ufeffbom\x85 ",
         "ΟΔΟΣ ΣΑΣ. İ", "abcdefghij", "", "don't"]
BEHAVIORS = ["isolated", "removed", "merged_with_previous", "merged_with_next", "contiguous"]


def parts():
    yield pre.Whitespace()
    yield pre.WhitespaceSplit()
    yield pre.BertPreTokenizer()
    yield pre.CharDelimiterSplit("-")
    yield pre.FixedLength(3)
    for each in [True, False]:
        yield pre.Digits(each)
    for behavior in BEHAVIORS:
        yield pre.Punctuation(behavior)
        for invert in [False, True]:
            for pattern in ["-", Regex(r"\s"), Regex(r"[a-z]+|\d")]:
                yield pre.Split(pattern, behavior, invert)
    for scheme in ["always", "first", "never"]:
        for split in [True, False]:
            yield pre.Metaspace(prepend_scheme=scheme, split=split)
    yield pre.Sequence([pre.Whitespace(), pre.Digits(True)])


def spec(name, part):
    t = tokenizers.Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    setattr(t, name, part)
    return json.loads(t.to_str())[name]


metaspace = [decoders.Metaspace(prepend_scheme=s) for s in ["always", "never"]]
words = ["▁Hello", "▁big", "World"]
here = pathlib.Path(__file__).parent
out = {
    "source": f"tokenizers {tokenizers.__version__}, tests/oracle/record_pre_tokenizers.py",
    "texts": TEXTS,
    "preTokenizers": [{"json": spec("pre_tokenizer", p), "pieces": [[w for w, _ in p.pre_tokenize_str(t)] for t in TEXTS]} for p in parts()],
    "normalizers": [{"json": spec("normalizer", n), "texts": [n.normalize_str(t) for t in TEXTS]}
                    for n in [normalizers.Lowercase(), normalizers.BertNormalizer(), normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])]],
    "words": words,
    "decoders": [{"json": spec("decoder", d), "text": d.decode(words)} for d in metaspace],
}
(here.parent / "golden" / "pre_tokenizers.json").write_text(json.dumps(out, ensure_ascii=False, separators=(",", ":")) + "\n")
