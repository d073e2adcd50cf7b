#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "t2v/generate.h"

namespace t2v {

/// How to talk on standard error.
struct ProgressOptions {
  std::string style = "plain";  ///< "bar", "plain", "json", "none"
  bool quiet = false;           ///< only errors; "json" is not affected
  bool color = false;
};

/// One of many clips.
struct ClipOfBatch {
  int64_t number = 0, count = 0;  ///< counted from 1
  std::string output;
  std::optional<double> left;  ///< seconds for this one and all that follow
};

/// What became of the clips of a batch.
struct BatchCounts {
  int64_t all = 0, written = 0, there = 0, failed = 0;
};

/// Everything that the command says on standard error, in the style asked for. `--help` documents the lines
/// of "json".
class Progress {
 public:
  explicit Progress(const ProgressOptions& options) : options_(options) {}

  void on_event(const Event& event);
  /// The events to come are of this clip; of none.
  void begin_clip(const ClipOfBatch& clip);
  void end_clip();
  /// What summarize() tells about a batch.
  void set_counts(const BatchCounts& counts);
  /// A line of the log.
  void log(const std::string& line);
  /// The same for what a quiet run does not say.
  void note(const std::string& line);
  /// Why the run ends without a clip; `message` is without "t2v: error: ".
  void fail(int code, const std::string& message);
  /// That the run was asked to stop, and what is left of it; an error as well for who reads "json".
  void stop(int code, const std::string& message);
  /// The last line of a run that started; nothing if it did not.
  void summarize(bool ok);

  /// What to write when the user asks to stop; may be called on any thread, and after this is gone.
  std::function<std::string()> stop_notice() const;
  /// Seconds since the start.
  double seconds() const;

 private:
  struct Phase {
    double began = 0;
    double first_done = 0;  ///< when the first piece was done: the estimate of the time left begins there
    double spent = 0;
  };

  std::optional<double> account(const Event& event, double now);
  std::string prefix() const;
  std::optional<double> seconds_of_all() const;
  void show_start(const Event& event);
  void show_done(const Event& event);
  void show_phase(const Event& event, std::optional<double> left, double now);
  void draw_bar(const Event& event, const std::string& count);
  void write_json(const std::string& event, const nlohmann::ordered_json& fields);
  void write_line(const std::string& line);

  ProgressOptions options_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::mutex mutex_;
  std::map<Event::Kind, Phase> phases_;
  Event::Kind current_ = Event::Kind::kStart;
  double last_event_ = 0;
  double last_shown_ = 0;
  bool bar_drawn_ = false;
  std::string started_;   ///< "64x64, 17 frames at 8 fps, seed 42"
  std::string finished_;  ///< the path of the clip
  std::optional<ClipOfBatch> clip_;
  double clip_began_ = 0;
  std::optional<BatchCounts> counts_;
};

}  // namespace t2v
