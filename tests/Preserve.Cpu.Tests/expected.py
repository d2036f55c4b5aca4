"""Expected logits of small models, computed with numpy alone: an implementation that shares no line with the project.

    python3 tests/Preserve.Cpu.Tests/expected.py > tests/Preserve.Cpu.Tests/expected.json

Weights come from the same counter-based generator as SeededWeights, in bfloat16; everything is computed in float64. Each model is computed twice: with
the constants and weights that a deployment has by default, and with constants, norm weights and biases whose every use shows in the logits.
"""
import json
import numpy as np

KINDS = """Embedding Positions FinalNorm FinalNormBias Head HeadBias AttentionNorm AttentionNormBias Query Key Value QueryBias KeyBias ValueBias
QueryNorm KeyNorm Output OutputBias AttentionPostNorm AttentionPostNormBias FeedForwardNorm FeedForwardNormBias Gate Up GateBias UpBias Down DownBias
FeedForwardPostNorm FeedForwardPostNormBias""".split()
STEP = np.uint64(0x9E3779B97F4A7C15)
USUAL = dict(epsilon=float(np.float32(1e-5)), rotary_base=10000.0, attention_cap=50.0, logit_cap=30.0, strong=False)
STRONG = dict(epsilon=0.25, rotary_base=100.0, attention_cap=0.75, logit_cap=1.5, score_factor=0.625, embedding_factor=3.0, window_base=20.0, strong=True)


def mix(z):
    z = np.uint64(z)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def bfloat16(x):
    bits = x.astype(np.float32).view(np.uint32)
    bits = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) & np.uint32(0xFFFF0000)
    return bits.view(np.float32).astype(np.float64)


class Model:
    def __init__(self, seed, hidden, vocabulary, layers, final_norm="rms", tied=False, scale=False, positions=0, offset=0, head_bias=False, logit_cap=False):
        self.__dict__.update(locals())
        self.constants = USUAL

    def matrix(self, kind, layer, rows, columns):
        key = mix(mix(mix(np.uint64(self.seed) + STEP) ^ np.uint64(KINDS.index(kind) + 1)) ^ np.uint64(layer + 2))
        keys = mix(key ^ (np.arange(rows, dtype=np.uint64) + np.uint64(1)))
        counters = (np.arange(columns, dtype=np.uint64) + np.uint64(1)) * STEP
        bits = (mix(keys[:, None] + counters[None, :]) >> np.uint64(40)).astype(np.float32)
        centre, width = self.range(kind, layer)
        values = np.float32(centre) + np.float32(width) * (bits / np.float32(8388608) - np.float32(1))
        if self.constants["strong"] and kind.endswith("Norm"):
            values = np.float32(1) + np.float32(8) * (values - np.float32(1))
        if self.constants["strong"] and kind.endswith("Bias"):
            values = np.float32(10) * values
        return bfloat16(values)

    def row(self, kind, layer, columns):
        return self.matrix(kind, layer, 1, columns)[0]

    def range(self, kind, layer):
        uniform = lambda inputs: np.float32(np.sqrt(3.0 / inputs))
        if kind == "Embedding":
            return 0, uniform(self.hidden if self.scale or self.tied else 1)
        if kind in ("Head", "Query", "Key", "Value", "Gate", "Up"):
            return 0, uniform(self.hidden)
        if kind == "Output":
            return 0, uniform(self.layers[layer]["heads"] * self.layers[layer]["size"])
        if kind == "Down":
            return 0, uniform(self.layers[layer]["intermediate"])
        if kind == "Positions":
            return 0, np.float32(0.5)
        return (1 if kind.endswith("Norm") else 0), np.float32(0.1)

    def norm(self, x, how, kind, layer):
        x = x - x.mean(-1, keepdims=True) if how == "layer" else x
        x = x / np.sqrt((x * x).mean(-1, keepdims=True) + self.constants["epsilon"]) * self.row(kind, layer, x.shape[-1])
        return x + self.row(kind + "Bias", layer, x.shape[-1]) if how == "layer" else x

    def project(self, x, kind, layer, outputs, bias):
        y = x @ self.matrix(kind, layer, outputs, x.shape[-1]).T
        return y + self.row(kind + "Bias", layer, outputs) if bias else y

    def attention(self, x, layer):
        o = self.layers[layer]
        tokens, heads, shared, size = x.shape[0], o["heads"], o["kv"], o["size"]
        bias = o.get("bias", "none")
        q = self.project(x, "Query", layer, heads * size, bias != "none").reshape(tokens, heads, size)
        k = self.project(x, "Key", layer, shared * size, bias != "none").reshape(tokens, shared, size)
        v = self.project(x, "Value", layer, shared * size, bias != "none").reshape(tokens, shared, size)
        if o.get("qk_norm"):
            q, k = self.norm(q, "rms", "QueryNorm", layer), self.norm(k, "rms", "KeyNorm", layer)
        if o.get("position", "rotary") == "rotary":
            base = self.constants.get("window_base" if o.get("window") else "rotary_base", self.constants["rotary_base"])
            q, k = rotate(q, base), rotate(k, base)
        k, v = np.repeat(k, heads // shared, axis=1), np.repeat(v, heads // shared, axis=1)
        scores = np.einsum("thd,jhd->htj", q, k) * self.constants.get("score_factor", 1 / np.sqrt(size))
        if o.get("cap"):
            scores = bounded(scores, self.constants["attention_cap"])
        t, j = np.arange(tokens)[:, None], np.arange(tokens)[None, :]
        seen = j <= t
        if o.get("window"):
            seen &= j > t - o["window"]
        scores = np.where(seen[None], scores, -np.inf)
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        shares /= shares.sum(-1, keepdims=True)
        mixed = np.einsum("htj,jhd->thd", shares, v).reshape(tokens, heads * size)
        return self.project(mixed, "Output", layer, self.hidden, bias == "all")

    def feed_forward(self, x, layer):
        o = self.layers[layer]
        bias, width, act = o.get("mlp_bias", False), o["intermediate"], o.get("act", "swiglu")
        up = self.project(x, "Up", layer, width, bias)
        gate = self.project(x, "Gate", layer, width, bias) if act in ("swiglu", "geglu") else None
        y = {
            "swiglu": lambda: gate / (1 + np.exp(-gate)) * up,
            "geglu": lambda: gelu(gate) * up,
            "gelu": lambda: gelu(up),
            "relu": lambda: np.maximum(up, 0),
        }[act]()
        return self.project(y, "Down", layer, self.hidden, bias)

    def logits(self, tokens, constants):
        self.constants = constants
        h = self.matrix("Embedding", -1, self.vocabulary, self.hidden)[tokens]
        if self.scale:
            h = h * self.constants.get("embedding_factor", np.sqrt(self.hidden))
        if self.positions:
            h = h + self.matrix("Positions", -1, self.positions, self.hidden)[self.offset : self.offset + len(tokens)]
        for layer, o in enumerate(self.layers):
            how = o.get("norm", "rms")
            x = self.norm(h, how, "AttentionNorm", layer)
            a = self.attention(x, layer)
            if o.get("post"):
                a = self.norm(a, how, "AttentionPostNorm", layer)
            if o.get("parallel"):
                m = self.feed_forward(x if not o.get("separate") else self.norm(h, how, "FeedForwardNorm", layer), layer)
            else:
                m = self.feed_forward(self.norm(h + a, how, "FeedForwardNorm", layer), layer)
            if o.get("post"):
                m = self.norm(m, how, "FeedForwardPostNorm", layer)
            h = h + a + m
        x = self.norm(h[-1], self.final_norm, "FinalNorm", -1)
        y = x @ self.matrix("Embedding" if self.tied else "Head", -1, self.vocabulary, self.hidden).T
        if self.head_bias:
            y = y + self.row("HeadBias", -1, self.vocabulary)
        return bounded(y, self.constants["logit_cap"]) if self.logit_cap else y


def gelu(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x ** 3)))


def bounded(x, bound):
    return bound * np.tanh(x / bound)


def rotate(x, base):
    tokens, _, size = x.shape
    half = size // 2
    angles = np.arange(tokens)[:, None] * base ** (-2.0 * np.arange(half) / size)[None, :]
    c, s = np.cos(angles)[:, None, :], np.sin(angles)[:, None, :]
    # Of a head of odd size the last element stays.
    a, b, rest = x[..., :half], x[..., half : 2 * half], x[..., 2 * half :]
    return np.concatenate([a * c - b * s, b * c + a * s, rest], -1)


LAYER = dict(heads=4, kv=2, size=8, intermediate=24)
LOCAL = dict(LAYER, post=True, cap=True, act="geglu", bias="all", mlp_bias=True, window=4)
MODELS = {
    "llama": Model(1, 32, 40, [LAYER] * 3),
    "multi-head, biases, learned positions": Model(1, 32, 40, [dict(LAYER, kv=4, norm="layer", position="learned", bias="all", act="relu", mlp_bias=True)] * 2,
        final_norm="layer", tied=True, positions=64, head_bias=True),
    "learned positions from row two on": Model(1, 32, 40, [dict(LAYER, kv=4, norm="layer", position="learned", bias="all", act="relu", mlp_bias=True)] * 2,
        final_norm="layer", tied=True, positions=64, offset=2),
    "post norms, soft caps, windows": Model(1, 32, 40, [LOCAL, dict(LAYER, post=True, cap=True, act="geglu")] * 2, tied=True, scale=True, logit_cap=True),
    "parallel": Model(1, 32, 41, [dict(LAYER, parallel=True, norm="layer", act="gelu", bias="all", mlp_bias=True)] * 2),
    "parallel, norms of its own": Model(1, 32, 41, [dict(LAYER, parallel=True, separate=True, act="gelu")] * 2),
    "parallel, post norms": Model(1, 32, 41, [dict(LAYER, parallel=True, post=True, norm="layer", act="gelu", bias="all"), dict(LAYER, parallel=True, post=True, separate=True)]),
    "query-key norm": Model(1, 32, 40, [dict(LAYER, qk_norm=True, bias="qkv")] * 2),
    "no positions": Model(1, 32, 40, [dict(LAYER, position="none")] * 2),
    "long heads, three to a KV head": Model(1, 48, 40, [dict(LAYER, heads=12, size=40, kv=4, intermediate=44, qk_norm=True)] * 2),
    "nine heads of five elements": Model(1, 35, 43, [dict(LAYER, heads=9, size=5, kv=3, intermediate=21), dict(LAYER, heads=9, size=5, kv=9, intermediate=15, window=4)]),
}
TOKENS = [7, 3, 39, 0, 12, 12, 25, 1, 30]

if __name__ == "__main__":
    with np.errstate(over="ignore"):
        usual, strong = ({name: [round(float(x), 10) for x in model.logits(np.array(TOKENS), c)] for name, model in MODELS.items()} for c in (USUAL, STRONG))
        print(json.dumps({"tokens": TOKENS, "usual": usual, "strong": strong}, indent=1))
