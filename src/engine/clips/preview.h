#pragma once

#include <functional>

#include "media/images/frames.h"
#include "t2v/generate.h"

namespace t2v {

/// Previews of a clip while it is sampled: the file that the request names, which each preview replaces, and
/// pictures for the caller. A preview that fails gives one warning and ends the previews, not the clip.
class Preview {
 public:
  /// Both have to outlive this.
  Preview(const CheckedRequest& request, const RunControl& control);
  /// Removes the file again, unless keep() was called.
  ~Preview();
  Preview(const Preview&) = delete;
  Preview& operator=(const Preview&) = delete;

  /// For RenderJob::on_preview: shows the frames that `make` returns, which stand for the whole clip, after
  /// every step but the last. Empty if no previews are wanted.
  std::function<void(int64_t done, int64_t total, const std::function<Frames()>& make)> callback();

  /// Keeps the file: the clip is published.
  void keep() { begun_ = false; }

 private:
  void show(const std::function<Frames()>& make);
  void write_file(const Frames& frames);

  const CheckedRequest& request_;
  const RunControl& control_;
  bool wanted_;
  bool begun_ = false;  ///< the file exists and is to be removed
};

}  // namespace t2v
