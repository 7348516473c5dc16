#include "kerf_torch.h"

#include <malloc.h>
#include <torch/script.h>
#include <torch/torch.h>

#include <string>

struct kerf_tensor_ {
    at::Tensor value;
};

namespace {

thread_local std::string last_error;

void remember(const char *text) {
    last_error = text;
    last_error = last_error.substr(0, last_error.find('\n'));
}

template <typename Body>
auto guarded(decltype(std::declval<Body>()()) failed, Body body) -> decltype(body()) {
    try {
        return body();
    } catch (const c10::Error &error) {
        remember(error.what_without_backtrace());
    } catch (const std::bad_alloc &) {
        remember("out of memory");
    } catch (const std::exception &error) {
        remember(error.what());
    } catch (...) {
        remember("an exception of unknown kind");
    }
    return failed;
}

kerf_tensor hand_out(at::Tensor value) { return new kerf_tensor_{std::move(value)}; }

at::MemoryFormat channels_last(const at::Tensor &t) {
    return t.dim() == 4 ? at::MemoryFormat::ChannelsLast : t.dim() == 5 ? at::MemoryFormat::ChannelsLast3d : at::MemoryFormat::Contiguous;
}

at::Tensor softmax(const at::Tensor &x) { return at::softmax(x, 1); }

at::Tensor conv(const std::vector<at::Tensor> &in, int64_t stride, int64_t padding) {
    const auto bias = in.size() > 2 ? c10::optional<at::Tensor>(in[2]) : c10::nullopt;
    const std::vector<int64_t> s(in[0].dim() - 2, stride), p(in[0].dim() - 2, padding), one(in[0].dim() - 2, 1);
    if (in[0].dim() == 4) return at::conv2d(in[0], in[1], bias, s, p);
    // conv3d leaves small volumes to its slow kernel, which is 4 times slower
    const auto direct = !at::GradMode::is_enabled() && in[0].device().is_cpu() && in[0].scalar_type() == at::kFloat && at::hasMKLDNN() && at::globalContext().userEnabledMkldnn();
    return direct ? at::mkldnn_convolution(in[0], in[1], bias, p, s, one, 1) : at::conv3d(in[0], in[1], bias, s, p);
}

// doubled, convolved and joined behind another input's channels. The 2^d neighbours that a doubled voxel has are four or eight small kernels on the
// coarse grid, computed as channels of one convolution: parity p of result 2i + p lies at i + p of channel group p
at::Tensor grow(const std::vector<at::Tensor> &in, bool joins, bool rectifies) {
    const auto &coarse = in[joins ? 1 : 0];
    const auto fine = conv({coarse, in[joins ? 2 : 1], in[joins ? 3 : 2]}, 1, 1);
    const auto axes = coarse.dim() - 2, channels = fine.size(1) >> axes, before = joins ? in[0].size(1) : 0;
    std::vector<int64_t> size{coarse.size(0), before + channels};
    for (int64_t a = 2; a < coarse.dim(); a++) size.push_back(coarse.size(a) * 2);
    const auto last = coarse.is_contiguous(channels_last(coarse)) && !coarse.is_contiguous();
    const auto out = at::empty(size, coarse.options(), last ? channels_last(coarse) : at::MemoryFormat::Contiguous);
    if (joins) out.narrow(1, 0, before).copy_(in[0]);
    for (int64_t parity = 0; parity < 1 << axes; parity++) {
        auto from = fine.narrow(1, parity * channels, channels), to = out.narrow(1, before, channels);
        for (int64_t a = 0; a < axes; a++) {
            const auto bit = parity >> (axes - 1 - a) & 1;
            from = from.narrow(a + 2, bit, coarse.size(a + 2));
            to = to.slice(a + 2, bit, c10::nullopt, 2);
        }
        if (rectifies) at::clamp_min_out(to, from, 0);
        else to.copy_(from);
    }
    return out;
}

at::Tensor upsample(const at::Tensor &x) {
    const auto size = x.sizes();
    return x.dim() == 4 ? at::upsample_nearest2d(x, {size[2] * 2, size[3] * 2}) : at::upsample_nearest3d(x, {size[2] * 2, size[3] * 2, size[4] * 2});
}

at::Tensor blend(const std::vector<at::Tensor> &in) {
    const auto weights = at::softmax(in[0], 0);
    auto sum = in[1] * weights[0];
    for (size_t k = 2; k < in.size(); k++) sum = sum + in[k] * weights[static_cast<int64_t>(k) - 1];
    return sum;
}

at::ScalarType scalar(int64_t type) { return type == KERF_LONG ? at::kLong : type == KERF_BFLOAT ? at::kBFloat16 : at::kFloat; }

at::Tensor apply(int32_t op, const std::vector<at::Tensor> &in, const int64_t *ints, int32_t int_count, const double *reals, int32_t mode) {
    switch (op) {
    case KERF_CONV: {
        auto y = conv(in, ints[0], ints[1]);
        return int_count > 2 && ints[2] ? y.relu_() : y;
    }
    case KERF_BATCH_NORM: return at::batch_norm(in[0], in[1], in[2], in[3], in[4], (mode & KERF_TRAIN) != 0, reals[0], reals[1], true);
    case KERF_RELU: {
        if (!(mode & KERF_IN_PLACE)) return at::relu(in[0]);
        auto x = in[0];
        return x.relu_();
    }
    case KERF_PRELU: return at::prelu(in[0], in[1]);
    case KERF_MAX_POOL: {
        if (in[0].dim() == 4) return at::max_pool2d(in[0], {2, 2});
        // volumes of bfloat16 are not pooled by libtorch on processors; a maximum is exact in any width
        return at::max_pool3d(in[0].is_cpu() ? in[0].to(at::kFloat) : in[0], {2, 2, 2}).to(in[0].scalar_type());
    }
    case KERF_UPSAMPLE: return upsample(in[0]);
    case KERF_CONCAT: return at::cat(in, 1);
    case KERF_ADD: {
        if (!(mode & KERF_IN_PLACE)) return in[0] + in[1];
        auto x = in[0];
        return x.add_(in[1]);
    }
    case KERF_SOFTMAX: return softmax(in[0]);
    case KERF_NARROW: return in[0].narrow(1, ints[0], ints[1]);
    case KERF_TWO_CLASS: return at::cat({at::zeros_like(in[0]), in[0]}, 1);
    case KERF_BLEND: return blend(in);
    case KERF_LOG: return at::log(at::clamp_min(in[0], 1e-7));
    case KERF_FLIP: return at::flip(in[0], at::IntArrayRef(ints, int_count));
    case KERF_CAST: return in[0].to(scalar(ints[0]));
    case KERF_GROW: return grow(in, ints[0] != 0, ints[1] != 0);
    default: TORCH_CHECK(false, "operation ", op, " is not known"); return {};
    }
}

at::Tensor dice(const at::Tensor &p, const at::Tensor &truth, const at::Tensor &known, bool squared) {
    std::vector<int64_t> axes;
    for (int64_t a = 0; a < p.dim(); a++)
        if (a != 1) axes.push_back(a);
    const auto q = p * known;
    const auto both = (q * truth).sum(axes);
    // truth is 0 or 1, so its square is itself
    const auto all = (squared ? (q * q).sum(axes) : q.sum(axes)) + truth.sum(axes);
    return 1 - ((2 * both + 1e-6) / (all + 1e-6)).mean();
}

at::Tensor loss(int32_t kind, const at::Tensor &logits, const at::Tensor &target) {
    const auto labelled = target.ge(0);
    if (kind == KERF_CROSS_ENTROPY) {
        const auto logs = at::log_softmax(logits, 1);
        const auto picked = logs.gather(1, target.clamp_min(0).unsqueeze(1)).squeeze(1);
        return -(picked * labelled).sum() / labelled.sum().clamp_min(1);
    }
    const auto known = labelled.unsqueeze(1).to(logits.scalar_type());
    const auto truth = at::zeros_like(logits).scatter_(1, target.clamp_min(0).unsqueeze(1), 1.0) * known;
    const auto p = softmax(logits);
    if (kind == KERF_DICE || kind == KERF_SQUARED_DICE) return dice(p, truth, known, kind == KERF_SQUARED_DICE);
    const auto count = (known.sum() * logits.size(1)).clamp_min(1);
    if (kind == KERF_MSE) return ((p - truth).square() * known).sum() / count;
    TORCH_CHECK(kind == KERF_BCE, "loss ", kind, " is not known");
    // libtorch's own: its gradient stays a number where p is 0 or 1
    return at::binary_cross_entropy(p, truth, known.expand_as(p), at::Reduction::Sum) / count;
}

std::vector<at::Tensor> gather(const kerf_tensor *inputs, int32_t count) {
    std::vector<at::Tensor> in;
    in.reserve(count);
    for (int32_t i = 0; i < count; i++) in.push_back(inputs[i]->value);
    return in;
}

} // namespace

const char *kerf_error() { return last_error.c_str(); }

int32_t kerf_start(int32_t threads) {
    return guarded(-1, [&] {
        // blocks of activations are taken anew in every step: keep them mapped instead of giving their pages back, whatever their size
        mallopt(M_MMAP_MAX, 0);
        mallopt(M_TRIM_THRESHOLD, 1 << 30);
        at::set_num_threads(threads);
        return 0;
    });
}

int32_t kerf_cuda_devices() {
    return guarded(-1, [] { return torch::cuda::is_available() ? static_cast<int32_t>(torch::cuda::device_count()) : 0; });
}

kerf_tensor kerf_make(const void *data, int32_t type, const int64_t *shape, int32_t axes, int32_t flags, int32_t device) {
    return guarded(static_cast<kerf_tensor>(nullptr), [&] {
        const auto where = device < 0 ? at::Device(at::kCPU) : at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(device));
        auto t = at::from_blob(const_cast<void *>(data), at::IntArrayRef(shape, axes), at::TensorOptions(type == KERF_LONG ? at::kLong : at::kFloat));
        t = t.to(where, scalar(type), false, true, flags & KERF_CHANNELS_LAST ? channels_last(t) : at::MemoryFormat::Contiguous);
        if (flags & KERF_LEARNS) t.set_requires_grad(true);
        return hand_out(std::move(t));
    });
}

void kerf_free(kerf_tensor tensor) { delete tensor; }

int32_t kerf_shape(kerf_tensor tensor, int64_t *shape, int32_t capacity) {
    const auto sizes = tensor->value.sizes();
    for (int32_t i = 0; i < capacity && i < static_cast<int32_t>(sizes.size()); i++) shape[i] = sizes[i];
    return static_cast<int32_t>(sizes.size());
}

int32_t kerf_read(kerf_tensor tensor, float *values, int64_t count) {
    return guarded(-1, [&] {
        TORCH_CHECK(tensor->value.numel() == count, "a tensor of ", tensor->value.numel(), " values was read as ", count);
        const at::NoGradGuard quiet;
        at::from_blob(values, tensor->value.sizes(), at::TensorOptions(at::kFloat)).copy_(tensor->value);
        return 0;
    });
}

int32_t kerf_write(kerf_tensor tensor, const float *values, int64_t count) {
    return guarded(-1, [&] {
        TORCH_CHECK(tensor->value.numel() == count, "a tensor of ", tensor->value.numel(), " values was given ", count);
        const at::NoGradGuard quiet;
        tensor->value.copy_(at::from_blob(const_cast<float *>(values), tensor->value.sizes(), at::TensorOptions(at::kFloat)));
        return 0;
    });
}

kerf_tensor kerf_apply(int32_t op, const kerf_tensor *inputs, int32_t count, const int64_t *ints, int32_t int_count, const double *reals, int32_t mode) {
    return guarded(static_cast<kerf_tensor>(nullptr), [&] {
        const at::AutoGradMode record((mode & KERF_RECORD) != 0);
        return hand_out(apply(op, gather(inputs, count), ints, int_count, reals, mode));
    });
}

kerf_tensor kerf_loss(int32_t kind, kerf_tensor logits, kerf_tensor target, int32_t mode) {
    return guarded(static_cast<kerf_tensor>(nullptr), [&] {
        const at::AutoGradMode record((mode & KERF_RECORD) != 0);
        return hand_out(loss(kind, logits->value, target->value));
    });
}

int32_t kerf_backward(kerf_tensor loss) {
    return guarded(-1, [&] {
        loss->value.backward();
        return 0;
    });
}

kerf_tensor kerf_gradient(kerf_tensor tensor) {
    return guarded(static_cast<kerf_tensor>(nullptr), [&] {
        const auto &gradient = tensor->value.grad();
        return hand_out(gradient.defined() ? gradient : at::zeros_like(tensor->value));
    });
}

// Adam as in its paper (Kingma and Ba 2015), the denominators formed as torch.optim.Adam does; gradients are dropped afterwards
int32_t kerf_adam(const kerf_tensor *weights, const kerf_tensor *first, const kerf_tensor *second, int32_t count, int64_t step, double rate, double beta1, double beta2, double epsilon) {
    return guarded(-1, [&] {
        const at::NoGradGuard quiet;
        const auto correction1 = 1 - std::pow(beta1, static_cast<double>(step)), correction2 = 1 - std::pow(beta2, static_cast<double>(step));
        for (int32_t i = 0; i < count; i++) {
            auto &w = weights[i]->value;
            if (!w.grad().defined()) continue;
            const auto g = w.grad();
            auto &m = first[i]->value, &v = second[i]->value;
            m.mul_(beta1).add_(g, 1 - beta1);
            v.mul_(beta2).addcmul_(g, g, 1 - beta2);
            w.addcdiv_(m, (v.sqrt() / std::sqrt(correction2)).add_(epsilon), -rate / correction1);
            w.mutable_grad().reset();
        }
        return 0;
    });
}

int32_t kerf_export(const char *const *names, const kerf_tensor *tensors, int32_t count, const char *source, const char *path) {
    return guarded(-1, [&] {
        torch::jit::Module module("KerfNetwork");
        for (int32_t i = 0; i < count; i++) module.register_buffer(names[i], tensors[i]->value.detach().contiguous().cpu());
        module.define(source);
        module.save(path);
        return 0;
    });
}
