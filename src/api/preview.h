#pragma once

#include <functional>

#include "core/frames.h"
#include "t2v/generate.h"

namespace t2v {

/// What a user sees of a clip while it is sampled: the file that the request names, replaced by each preview
/// and kept, and the pictures that the caller asked for. A preview that fails, whyever, is told once, and
/// no more are made: the clip goes on.
class Preview {
 public:
  /// Both have to outlive it.
  Preview(const GenerateRequest& request, const RunControl& control);

  /// Whether one is to be made after step `done` of `total`. Not after the last: the clip comes.
  bool is_due(int64_t done, int64_t total) const;
  /// Shows what `make` returns: frames that stand for the whole clip, however many they are.
  void show(const std::function<Frames()>& make);

 private:
  void write_file(const Frames& frames) const;

  const GenerateRequest& request_;
  const RunControl& control_;
  bool wanted_;
};

}  // namespace t2v
