#include "networks/autoencoders/autoencoder_kl_wan_cost.h"

#include <algorithm>

namespace t2v {
namespace {

/// From this latent frame on, the caches of causal layers are full: work and memory stay the same.
constexpr int64_t kFirstSteadyFrame = 5;

/// Cost of `count` latent frames. `run` processes the first `count` frames.
Cost cost_of_frames(int64_t count, const Allocation& allocation,
                    const std::function<void(int64_t count)>& run) {
  const auto cost = [&](int64_t frames) { return cost_of(allocation, [&] { run(frames); }); };
  Cost total = cost(std::min(count, kFirstSteadyFrame));
  if (count <= kFirstSteadyFrame) return total;
  const Cost before = cost(kFirstSteadyFrame - 1);
  const auto more = static_cast<double>(count - kFirstSteadyFrame);
  total.flops += more * (total.flops - before.flops);
  total.attention += more * (total.attention - before.attention);
  return total;
}

}  // namespace

Cost decode_cost(const AutoencoderKLWanConfig& config, const ClipShape& clip, const Allocation& allocation,
                 const std::function<void(const Tensor&)>& on_chunk) {
  TensorList list;
  const AutoencoderKLWan vae(Weights::record(list), config);
  const int64_t factor = config.scale_factor_spatial;
  return cost_of_frames(
      (clip.num_frames - 1) / config.scale_factor_temporal + 1, allocation, [&](int64_t count) {
        const std::vector<int64_t> shape{1, config.z_dim, count, clip.height / factor, clip.width / factor};
        vae.decode(at::empty(shape, at::device(at::kMeta)), on_chunk);
      });
}

Cost encode_cost(const AutoencoderKLWanConfig& config, const ClipShape& clip, const Allocation& allocation) {
  TensorList list;
  const AutoencoderKLWan vae(Weights::record(list), config, AutoencoderKLWan::Parts::kEncoderAndDecoder);
  const int64_t factor = config.scale_factor_temporal;
  const int64_t channels = config.in_channels / (config.patch_size * config.patch_size);
  return cost_of_frames((clip.num_frames - 1) / factor + 1, allocation, [&](int64_t count) {
    vae.encode({(count - 1) * factor + 1, clip.height, clip.width, [&](int64_t /*first*/, int64_t frames) {
                  return at::empty({1, channels, frames, clip.height, clip.width}, at::device(at::kMeta));
                }});
  });
}

}  // namespace t2v
