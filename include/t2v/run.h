#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

namespace t2v {

/// What happens during work that takes long. event_name() gives their names.
struct Event {
  enum class Kind { kStart, kLoad, kEncodeText, kStep, kDecode, kWrite, kDone, kDownload, kVerify, kBench };
  Kind kind;
  int64_t done = 0;    ///< of `total`: steps, latent frames, files, bytes; 0 when the phase begins
  int64_t total = 0;   ///< 0: not counted
  std::string detail;  ///< a component, a path
};
const char* event_name(Event::Kind kind);

/// How a caller follows and stops a run. Each may be empty.
struct RunControl {
  std::function<void(const Event&)> on_event;  ///< called on the working thread
  const std::atomic<bool>* stop = nullptr;     ///< set to true: the run throws Stopped at its next step
  /// With Outputs::shows_previews, called on the working thread after every preview_interval steps. `png` is
  /// a picture of the clip so far: frames side by side.
  std::function<void(const std::string& png)> on_preview = {};
};

/// The run was stopped through RunControl::stop. The function that was called says what is left of it.
struct Stopped {};

}  // namespace t2v
