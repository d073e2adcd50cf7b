#include "engine/planning/clip_cost.h"

#include <algorithm>

namespace t2v {
namespace {

/// The rows of a prompt that every token of a clip attends to.
constexpr double kPromptRows = 512;
/// Of the VAE: 3x3x3.
constexpr double kCausalKernel = 27;

/// Frames of one size on their way through the decoder.
struct Stage {
  double frames, height, width;
  bool without_zeros = false;  ///< those before the first frame

  /// Frames that a convolution over `kernel` positions has to do with. Of the three that a causal one sees,
  /// two are zeros at the first frame and one at the second.
  double computed_frames(double kernel) const {
    if (kernel != kCausalKernel || !without_zeros) return frames;
    return frames == 1 ? 1.0 / 3 : frames - 1;
  }
};

double convolution(double in_channels, double out_channels, double kernel, const Stage& stage) {
  return 2 * in_channels * out_channels * kernel * stage.computed_frames(kernel) * stage.height * stage.width;
}

/// Two causal 3x3x3 convolutions, and the shortcut where the number of channels changes.
double residual_block(double in_channels, double out_channels, const Stage& stage) {
  const double shortcut = in_channels == out_channels ? 0 : convolution(in_channels, out_channels, 1, stage);
  return convolution(in_channels, out_channels, 27, stage) +
         convolution(out_channels, out_channels, 27, stage) + shortcut;
}

double middle(double channels, const Stage& stage) {
  const double pixels = stage.height * stage.width;
  return 2 * residual_block(channels, channels, stage) + convolution(channels, 4 * channels, 1, stage) +
         4 * pixels * pixels * channels * stage.frames;
}

double decode_flops_of(const AutoencoderKLWanConfig& vae, const ClipShape& clip, bool without_zeros) {
  const auto channels_of = [&](int64_t level) { return static_cast<double>(vae.decoder_channels(level)); };
  const int64_t last = vae.levels() - 1;
  Stage stage{static_cast<double>((clip.num_frames - 1) / vae.scale_factor_temporal + 1),
              static_cast<double>(clip.height / vae.scale_factor_spatial),
              static_cast<double>(clip.width / vae.scale_factor_spatial), without_zeros};
  const auto z_dim = static_cast<double>(vae.z_dim);
  double flops = convolution(z_dim, z_dim, 1, stage) + convolution(z_dim, channels_of(last), 27, stage) +
                 middle(channels_of(last), stage);
  double in_channels = channels_of(last);
  for (int64_t level = last; level >= 0; --level) {
    const double channels = channels_of(level);
    flops += residual_block(in_channels, channels, stage) +
             static_cast<double>(vae.num_res_blocks) * residual_block(channels, channels, stage);
    in_channels = channels;
    if (level == 0) break;
    if (vae.temporal(level - 1)) {  // the first frame stays one
      flops += convolution(channels, 2 * channels, 3, {stage.frames - 1, stage.height, stage.width});
      stage.frames = 2 * stage.frames - 1;
    }
    stage = {stage.frames, 2 * stage.height, 2 * stage.width, without_zeros};
    in_channels = vae.is_residual ? channels : channels / 2;
    flops += convolution(channels, in_channels, 9, stage);
  }
  return flops + convolution(channels_of(0), static_cast<double>(vae.out_channels), 27, stage);
}

}  // namespace

ForwardFlops forward_flops(const WanTransformer3DConfig& transformer, int64_t tokens) {
  const auto n = static_cast<double>(tokens), dim = static_cast<double>(transformer.dim());
  const auto ffn_dim = static_cast<double>(transformer.ffn_dim);
  const auto layers = static_cast<double>(transformer.num_layers);
  // Query, key, value and output of the self-attention, query and output of the other, the feed-forward.
  return {.linear = layers * 2 * n * (4 * dim * dim + 2 * dim * dim + 2 * dim * ffn_dim),
          .attention = layers * 4 * n * dim * (n + kPromptRows)};
}

double text_flops(const UMT5Config& text_encoder, int64_t tokens) {
  const auto n = static_cast<double>(tokens), dim = static_cast<double>(text_encoder.d_model);
  const auto inner = static_cast<double>(text_encoder.inner_dim());
  const double linear = 4 * dim * inner + 3 * dim * static_cast<double>(text_encoder.d_ff);
  return static_cast<double>(text_encoder.num_layers) * (2 * n * linear + 4 * n * n * inner);
}

double decode_flops(const AutoencoderKLWanConfig& vae, const ClipShape& clip) {
  return decode_flops_of(vae, clip, /*without_zeros=*/false);
}

double decode_zero_flops(const AutoencoderKLWanConfig& vae, const ClipShape& clip) {
  return decode_flops(vae, clip) - decode_flops_of(vae, clip, /*without_zeros=*/true);
}

double encode_flops(const AutoencoderKLWanConfig& vae, const ClipShape& clip) {
  const auto channels_of = [&](int64_t level) { return static_cast<double>(vae.encoder_channels(level)); };
  Stage stage{static_cast<double>(clip.num_frames), static_cast<double>(clip.height / vae.patch_size),
              static_cast<double>(clip.width / vae.patch_size)};
  double in_channels = static_cast<double>(vae.base_dim);
  double flops = convolution(static_cast<double>(vae.in_channels), in_channels, 27, stage);
  for (int64_t level = 0; level < vae.levels(); ++level) {
    const double channels = channels_of(level);
    flops += residual_block(in_channels, channels, stage) +
             static_cast<double>(vae.num_res_blocks - 1) * residual_block(channels, channels, stage);
    in_channels = channels;
    if (level == vae.levels() - 1) break;
    stage = {stage.frames, stage.height / 2, stage.width / 2};
    flops += convolution(channels, channels, 9, stage);
    if (vae.temporal(level)) {  // the first frame stays one
      stage.frames = (stage.frames + 1) / 2;
      flops += convolution(channels, channels, 3, {stage.frames - 1, stage.height, stage.width});
    }
  }
  const auto z_dim = static_cast<double>(2 * vae.z_dim);
  return flops + middle(in_channels, stage) + convolution(in_channels, z_dim, 27, stage) +
         convolution(z_dim, z_dim, 1, stage);
}

double image_flops(const CLIPVisionConfig& image_encoder) {
  const auto n = static_cast<double>(image_encoder.num_positions());
  const auto dim = static_cast<double>(image_encoder.hidden_size);
  const auto inner = static_cast<double>(image_encoder.intermediate_size);
  // The last layer is not computed.
  const auto layers = static_cast<double>(image_encoder.num_hidden_layers - 1);
  return layers * (2 * n * (4 * dim * dim + 2 * dim * inner) + 4 * n * n * dim);
}

}  // namespace t2v
