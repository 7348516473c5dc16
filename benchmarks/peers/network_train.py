"""One training step on 32 patches of 64^2 (U-Net, 4 blocks, 32 features, cross-entropy, Adam) by python3-torch 1.13.1, the same threads and BLAS."""
import statistics

import _forest, _network

RESULTS, ROUNDS, TITLE = "network-peers", 1, "Networks beside PyTorch"


def row(run, folder, threads, quick):
    import torch
    torch.set_num_threads(threads)
    model = _network.modules().UNet(2, 1, 4, 32, 2)
    adam = torch.optim.Adam(model.parameters(), lr=1e-3)
    stack = _network.image((4 if quick else 32, 64, 64))
    x = torch.from_numpy(stack[:, None])
    target = (x[:, 0] > 0).long()

    def step():
        adam.zero_grad()
        torch.nn.functional.cross_entropy(model(x), target).backward()
        adam.step()

    step()
    theirs, ours = [], []
    for _ in range(_network.ROUNDS):
        ours.append(_network.kerf(run, folder, "network-train", stack, threads))
        with _forest.Clock() as clock:
            step()
            step()
        theirs.append((clock.wall, clock.processor))
    middle = lambda rows, k: statistics.median(r[k] for r in rows) / 2
    return {"kerf_s": middle(ours, 0), "kerf_processor_s": middle(ours, 1), "peer_s": middle(theirs, 0), "peer_processor_s": middle(theirs, 1)}
