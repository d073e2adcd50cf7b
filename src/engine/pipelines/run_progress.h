#pragma once

#include <string>

#include "t2v/run.h"

namespace t2v {

/// The caller's view of a run: its progress, and the wish to stop it.
class RunProgress {
 public:
  /// `control` has to outlive this.
  explicit RunProgress(const RunControl& control) : control_(control) {}

  /// As in Event.
  void report(Event::Kind kind, int64_t done, int64_t total, const std::string& detail = "") const {
    if (control_.on_event) control_.on_event({.kind = kind, .done = done, .total = total, .detail = detail});
  }

  /// Throws Stopped if the caller wants the run to stop.
  void stop_if_asked() const {
    if (control_.stop != nullptr && *control_.stop) throw Stopped{};
  }

 private:
  const RunControl& control_;
};

}  // namespace t2v
