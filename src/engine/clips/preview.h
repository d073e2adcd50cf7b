#pragma once

#include <functional>

#include "media/images/frames.h"
#include "t2v/generate.h"

namespace t2v {

/// What a user sees of a clip while it is sampled: the file that the request names, replaced by each preview
/// and kept with the clip, and the pictures that the caller asked for. A preview that fails, whyever, is told
/// once, and no more are made: the clip goes on.
class Preview {
 public:
  /// Both have to outlive it.
  Preview(const CheckedRequest& request, const RunControl& control);
  /// Removes the file again, unless keep() was called.
  ~Preview();
  Preview(const Preview&) = delete;
  Preview& operator=(const Preview&) = delete;

  /// RenderJob::on_preview: shows what `make` returns, frames that stand for the whole clip, however many
  /// they are. Not after the last step: the clip comes. Empty if nobody wants to see one.
  std::function<void(int64_t done, int64_t total, const std::function<Frames()>& make)> callback();

  /// The clip is there.
  void keep() { begun_ = false; }

 private:
  void show(const std::function<Frames()>& make);
  void write_file(const Frames& frames);

  const CheckedRequest& request_;
  const RunControl& control_;
  bool wanted_;
  bool begun_ = false;  ///< the file is there, and to be removed
};

}  // namespace t2v
