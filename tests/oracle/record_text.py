"""Records what fastai, spaCy and Hugging Face's tokenizers make of texts.

usage: python3 tests/oracle/record_text.py     writes tests/golden/text.json
"""
import collections
import json
import pathlib
import sys

import fastai
import spacy
import tokenizers
from fastai.text.core import SpacyTokenizer, tokenize1
from fastai.text import core
from fastai.text.data import LMDataLoader, make_vocab
from fastai.text.learner import decode_spec_tokens
from fastai.torch_core import tensor
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

HARD = [
    "", " ", "\n\n\t", "Hello, world!", "UPPER lower Title McDonald iPhone A I", "soooo goood!!!!! ....... 1111 ---- ===",
    "really really really nice, no no. ha ha ha ha!", "a\\b #tag and/or 10/20 \\n <br /> x", "Tom &amp; Jerry &lt;b&gt; &#39;q&#39; &quot; &nbsp; &hellip;",
    "&notit; &amp &copy2020 &bogus; &#1; &#150; &#xD800; &#x110000; &#x1F600; & &; &CounterClockwiseContourIntegral;",
    "👩‍👩‍👧‍👦 family 😀😀😀😀 flags 🇩🇪🏴󠁧󠁢󠁥󠁮󠁧󠁿", "Crème brûlée À LA FAÇON de Ångström — naïve", "e\u0301e\u0301e\u0301 vs ééé; İstanbul ǅ ß ẞ ﬁ ΣΑΣ",
    "日本語と中文混合 한국어 ｶﾀｶﾅ 㐀𠀀𠀀𠀀", "a\x00b\x01c\x07d\x7f\x85e\u200b\u200d\ufefff\tg\r\nh\x1ci\x1fj", "مرحبا بالعالم שלום हिन्दी ไทย",
    "zero\u00a0width\u2009spaces\u3000here  two   three", "“quotes” ‘single’ … – — it’s", "\u0301\u0302 alone", "x" * 300, "mixed日本text中with한글 word word word",
    "don't can't I'm you'll we've U.S.A. 3.14 $5,000.00 @user http://a.b/c?d=e&f", "<unk> @.@ a @-@ b ... end", "A\nB\n\n\nC  \n D",
    "Σίσυφος ΟΔΟΣ", "١٢٣ ²³ ½½½ Ⅷ", "_a_ _a_ _a_ __ ____", "word word  word\nword word.", "aa aa aa bb bb bb", "\u2028line\u2029sep\x0b\x0c",
]
LONG = "The quick brown fox jumps over 13 lazy dogs! Ünïcödé 😀 " * 190
SENTENCES = [
    "Hello, world! It's 5:30 p.m. and I don't know (really).", "Call me Ishmael. Some years ago--never mind how long precisely--having little money,",
    "The well-known author's book -- \"Moby Dick\" -- cost $12.50, i.e. cheap...", "we'll they're you've I'd can't won't shouldn't've cannot gonna",
    "e-mail me@example.com or visit http://www.example.com/page?x=1&y=2 now.", "line one\nline two\n\nline  three",
    "U.S.A. and Mr. Smith, Dr. No", "state-of-the-art 3-4 10,000 3.14% 20km 5kg", "wow :) ;-) :( <3", "日本語 mixed text",
    "rock 'n' roll 'quoted' “smart” ‘single’ it’s don’t", "a,b c;d e/f x=y a.b A.B end.Start", "100+ $5 €10 5€ 50% #1 @user _under_ *star* [x] {y}",
    "Ph.D. e.g. a.m. 12am",
]
CORPUS = ["call me ishmael . some years ago never mind how long precisely", "having little or no money in my purse , and nothing particular",
          "i thought i would sail about a little and see the watery part of the world", "It is a way I have of driving off the spleen 日本語 😀"] * 3


def hub():
    """Small tokenizers of the three families, and the numbers that they give."""
    out = []
    def record(name, t):
        texts = HARD + [LONG[:10_000]]
        out.append({"name": name, "json": json.loads(t.to_str()), "vocab": t.get_vocab_size(),
                    "cases": [{"ids": t.encode(s).ids, "bare": t.encode(s, add_special_tokens=False).ids} for s in texts],
                    "decoded": [t.decode(t.encode(s).ids) for s in CORPUS]})
    t = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))
    t.normalizer = normalizers.BertNormalizer(lowercase=True)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.decoder = decoders.WordPiece()
    t.train_from_iterator(CORPUS + ["hello world the quick brown fox été 中文 a b c don ' t"], trainers.WordPieceTrainer(
        vocab_size=220, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]))
    t.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    record("wordpiece", t)
    t = tokenizers.Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.decoder = decoders.ByteLevel()
    t.post_processor = processors.ByteLevel(trim_offsets=False)
    t.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=330, special_tokens=["<|endoftext|>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    record("bytelevel", t)
    t = tokenizers.Tokenizer(models.Unigram())
    t.normalizer = normalizers.NFKC()
    t.pre_tokenizer = pre_tokenizers.Metaspace()
    t.decoder = decoders.Metaspace()
    t.train_from_iterator(CORPUS, trainers.UnigramTrainer(vocab_size=120, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>"))
    t.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    record("unigram", t)
    return out


def lm():
    """Batches of a stream of documents, in order."""
    docs = [tensor(list(range(a, b))) for a, b in [(0, 17), (100, 103), (200, 241), (300, 301), (400, 422)]]
    out = []
    for bs, seq_len in [(3, 5), (2, 7), (1, 100), (4, 20)]:
        dl = LMDataLoader(docs, bs=bs, seq_len=seq_len, shuffle=False)
        out.append({"bs": bs, "seqLen": seq_len, "batches": [[x.tolist(), y.tolist()] for x, y in dl]})
    return {"docs": [d.tolist() for d in docs], "streams": out}


RULES = {"fixHtml": "fix_html", "replaceRep": "replace_rep", "replaceWrep": "replace_wrep", "specAddSpaces": "spec_add_spaces",
         "rmUselessSpaces": "rm_useless_spaces", "replaceAllCaps": "replace_all_caps", "replaceMaj": "replace_maj", "lowercase": "lowercase"}


def main():
    rules = {name: [getattr(core, there)(t) for t in HARD] for name, there in RULES.items()}
    whole = []
    for t in HARD + [LONG]:
        for there in RULES.values():
            t = getattr(core, there)(t)
        whole.append(t)
    words = SpacyTokenizer()
    tokens = [list(tokenize1(s, words)) for s in SENTENCES]
    counts = collections.Counter(w for s in CORPUS + ["b a", "a b c c d"] for w in s.split())
    vocabs = [{"minFreq": f, "maxVocab": m, "vocab": [w for w in make_vocab(counts, min_freq=f, max_vocab=m) if w != "xxfake"]}
              for f, m in [(3, 60_000), (1, 60_000), (1, 20), (4, 30), (100, 60_000)]]
    spec = [["xxbos", "xxmaj", "call", "me", "xxup", "abc", "."], ["xxrep", "4", "a", "xxwrep", "3", "no", "end"], ["xxmaj"], ["xxrep", "x", "y"], ["a", "xxup"]]
    out = {
        "made by": "tests/oracle/record_text.py",
        "versions": {"fastai": fastai.__version__, "spacy": spacy.__version__, "tokenizers": tokenizers.__version__},
        "hard": HARD, "long": LONG, "rules": rules, "whole": whole,
        "sentences": [{"text": s, "tokens": t} for s, t in zip(SENTENCES, tokens)],
        "counted": [s.split() for s in CORPUS + ["b a", "a b c c d"]], "vocabs": vocabs,
        "undone": [{"tokens": t, "words": decode_spec_tokens(t)} for t in spec],
        "lm": lm(), "hub": hub(),
    }
    path = pathlib.Path(__file__).parent.parent / "golden/text.json"
    path.write_text(json.dumps(out, ensure_ascii=True, separators=(",", ":")) + "\n")
    print(path, path.stat().st_size, file=sys.stderr)


main()
