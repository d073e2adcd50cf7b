#pragma once

#include <map>
#include <vector>

#include "tensors/tensor.h"

namespace t2v {

/// The frames that the causal layers remember between the chunks of one clip. It is the only state of a
/// decode or encode: layers are const, and an empty cache starts a new clip.
class FeatureCache {
 public:
  /// The input frames that `layer` saw last, oldest first, each [1, channels, height, width]; empty at the
  /// start.
  std::vector<Tensor>& operator[](const void* layer) { return frames_[layer]; }

  /// True during the first chunk, which is one frame.
  bool first_chunk() const { return first_chunk_; }
  void end_chunk() { first_chunk_ = false; }

 private:
  std::map<const void*, std::vector<Tensor>> frames_;
  bool first_chunk_ = true;
};

}  // namespace t2v
