// The C ABI over libtorch that Kerf.Networks calls: what its networks need and no more. Every function catches whatever is thrown; those that
// return a tensor then return null, the others -1, and kerf_error tells why. Tensors are owned by the caller: kerf_free.
#pragma once
#include <cstdint>

#define KERF extern "C" __attribute__((visibility("default")))

typedef struct kerf_tensor_ *kerf_tensor;

enum kerf_type : int32_t { KERF_FLOAT = 0, KERF_LONG = 1, KERF_BFLOAT = 2 };
// how a tensor is made
enum kerf_flag : int32_t { KERF_LEARNS = 1, KERF_CHANNELS_LAST = 2 };
// how an operation runs
enum kerf_mode : int32_t { KERF_RECORD = 1, KERF_TRAIN = 2, KERF_IN_PLACE = 4 };
enum kerf_op : int32_t {
    KERF_CONV = 0,         // input, weight, [bias]; ints: stride, padding, [1 for max(0, x) of the result]
    KERF_BATCH_NORM = 1,   // input, weight, bias, running mean, running variance; reals: momentum, epsilon
    KERF_RELU = 2,         // input
    KERF_PRELU = 3,        // input, slope
    KERF_MAX_POOL = 4,     // input; halves each spatial axis
    KERF_UPSAMPLE = 5,     // input; doubles each spatial axis, nearest
    KERF_CONCAT = 6,       // inputs, along the channels
    KERF_ADD = 7,          // two inputs
    KERF_SOFTMAX = 8,      // input, along the channels
    KERF_NARROW = 9,       // input; ints: first channel, channels
    KERF_TWO_CLASS = 10,   // one channel z to two: 0, z
    KERF_BLEND = 11,       // weights, then as many inputs: sum of softmax(weights)_k times input_k
    KERF_LOG = 12,         // input, below 1e-7 as 1e-7
    KERF_FLIP = 13,        // input; ints: axes
    KERF_CAST = 14,        // input; ints: kerf_type
    KERF_GROW = 15         // [input that goes before], input, weight, bias: doubles each spatial axis and convolves; ints: 1 if one goes before, 1 for max(0, x)
};
enum kerf_loss_kind : int32_t { KERF_DICE = 0, KERF_SQUARED_DICE = 1, KERF_CROSS_ENTROPY = 2, KERF_BCE = 3, KERF_MSE = 4 };

KERF const char *kerf_error();
KERF int32_t kerf_start(int32_t threads);
KERF int32_t kerf_cuda_devices();
KERF kerf_tensor kerf_make(const void *data, int32_t type, const int64_t *shape, int32_t axes, int32_t flags, int32_t device);
KERF void kerf_free(kerf_tensor tensor);
KERF int32_t kerf_shape(kerf_tensor tensor, int64_t *shape, int32_t capacity);
KERF int32_t kerf_read(kerf_tensor tensor, float *values, int64_t count);
KERF int32_t kerf_write(kerf_tensor tensor, const float *values, int64_t count);
KERF kerf_tensor kerf_apply(int32_t op, const kerf_tensor *inputs, int32_t count, const int64_t *ints, int32_t int_count, const double *reals, int32_t mode);
// logits (N, classes, …), target (N, …) of whole numbers, negative where nothing is labelled
KERF kerf_tensor kerf_loss(int32_t kind, kerf_tensor logits, kerf_tensor target, int32_t mode);
KERF int32_t kerf_backward(kerf_tensor loss);
KERF kerf_tensor kerf_gradient(kerf_tensor tensor);
KERF int32_t kerf_adam(const kerf_tensor *weights, const kerf_tensor *first, const kerf_tensor *second, int32_t count, int64_t step, double rate, double beta1, double beta2, double epsilon);
KERF int32_t kerf_export(const char *const *names, const kerf_tensor *tensors, int32_t count, const char *source, const char *path);
