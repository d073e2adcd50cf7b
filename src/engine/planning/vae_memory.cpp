#include "engine/planning/vae_memory.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace t2v {
namespace {

constexpr int64_t kBytes = 4;
/// As WanDecoder3d's.
constexpr int64_t kLargeFrame = 1 << 20;
/// From here on the engine has glibc map each tensor and give it back when it is freed.
constexpr uint64_t kMapped = 16 << 20;
/// Measured with the bundled model from 48x48 to 640x384: growth of the resident set by growth of the bytes
/// that are allocated.
constexpr double kHeapOverhead = 1.7, kLeastHeapOverhead = 1.5;
/// Of 8-bit frames: what pixels go through on their way, each as large as they.
constexpr int64_t kPixelSteps = 5;

/// How many bytes are alive, and how many were at most.
struct Ledger {
  const AllocationCost& cost;
  double live = 0, peak = 0;
};

struct Shape {
  int64_t frames, channels, height, width;
  int64_t frame_bytes() const { return kBytes * channels * height * width; }
};

/// A tensor [frames, channels, height, width] without values, which counts as long as somebody holds it or a
/// part of it. What follows does with it what the decoder does with tensors.
class Shadow {
 public:
  Shadow(Ledger& ledger, const Shape& shape, double overhead) : shape_(shape), ledger_(&ledger) {
    const double plain = static_cast<double>(shape.frames) * static_cast<double>(shape.frame_bytes());
    const double bytes = plain * overhead;
    ledger.live += bytes;
    ledger.peak = std::max(ledger.peak, ledger.live);
    storage_ = std::shared_ptr<void>(nullptr, [&ledger, bytes](void*) { ledger.live -= bytes; });
  }

  Shadow(Ledger& ledger, const Shape& shape) : Shadow(ledger, shape, overhead_of(ledger.cost, shape)) {}

  const Shape& shape() const { return shape_; }
  /// Another one of its size.
  Shadow like(int64_t channels) const {
    return {*ledger_, {shape_.frames, channels, shape_.height, shape_.width}};
  }
  /// One of its frames: a part of the same memory.
  Shadow frame() const {
    Shadow part = *this;
    part.shape_.frames = 1;
    return part;
  }

 private:
  static double overhead_of(const AllocationCost& cost, const Shape& shape) {
    const auto bytes = static_cast<uint64_t>(shape.frames * shape.frame_bytes());
    if (bytes >= cost.small) return 1;
    const double size = static_cast<double>(bytes) / static_cast<double>(cost.small);
    return cost.overhead - size * (cost.overhead - cost.least_overhead);
  }

  Shape shape_;
  Ledger* ledger_;
  std::shared_ptr<void> storage_;
};

/// Walks the decoder as WanDecoder3d does, or the encoder as WanEncoder3d.
class Walk {
 public:
  Walk(const AutoencoderKLWanConfig& vae, const AllocationCost& cost) : vae_(vae), ledger_{cost} {}

  /// Latents of that size, `count` frames of them, of which the third and those after it are alike.
  double decode(int64_t count, int64_t height, int64_t width) {
    const int64_t last = vae_.levels() - 1;
    for (int64_t i = 0; i < std::min<int64_t>(count, 4); ++i) {
      first_ = i == 0;
      const int64_t channels = vae_.decoder_channels(last);
      Shadow x(ledger_, {1, channels, height, width});
      for (const char* name : {"mid0", "mid1"}) x = residual_block(name, std::move(x), channels);
      finish(std::move(x), last);
      show();
    }
    return ledger_.peak;
  }

  /// Frames of that size, patches being one pixel, that become `count` frames of latents.
  double encode(int64_t count, int64_t height, int64_t width) {
    for (int64_t i = 0; i < std::min<int64_t>(count, 3); ++i) {
      first_ = i == 0;
      const Shadow source(ledger_,
                          {first_ ? 1 : vae_.scale_factor_temporal, vae_.in_channels, height, width});
      const Shadow pixels = source.like(vae_.in_channels);
      remember("in", pixels);
      Shadow x = pixels.like(vae_.base_dim);
      for (int64_t level = 0; level < vae_.levels(); ++level) x = down_block(std::move(x), level);
      const int64_t channels = vae_.encoder_channels(vae_.levels() - 1);
      for (const char* name : {"mid0", "mid1"}) x = residual_block(name, std::move(x), channels);
      remember("out", norm(x));
    }
    return ledger_.peak;
  }

 private:
  /// What a causal layer remembers: the last two frames that it saw.
  void remember(const std::string& layer, const Shadow& x) {
    std::vector<Shadow>& past = cache_[layer];
    for (int64_t i = 0; i < std::min<int64_t>(x.shape().frames, 2); ++i) past.push_back(x.frame());
    if (past.size() > 2) past.erase(past.begin(), past.end() - 2);
  }

  Shadow norm(const Shadow& x) {
    std::vector<Shadow> steps;
    for (int64_t i = 0; i < ledger_.cost.norm_tensors; ++i) steps.push_back(x.like(x.shape().channels));
    return steps.front();
  }

  Shadow residual_block(const std::string& name, Shadow x, int64_t out_channels) {
    Shadow normed = norm(x);
    remember(name + "1", normed);
    Shadow hidden_states = normed.like(out_channels);
    if (ledger_.cost.convolution_needs_sum) const Shadow tap = hidden_states.like(out_channels);
    hidden_states = norm(hidden_states);
    remember(name + "2", hidden_states);
    Shadow sum = x.shape().channels == out_channels ? std::move(x) : x.like(out_channels);
    if (ledger_.cost.convolution_needs_sum) const Shadow tap = sum.like(out_channels);
    return sum;
  }

  Shadow upsample(const std::string& name, const Shadow& x, int64_t out_channels, bool temporal) {
    const bool doubled = temporal && !first_;
    const auto [frames, channels, height, width] = x.shape();
    const Shadow output(ledger_, {doubled ? 2 * frames : frames, out_channels, 2 * height, 2 * width});
    std::vector<Shadow> in_time;
    if (doubled) in_time.push_back(x.like(channels));
    const Shadow phases(ledger_, {frames, 4 * out_channels, height + 1, width + 1});
    if (doubled) remember(name, x);
    return output;
  }

  Shadow up_block(Shadow x, int64_t level) {
    const std::string name = "level" + std::to_string(level);
    const int64_t channels = vae_.decoder_channels(level);
    std::vector<Shadow> shortcut;
    if (vae_.is_residual && level > 0) shortcut.push_back(x.like(x.shape().channels));
    for (int64_t i = 0; i <= vae_.num_res_blocks; ++i) {
      x = residual_block(name + "." + std::to_string(i) + ".", std::move(x), channels);
    }
    if (level == 0) return x;
    x = upsample(name, x, vae_.is_residual ? channels : channels / 2, vae_.temporal(level - 1));
    if (vae_.is_residual) const Shadow repeated = x.like(x.shape().channels);
    return x;
  }

  Shadow down_block(Shadow x, int64_t level) {
    const std::string name = "level" + std::to_string(level);
    const int64_t channels = vae_.encoder_channels(level);
    std::vector<Shadow> shortcut;
    if (vae_.is_residual) {
      shortcut.push_back(x);
      x = x.like(x.shape().channels);
    }
    for (int64_t i = 0; i < vae_.num_res_blocks; ++i) {
      x = residual_block(name + "." + std::to_string(i) + ".", std::move(x), channels);
    }
    if (level < vae_.levels() - 1) x = downsample(name, x, vae_.temporal(level));
    if (vae_.is_residual) const Shadow averaged = shortcut[0].like(shortcut[0].shape().channels);
    return x;
  }

  Shadow downsample(const std::string& name, const Shadow& x, bool temporal) {
    const auto [frames, channels, height, width] = x.shape();
    std::vector<Shadow> padded = {{ledger_, {frames, channels, height + 1, width + 1}}};
    const Shadow halved(ledger_, {frames, channels, height / 2, width / 2});
    padded.clear();
    if (!temporal) return halved;
    cache_[name] = {{ledger_, {1, channels, height / 2, width / 2}}};
    if (first_) return halved;
    const Shadow sequence(ledger_, {frames + 1, channels, height / 2, width / 2});
    const Shadow triples(ledger_, {frames / 2, 3 * channels, height / 2, width / 2});
    return {ledger_, {frames / 2, channels, height / 2, width / 2}};
  }

  void finish(Shadow x, int64_t level) {
    if (level < 0) {
      remember("out", norm(x));
      frames_.push_back(x.like(vae_.out_channels));
      return;
    }
    x = up_block(std::move(x), level);
    if (x.shape().frame_bytes() < kLargeFrame || x.shape().frames == 1)
      return finish(std::move(x), level - 1);
    for (int64_t i = 0; i < x.shape().frames; ++i) finish(x.frame(), level - 1);
  }

  /// The frames of a chunk become pixels.
  void show() {
    Shape shape = frames_.front().shape();
    for (size_t i = 1; i < frames_.size(); ++i) shape.frames += frames_[i].shape().frames;
    // One after the other, and of one size: they leave no holes.
    std::vector<Shadow> steps = {{ledger_, shape, 1}};
    frames_.clear();
    for (int64_t i = 0; i < kPixelSteps + 1; ++i) steps.emplace_back(ledger_, shape, 1);
  }

  const AutoencoderKLWanConfig& vae_;
  Ledger ledger_;
  std::map<std::string, std::vector<Shadow>> cache_;
  std::vector<Shadow> frames_;
  bool first_ = true;
};

}  // namespace

AllocationCost host_allocation() {
  return {.small = kMapped,
          .overhead = kHeapOverhead,
          .least_overhead = kLeastHeapOverhead,
          .norm_tensors = 1,
          .convolution_needs_sum = false};
}

AllocationCost gpu_allocation() {
  // WanRMSNorm without its own kernel makes three tensors, then SiLU one; cuDNN adds nothing in place.
  return {.small = 0, .overhead = 1, .least_overhead = 1, .norm_tensors = 3, .convolution_needs_sum = true};
}

double decode_bytes(const AutoencoderKLWanConfig& vae, const ClipShape& clip, const AllocationCost& cost,
                    std::optional<int64_t> tile) {
  const int64_t height = tile ? std::min(*tile, clip.height) : clip.height;
  const int64_t width = tile ? std::min(*tile, clip.width) : clip.width;
  const int64_t count = (clip.num_frames - 1) / vae.scale_factor_temporal + 1;
  return Walk(vae, cost).decode(count, height / vae.scale_factor_spatial, width / vae.scale_factor_spatial);
}

double encode_bytes(const AutoencoderKLWanConfig& vae, const ClipShape& clip, const AllocationCost& cost,
                    std::optional<int64_t> tile) {
  int64_t height = clip.height / vae.patch_size, width = clip.width / vae.patch_size;
  // A tile is measured in patches.
  if (tile && std::max(clip.height, clip.width) > *tile) {
    height = std::min(*tile, height);
    width = std::min(*tile, width);
  }
  const int64_t count = (clip.num_frames - 1) / vae.scale_factor_temporal + 1;
  return Walk(vae, cost).encode(count, height, width);
}

}  // namespace t2v
