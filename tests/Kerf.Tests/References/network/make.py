#!/usr/bin/env python3
"""Losses, gradients and one Adam step of every layer, loss and architecture by PyTorch: writes torch.json beside this file.

Networks are torch.nn modules written from the papers' descriptions, filled with numbers from a formula; Kerf's test fills its own alike. Arrays are kept as
three numbers each: sum, sum of absolute values, and the product with a cosine. Where a ReLU or a maximum sits on its kink the rounding decides a gradient: the
image is moved on until single (in both layouts) and double precision agree to 3e-6.
"""
import json, math, pathlib, re
import torch, torch.nn as nn, torch.nn.functional as F


def numbers(i, shape):
    n = math.prod(shape)
    j = torch.arange(n, dtype=torch.float64)
    scale = 1 / math.sqrt(math.prod(shape[1:])) if len(shape) > 1 else 0.1
    return (scale * torch.sin(0.37 * j + 1.13 * i + 0.5)).reshape(shape)


def fill(module):
    i = 0
    for name, value in module.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        if "running" not in name:
            start = 1.0 if value.dim() == 1 and name.endswith("norm.weight") else 0.25 if name.endswith("prelu.weight") else 0.0
            value.copy_((start + numbers(i, value.shape)).float())
        i += 1


def image(shape, offset):
    j = torch.arange(math.prod(shape), dtype=torch.float64) + offset
    return (torch.sin(0.11 * j) + 0.5 * torch.cos(0.017 * j)).float().reshape(shape)


def target(shape, classes):
    j = torch.arange(math.prod(shape))
    t = (j * 7 % 11) % classes
    t[j % 5 == 0] = -1
    return t.reshape(shape)


def three(t):
    t = t.detach().double().flatten()
    return [t.sum().item(), t.abs().sum().item(), (t * torch.cos(0.3 * torch.arange(t.numel()))).sum().item()]


def loss_of(kind, logits, t):
    if kind == "cross-entropy":
        return F.cross_entropy(logits, t, ignore_index=-1)
    keep = t >= 0
    p = F.softmax(logits, 1).movedim(1, -1)[keep]
    y = F.one_hot(t[keep], logits.shape[1]).to(p.dtype)
    if kind == "bce":
        return F.binary_cross_entropy(p, y)
    if kind == "mse":
        return F.mse_loss(p, y)
    below = (p * p).sum(0) + (y * y).sum(0) if kind == "squared-dice" else p.sum(0) + y.sum(0)
    return (1 - (2 * (p * y).sum(0) + 1e-6) / (below + 1e-6)).mean()


def run(module, shape, classes, loss, offset, precision, layout=torch.contiguous_format):
    module.train().to(precision)
    with torch.no_grad():
        for name, value in module.state_dict().items():
            if "running" in name:
                value.fill_(1 if name.endswith("var") else 0)
        fill(module)
    for frozen in getattr(module, "frozen", []):
        frozen.eval().requires_grad_(False)
    weights = [p for p in module.parameters() if p.requires_grad]
    adam = torch.optim.Adam(weights, lr=1e-4)
    adam.zero_grad()
    x = image(shape, offset).to(precision).contiguous(memory_format=layout)
    logits = module(x)
    value = loss_of(loss, logits, target((shape[0],) + tuple(logits.shape[2:]), classes))
    value.backward()
    out = {"shape": list(shape), "offset": offset, "loss": loss, "value": value.item(), "logits": three(logits), "gradients": [three(p.grad) for p in weights]}
    adam.step()
    out["after"] = [three(v) for n, v in module.state_dict().items() if not n.endswith("num_batches_tracked")]
    module.eval()
    with torch.no_grad():
        out["predicted"] = three(F.softmax(module(x), 1))
    return out


def far(a, b):
    return max(abs(x - y) / (q[1] + 0.1) for p, q in zip(a["gradients"] + a["after"], b["gradients"] + b["after"]) for x, y in zip(p, q))


def case(module, shape, classes, loss="dice"):
    for offset in range(0, 20000, 100):
        single, double = (run(module, shape, classes, loss, offset, t) for t in (torch.float32, torch.float64))
        last = run(module, shape, classes, loss, offset, torch.float32, torch.channels_last if len(shape) == 4 else torch.channels_last_3d)
        if max(far(single, double), far(last, double)) < 3e-6:
            return double
    raise SystemExit(f"no image suits {module}")


def conv(d, a, b, k=3, stride=1, bias=False):
    return (nn.Conv2d if d == 2 else nn.Conv3d)(a, b, k, stride, (k - 1) // 2, bias=bias)


def norm(d, n):
    return (nn.BatchNorm2d if d == 2 else nn.BatchNorm3d)(n)


class Unit(nn.Module):
    def __init__(self, d, a, b, k=3, stride=1, act="relu"):
        super().__init__()
        self.conv, self.norm = conv(d, a, b, k, stride), norm(d, b)
        if act == "prelu":
            self.prelu = nn.PReLU(b)
        self.act = act

    def forward(self, x):
        x = self.norm(self.conv(x))
        return F.relu(x) if self.act == "relu" else self.prelu(x) if self.act == "prelu" else x


class Block(nn.Module):
    def __init__(self, d, a, b, residual):
        super().__init__()
        self.first, self.second = Unit(d, a, b), Unit(d, b, b, act="none" if residual else "relu")
        self.residual = residual
        if residual and a != b:
            self.match = conv(d, a, b, 1)

    def forward(self, x):
        y = self.second(self.first(x))
        return F.relu(y + (self.match(x) if hasattr(self, "match") else x)) if self.residual else y


def grow(x):
    return F.interpolate(x, scale_factor=2, mode="nearest")


def pool(x):
    return F.max_pool2d(x, 2) if x.dim() == 4 else F.max_pool3d(x, 2)


class Encoder(nn.Module):
    def __init__(self, d, inputs, depth, width, residual):
        super().__init__()
        self.blocks = nn.ModuleList(Block(d, inputs if i == 0 else width << (i - 1), width << i, residual) for i in range(depth))

    def forward(self, x):
        out = []
        for i, block in enumerate(self.blocks):
            x = block(pool(x) if i else x)
            out.append(x)
        return out


class UNet(nn.Module):
    def __init__(self, d, inputs, depth, width, classes, residual=False, branches=1):
        super().__init__()
        self.branches = branches
        self.encoders = nn.ModuleList(Encoder(d, inputs // branches, depth, width, residual) for _ in range(branches))
        steps = []
        for i in range(depth - 2, -1, -1):
            below = (width << (i + 1)) * (branches if i == depth - 2 else 1)
            steps += [Unit(d, below, width << i), Block(d, (width << i) * (branches + 1), width << i, residual)]
        self.steps = nn.ModuleList(steps)
        self.logits = conv(d, width, classes, 1, bias=True)

    def forward(self, x):
        parts = x.chunk(self.branches, 1)
        levels = [torch.cat(level, 1) for level in zip(*[e(p) for e, p in zip(self.encoders, parts)])]
        y = levels.pop()
        for up, block in zip(self.steps[::2], self.steps[1::2]):
            y = block(torch.cat([levels.pop(), up(grow(y))], 1))
        return self.logits(y)


class Stage(nn.Module):
    def __init__(self, entering, channels, n, first):
        super().__init__()
        self.units = nn.ModuleList(Unit(3, first if i == 0 else channels, channels, 5, act="prelu") for i in range(n - 1))
        self.last = Unit(3, channels if n > 1 else first, channels, 5, act="none")
        if entering != channels:
            self.match = conv(3, entering, channels, 1)
        self.prelu = nn.PReLU(channels)

    def forward(self, x, entering):
        for unit in self.units:
            x = unit(x)
        return self.prelu(self.last(x) + (self.match(entering) if hasattr(self, "match") else entering))


class VNet(nn.Module):
    def __init__(self, inputs, depth, width, classes):
        super().__init__()
        steps = []
        for i in range(depth):
            c = width << i
            if i:
                steps.append(Unit(3, c // 2, c, 2, 2, act="prelu"))
            entering = inputs if i == 0 else c
            steps.append(Stage(entering, c, min(i + 1, 3), entering))
        for i in range(depth - 2, -1, -1):
            c = width << i
            steps += [Unit(3, 2 * c, c, 3, act="prelu"), Stage(c, c, min(i + 1, 3), 2 * c)]
        self.steps, self.depth = nn.ModuleList(steps), depth
        self.logits = conv(3, width, classes, 1, bias=True)

    def forward(self, x):
        steps, skips = iter(self.steps), []
        for i in range(self.depth):
            if i:
                x = next(steps)(x)
            x = next(steps)(x, x)
            skips.append(x)
        skips.pop()
        for _ in range(self.depth - 1):
            up = next(steps)(grow(x))
            x = next(steps)(torch.cat([skips.pop(), up], 1), up)
        return self.logits(x)


class SegNet(nn.Module):
    def __init__(self):
        super().__init__()
        sizes = [(1, 16), (16, 32), (32, 64), (64, 128), (128, 64), (64, 64), (64, 128), (128, 64), (64, 64), (64, 64), (64, 1)]
        self.convs = nn.ModuleList(conv(2, a, b, 1 if i in (4, 5, 10) else 3, bias=True) for i, (a, b) in enumerate(sizes))

    def forward(self, x):
        for i, c in enumerate(self.convs):
            if i in (6, 8):
                x = grow(x)
            x = c(x) if i == 10 else F.relu(c(x))
            if i in (1, 3):
                x = pool(x)
        return torch.cat([torch.zeros_like(x), x], 1)


class Blend(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(2))

    def forward(self, a, b):
        w = torch.softmax(self.weight, 0)
        return w[0] * a + w[1] * b


class Ensemble(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.members = nn.ModuleList(UNet(2, 1, 2, 4, 2) for _ in range(2))
        self.kind = kind
        if kind == "late":
            self.ensemble = conv(2, 4, 2, 1, bias=True)
        else:
            self.vote = Blend()
        self.frozen = [self.members]

    def forward(self, x):
        votes = [F.softmax(m(x[:, i:i + 1]), 1) for i, m in enumerate(self.members)]
        if self.kind == "late":
            return self.ensemble(torch.cat(votes, 1))
        return torch.log(self.vote(*votes).clamp_min(1e-7))


class Single(nn.Module):
    """A convolution to three channels, then one layer."""
    def __init__(self, d, layer):
        super().__init__()
        self.conv = conv(d, 2, 3, bias=layer != "norm")
        self.layer = layer
        if layer == "conv":
            self.own = conv(d, 3, 3, 3)
        elif layer == "conv5":
            self.own = conv(d, 3, 3, 5, bias=True)
        elif layer == "halve":
            self.own = conv(d, 3, 3, 2, 2)
        elif layer == "norm":
            self.norm = norm(d, 3)
        elif layer == "prelu":
            self.prelu = nn.PReLU(3)
        elif layer == "blend":
            self.own = Blend()

    def forward(self, x):
        x, k = self.conv(x), self.layer
        if k in ("conv", "conv5", "halve"):
            return self.own(x)
        if k == "blend":
            return self.own(x, F.relu(x))
        return {"relu": F.relu, "pool": pool, "double": grow, "concat": lambda x: torch.cat([x, F.relu(x)], 1), "add": lambda x: x + F.relu(x),
                "softmax": lambda x: F.softmax(x, 1), "narrow": lambda x: x[:, 1:3], "two-class": lambda x: torch.cat([torch.zeros_like(x[:, :1]), x[:, :1]], 1),
                "log": lambda x: torch.log(x.clamp_min(1e-7)), "norm": lambda x: self.norm(x), "prelu": lambda x: self.prelu(x), "none": lambda x: x}[k](x)


def main():
    torch.set_num_threads(1)
    cases = {}
    for d in (2, 3):
        spatial = (6, 8) if d == 2 else (4, 6, 8)
        for layer in ("conv", "conv5", "halve", "norm", "relu", "prelu", "pool", "double", "concat", "add", "softmax", "narrow", "two-class", "blend", "log"):
            cases[f"layer {layer} {d}"] = case(Single(d, layer), (2, 2) + spatial, {"concat": 6, "narrow": 2, "two-class": 2}.get(layer, 3))
    for loss in ("dice", "squared-dice", "cross-entropy", "bce", "mse"):
        cases[f"loss {loss} 2"] = case(Single(2, "none"), (2, 2, 6, 8), 3, loss)
    for name, module, shape in (
        ("unet 1", UNet(2, 1, 3, 4, 2), (2, 1, 8, 8)), ("unet 3", UNet(2, 3, 3, 4, 2), (2, 3, 8, 8)), ("unet 7 residual", UNet(2, 7, 2, 4, 3, residual=True), (2, 7, 8, 16)),
        ("unet3d", UNet(3, 1, 2, 4, 2), (1, 1, 8, 8, 8)), ("resunet3d", UNet(3, 1, 2, 4, 2, residual=True), (1, 1, 8, 8, 8)), ("vnet", VNet(1, 3, 2, 2), (1, 1, 8, 8, 8)),
        ("segnet", SegNet(), (2, 1, 16, 16)), ("early", UNet(2, 2, 2, 4, 2), (2, 2, 8, 8)), ("intermediate", UNet(2, 2, 2, 4, 2, branches=2), (2, 2, 8, 8)),
        ("late", Ensemble("late"), (2, 2, 8, 8)), ("vote", Ensemble("vote"), (2, 2, 8, 8)),
    ):
        cases["architecture " + name] = case(module, shape, 3 if "residual" in name else 2, "squared-dice")
        print(name, sum(p.numel() for p in module.parameters()))
    here = pathlib.Path(__file__).resolve().parent
    text = json.dumps({"torch": torch.__version__, "cases": cases})
    short = re.sub(r"-?\d+\.\d+(e-?\d+)?", lambda m: f"{float(m.group()):.9g}", text.replace(torch.__version__, "VERSION")).replace("VERSION", torch.__version__)
    here.joinpath("torch.json").write_text(short.replace("}, \"", "},\n\"") + "\n")


if __name__ == "__main__":
    main()
