#pragma once

#include "core/config.h"
#include "networks/layers/linear.h"
#include "networks/layers/norm.h"
#include "tensors/kernels/attention.h"
#include "tensors/kernels/conv2d.h"
#include "tensors/weights/weights.h"

namespace t2v::testing {

/// A 3x3 convolution of each frame.
class SketchConv {
 public:
  SketchConv(const Weights& weights, int64_t in, int64_t out)
      : weight_(weights.tensor("weight", {out, in, 3, 3})), bias_(weights.tensor("bias", {out})) {}

  /// frames: [n, in, h, w] -> [n, out, h, w]
  Tensor operator()(const Tensor& frames) const { return conv2d(frames, weight_, bias_, 1, 1); }

 private:
  Tensor weight_, bias_;
};

/// Convolutions around one attention to the prompt.
class SketchUNet {
 public:
  SketchUNet(const Weights& weights, const Config& config)
      : SketchUNet(weights, config.integer("channels", 0), config.integer("width", 0),
                   config.integer("text_width", 0)) {}
  SketchUNet(const Weights& weights, int64_t channels, int64_t width, int64_t text_width)
      : conv_in_(weights["conv_in"], channels, width),
        time_(weights["time"], 1, width),
        query_(weights["attention"]["query"], width, width),
        key_(weights["attention"]["key"], text_width, width),
        value_(weights["attention"]["value"], text_width, width),
        conv_out_(weights["conv_out"], width, channels) {}

  /// latents: [1, channels, frames, h, w]; timestep: [1]; text: [1, rows, text_width] -> like latents
  Tensor forward(const Tensor& latents, const Tensor& timestep, const Tensor& text) const {
    const Tensor hidden_states = conv_in_(latents[0].transpose(0, 1).contiguous());
    const Tensor temb = time_(timestep.to(at::kFloat).view({1, 1}) / 1000);
    const Tensor tokens = hidden_states.permute({0, 2, 3, 1}) + temb;  // [frames, h, w, width]
    const Tensor attended = attention(query_(tokens).reshape({1, -1, 1, temb.size(1)}),
                                      key_(text).unsqueeze(2), value_(text).unsqueeze(2));
    const Tensor sum = (tokens + attended.reshape(tokens.sizes())).tanh().permute({0, 3, 1, 2});
    return conv_out_(sum.contiguous()).transpose(0, 1).unsqueeze(0);
  }

 private:
  SketchConv conv_in_;
  Linear time_, query_, key_, value_;
  SketchConv conv_out_;
};

/// Turns each latent into two frames of 4x4 pixels.
class SketchVqVae {
 public:
  SketchVqVae(const Weights& weights, const Config& config)
      : unpatch_(weights["unpatch"], config.integer("channels", 0), 3 * 2 * 4 * 4) {}

  /// latents: [1, channels, 1, h, w] -> pixels [1, 3, 2, 4 h, 4 w]
  Tensor decode(const Tensor& latents) const {
    const int64_t h = latents.size(3), w = latents.size(4);
    const Tensor patches = unpatch_(latents[0].permute({1, 2, 3, 0})).tanh().view({h, w, 3, 2, 4, 4});
    return patches.permute({2, 3, 0, 4, 1, 5}).reshape({1, 3, 2, 4 * h, 4 * w});
  }

 private:
  Linear unpatch_;
};

/// A vector for each word.
class SketchTextEncoder {
 public:
  SketchTextEncoder(const Weights& weights, const Config& config)
      : words_(weights.tensor("words.weight", {config.integer("words", 0), config.integer("width", 0)})),
        norm_(weights["norm"], config.integer("width", 0), 1e-6) {}

  /// input_ids: [rows] -> [1, rows, width]
  Tensor forward(const Tensor& input_ids) const {
    return norm_(words_.index_select(0, input_ids)).unsqueeze(0);
  }

 private:
  Tensor words_;
  RMSNorm norm_;
};

}  // namespace t2v::testing
