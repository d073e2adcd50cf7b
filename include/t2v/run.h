#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <string>

namespace t2v {

/// Phases of long work. event_name() gives their names.
struct Event {
  enum class Kind { kStart, kLoad, kEncodeText, kStep, kDecode, kWrite, kDone, kDownload, kVerify, kBench };
  Kind kind;
  int64_t done = 0;    ///< of `total`: steps, latent frames, files, bytes; 0 when the phase begins
  int64_t total = 0;   ///< 0: not counted
  std::string detail;  ///< a component, a path
};
const char* event_name(Event::Kind kind);

/// Consecutive frames of a clip, as they are decoded.
struct DecodedFrames {
  int64_t first = 0;  ///< number of the first one in the clip, counted from 0
  int64_t count = 0;
  int64_t height = 0, width = 0;  ///< pixels
  /// [count, height, width, 3] without gaps: rows from the top, pixels from the left, red, green and blue of
  /// 0 to 255. They are there until the callback returns.
  const uint8_t* rgb = nullptr;
};

/// How a caller follows and stops a run. Each may be empty. Functions are called on the thread that called
/// generate() or another function of t2v.
struct RunControl {
  std::function<void(const Event&)> on_event = {};
  const std::atomic<bool>* stop = nullptr;  ///< set to true: the run throws Stopped at its next step
  /// With Outputs::shows_previews, called after every preview_interval steps. `png` is a picture of the clip
  /// so far: frames side by side.
  std::function<void(const std::string& png)> on_preview = {};
  /// Called by generate() and decode() with every frame of the clip in order, a few at a time, before they
  /// are written; without Outputs::output no file is written. An exception that it throws stops the run: no
  /// clip is published, and the exception leaves generate() as it is.
  std::function<void(const DecodedFrames& frames)> on_frames = {};
};

/// The run was stopped through RunControl::stop. Each function documents the files that a stop leaves.
class Stopped : public std::exception {
 public:
  const char* what() const noexcept override { return "stopped"; }
};

}  // namespace t2v
