#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "t2v/run.h"

namespace t2v {

/// Exit code of a command that did its work, when clips of a batch failed or a comparison exceeded the user's
/// limit. Lower codes are values of ErrorCode.
inline constexpr int kExitNotPassed = 8;

/// The style of the messages on standard error.
struct ProgressOptions {
  std::string style = "plain";  ///< "bar", "plain", "json", "none"
  bool quiet = false;           ///< only errors; "json" shows everything all the same
  bool color = false;
};

/// The clip of a batch that is being rendered.
struct ClipOfBatch {
  int64_t number = 0, count = 0;  ///< counted from 1
  std::string output;
  std::optional<double> left;  ///< seconds for this clip and all that follow
};

/// How many clips of a batch ended in which way.
struct BatchCounts {
  int64_t all = 0, written = 0, there = 0, failed = 0;
};

/// Writes everything that the command shows on standard error, in the chosen style. `t2v --help` documents
/// the lines of "json".
class Progress {
 public:
  explicit Progress(const ProgressOptions& options) : options_(options) {}

  /// Shows an event of a run.
  void on_event(const Event& event);
  /// The events that follow belong to this clip of a batch, or to none.
  void set_clip(const std::optional<ClipOfBatch>& clip);
  /// Sets the counts that summarize() shows for a batch.
  void set_counts(const BatchCounts& counts);
  // Messages show flags in place of settings: see in_flags().

  /// Writes a line of the log.
  void log(const std::string& message);
  /// Writes a line of the log unless the run is quiet.
  void note(const std::string& message);
  /// Writes why the command failed; `message` is without "t2v: error: ".
  void fail(int code, const std::string& message);
  /// Writes that the run was stopped by a signal; an error for readers of "json".
  void stop(int code, const std::string& message);
  /// Writes the last line of a run; nothing if no run began.
  void summarize(bool ok);

  /// Makes the message that is written when the user asks to stop. It may be called on any thread, also when
  /// this object is gone.
  std::function<std::string()> stop_notice() const;
  /// Seconds since the start.
  double seconds() const;

 private:
  struct Phase {
    double began = 0;
    double first_done = 0;  ///< when the first piece was done; the time left is estimated from here
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

/// For work that takes long: shows its events on `progress`, and stops it at the first signal to stop.
RunControl make_run_control(Progress& progress);

}  // namespace t2v
