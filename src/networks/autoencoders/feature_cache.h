#pragma once

#include <map>
#include <vector>

#include "tensors/tensor.h"

namespace t2v {

/// What the causal layers of one running decode or encode remember between chunks. It is all the state there
/// is: layers are const, and a fresh cache starts a new clip.
class FeatureCache {
 public:
  /// The input frames that `layer` saw last, oldest first, each [1, channels, height, width]; empty at the
  /// start.
  std::vector<Tensor>& operator[](const void* layer) { return frames_[layer]; }

  /// True until the first chunk, which is one frame, is through.
  bool first_chunk() const { return first_chunk_; }
  void end_chunk() { first_chunk_ = false; }

 private:
  std::map<const void*, std::vector<Tensor>> frames_;
  bool first_chunk_ = true;
};

}  // namespace t2v
