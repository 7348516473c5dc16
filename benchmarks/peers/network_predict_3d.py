"""One tile of 64^3 through a 3-D U-Net (4 blocks, 16 features) by python3-torch 1.13.1 in eager mode, single precision, the same threads and BLAS."""
import _network

RESULTS, ROUNDS, TITLE = "network-peers", 1, "Networks beside PyTorch"


def row(run, folder, threads, quick):
    return _network.predict(run, folder, threads, (16,) * 3 if quick else (64,) * 3, _network.modules().UNet(3, 1, 4, 16, 2))
