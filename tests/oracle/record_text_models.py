"""Record text models: fastai's AWD-LSTM, and GPT-2 and BERT as transformers has them.

    python3 tests/oracle/record_text_models.py

Writes tests/golden/text_models.json. Parameter number i of a model is `fill(100 + i, size, scale)`.
"""
import json
import warnings

warnings.filterwarnings("ignore")
import numpy as np
import torch

from recorder import GOLDEN, fill, flat, numbers


def fill_state(model, scale=0.3, first=100):
    with torch.no_grad():
        for i, p in enumerate(model.parameters()):
            p.copy_(torch.from_numpy(fill(first + i, p.numel(), scale).astype(np.float32)).reshape(p.shape))
    return [name for name, _ in model.named_parameters()]


def awd_lstm():
    from fastai.text.all import (AWD_LSTM, SGD, Callback, CrossEntropyLossFlat, DataLoader, DataLoaders, Learner, RNNCallback, get_language_model, rnn_cbs)

    vocab, bs, seq, batches = 11, 2, 5, 6
    config = dict(emb_sz=6, n_hid=8, n_layers=2, pad_token=1, bidir=False, output_p=0, hidden_p=0, input_p=0, embed_p=0, weight_p=1e-30, tie_weights=True, out_bias=True)  # at 0 fastai takes the raw weight for the layer's own
    model = get_language_model(AWD_LSTM, vocab, config)
    names = fill_state(model)
    stream = np.random.RandomState(3).randint(0, vocab, bs * (seq * batches + 1)).reshape(bs, -1)
    items = [(torch.tensor(stream[r, i * seq : i * seq + seq]), torch.tensor(stream[r, i * seq + 1 : i * seq + seq + 1])) for i in range(batches) for r in range(bs)]
    losses, grads_of = [], []

    class Note(Callback):
        order = 60

        def after_loss(self):
            if self.training:
                losses.append([self.learn.loss.item(), self.learn.loss_grad.item()])

    outputs = []
    model.eval()
    with torch.no_grad():
        for i in range(2):
            x = torch.stack([items[i * bs + r][0] for r in range(bs)])
            outputs.append(numbers(flat(model(x)[0])))
        wider = torch.stack([items[0][0], items[1][0], items[2][0]])
        outputs.append(numbers(flat(model(wider)[0])))  # a text more: its state is new
        outputs.append(numbers(flat(model(wider[:1])[0])))
    loader = DataLoader(items, bs=bs, shuffle=False, num_workers=0)
    learn = Learner(DataLoaders(loader, loader), model, loss_func=CrossEntropyLossFlat(), opt_func=SGD, cbs=[*rnn_cbs(alpha=2, beta=1), Note()], wd=0.0, train_bn=False)
    with learn.no_logging(), learn.no_bar():
        learn.fit(1, lr=0.5)
    trained = {k: numbers(flat(p)) for k, p in model.named_parameters()}
    return {"vocab": vocab, "bs": bs, "seq": seq, "stream": stream.tolist(), "names": names, "state": list(model.state_dict()), "outputs": outputs, "losses": losses,
            "alpha": 2, "beta": 1, "lr": 0.5, "trained": trained, "valid": float(learn.recorder.values[-1][1])}


def save(model, name):
    """A model as transformers writes it, small enough to be kept."""
    import shutil
    import tempfile
    from pathlib import Path

    folder = Path(tempfile.mkdtemp())
    model.save_pretrained(folder)
    shutil.copyfile(folder / "model.safetensors", GOLDEN / f"{name}.safetensors")
    config = json.loads((folder / "config.json").read_text())
    shutil.rmtree(folder)
    return config


def gpt2():
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    config = GPT2Config(vocab_size=40, n_positions=16, n_embd=12, n_layer=2, n_head=3)
    model = GPT2LMHeadModel(config).eval()
    with torch.no_grad():
        for i, p in enumerate(model.parameters()):  # nothing is 0 or 1
            p.add_(torch.from_numpy(fill(500 + i, p.numel(), 0.2).astype(np.float32)).reshape(p.shape))
    config = save(model, "tiny_gpt2")
    model = model.double()
    ids = np.random.RandomState(1).randint(0, 40, [2, 7])
    x = torch.tensor(ids)
    out = model(x, labels=x)
    out.loss.backward()
    named = dict(model.named_parameters())
    grads = {k: numbers(flat(named["transformer." + k].grad)) for k in ["wpe.weight", "h.0.attn.c_attn.weight", "h.1.mlp.c_proj.bias", "ln_f.weight"]}
    return {"config": config, "ids": ids.tolist(), "logits": numbers(flat(out.logits)), "loss": out.loss.item(), "grads": grads, "names": [k.removeprefix("transformer.") for k in named]}


def bert():
    from transformers import BertConfig, BertModel

    torch.manual_seed(1)
    config = BertConfig(**bert_config())
    model = BertModel(config).eval()
    with torch.no_grad():
        for i, p in enumerate(model.parameters()):
            p.add_(torch.from_numpy(fill(700 + i, p.numel(), 0.2).astype(np.float32)).reshape(p.shape))
    config = save(model, "tiny_bert")
    model = model.double()
    ids = np.random.RandomState(2).randint(1, 48, [2, 6])
    ids[1, 4:] = 0
    mask = ids != 0
    y = model(torch.tensor(ids), attention_mask=torch.tensor(mask)).last_hidden_state
    seen = torch.tensor(mask)[..., None].to(y.dtype)
    (y * seen).square().sum().backward()
    named = dict(model.named_parameters())
    grads = {k: numbers(flat(named[k].grad)) for k in ["embeddings.word_embeddings.weight", "encoder.layer.0.attention.self.query.weight", "encoder.layer.1.output.dense.bias"]}
    return {"config": config, "ids": ids.tolist(), "seen": numbers(flat(y * seen)), "grads": grads, "names": [k for k in named if not k.startswith("pooler")]}


def lora():
    """Changes of the tiny BERT as PEFT writes them, with all factors other than 0, and what it then gives."""
    import shutil

    from peft import LoraConfig, get_peft_model
    from safetensors.torch import load_file
    from transformers import BertConfig, BertModel

    made = bert_config()
    model = BertModel(BertConfig(**made)).eval()
    model.load_state_dict(load_file(GOLDEN / "tiny_bert.safetensors"))
    changed = get_peft_model(model, LoraConfig(r=2, lora_alpha=6, target_modules=["query", "value"], lora_dropout=0.0))
    with torch.no_grad():
        for i, (name, p) in enumerate((n, p) for n, p in changed.named_parameters() if "lora_" in n):
            p.copy_(torch.from_numpy(fill(900 + i, p.numel(), 0.5).astype(np.float32)).reshape(p.shape))
    folder = GOLDEN / "tiny_lora"
    changed.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    ids = torch.tensor([[3, 7, 11, 2]])
    trained = [n for n, p in changed.named_parameters() if p.requires_grad]
    return {"ids": ids.tolist(), "y": numbers(flat(changed.eval().double()(ids).last_hidden_state)), "trained": trained}


def bert_config():
    return dict(vocab_size=48, hidden_size=12, num_hidden_layers=2, num_attention_heads=2, intermediate_size=20, max_position_embeddings=16)


if __name__ == "__main__":
    import fastai
    import transformers

    found = {"meta": {"torch": torch.__version__, "fastai": fastai.__version__, "transformers": transformers.__version__, "command": "python3 tests/oracle/record_text_models.py"},
             "awdLstm": awd_lstm(), "gpt2": gpt2(), "bert": bert(), "lora": lora()}
    text = json.dumps(found, separators=(",", ":"))
    (GOLDEN / "text_models.json").write_text(text + "\n")
    print(len(text), "bytes")
