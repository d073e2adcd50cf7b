#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tensors/tensor.h"
#include "tensors/weights/block_plan.h"
#include "tensors/weights/weights.h"

namespace t2v {

/// The numbered blocks of a model: resident blocks, and blocks that are built for each use.
template <typename Block>
class BlockSource {
 public:
  using Build = std::function<Block(const Weights& weights, int64_t index)>;

  /// `weights`: the scope of the blocks "0", "1", ... `build` is called for every use of a block that does
  /// not stay, from another thread if blocks are built ahead. Throws the errors of `build` for every block.
  BlockSource(const Weights& weights, int64_t count, Build build, BlockResidency residency)
      : weights_(residency.waiting == BlockResidency::Waiting::kHost ? weights.kept_on_host() : weights),
        count_(count),
        build_(std::move(build)),
        ahead_(residency.ahead),
        before_each_(std::move(residency.before_each)),
        copies_(weights.placement().device) {
    for (int64_t i = 0; i < count; ++i) {
      const Weights block = weights[std::to_string(i)];
      if (i < residency.resident) {
        resident_.push_back(build_(block, i));
      } else {
        build_(block.without_values(), i);
      }
    }
  }

  int64_t size() const { return count_; }

  /// One walk over the blocks, in their order.
  class Pass {
   public:
    explicit Pass(const BlockSource& source)
        : source_(source), next_to_build_(static_cast<int64_t>(source.resident_.size())) {}

    /// The next block. It lives until the following call.
    const Block& next() {
      if (source_.before_each_) source_.before_each_();
      const int64_t index = next_++;
      if (current_) source_.copies_.wait_for_computation();
      current_.reset();
      for (; next_to_build_ < std::min(index + 1 + source_.ahead_, source_.count_); ++next_to_build_) {
        coming_.push_back(source_.start_building(next_to_build_));
      }
      if (index < static_cast<int64_t>(source_.resident_.size())) return source_.resident_[index];
      current_ = coming_.front().get();
      coming_.pop_front();
      return *current_;
    }

   private:
    const BlockSource& source_;
    int64_t next_ = 0;
    int64_t next_to_build_;
    std::deque<std::future<std::unique_ptr<const Block>>> coming_;
    std::unique_ptr<const Block> current_;
  };

 private:
  std::future<std::unique_ptr<const Block>> start_building(int64_t index) const {
    return std::async(ahead_ > 0 ? std::launch::async : std::launch::deferred, [this, index] {
      const c10::InferenceMode inference_mode;  // the mode is thread-local
      std::unique_ptr<const Block> block;
      copies_.run(
          [&] { block = std::make_unique<const Block>(build_(weights_[std::to_string(index)], index)); });
      return block;
    });
  }

  Weights weights_;
  int64_t count_;
  Build build_;
  int64_t ahead_;
  std::function<void()> before_each_;
  CopyStream copies_;
  std::vector<Block> resident_;
};

}  // namespace t2v
