"""One tile of 512^2 through a U-Net (4 blocks, 32 features) by python3-torch 1.13.1 in eager mode, single precision, the same threads and BLAS."""
import _network

RESULTS, ROUNDS, TITLE = "network-peers", 1, "Networks beside PyTorch"


def row(run, folder, threads, quick):
    return _network.predict(run, folder, threads, (1, 128, 128) if quick else (1, 512, 512), _network.modules().UNet(2, 1, 4, 32, 2))
