#include "progress.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "core/text.h"
#include "format.h"
#include "in_flags.h"
#include "signals.h"
#include "streams.h"

namespace t2v {
namespace {

using Json = nlohmann::ordered_json;
using Kind = Event::Kind;

constexpr int kJsonVersion = 1;
constexpr double kSecondsBetweenLines = 1.0;
constexpr double kSecondsBetweenBars = 0.05;
constexpr int kBarWidth = 24;
constexpr const char* kClearLine = "\r\033[K";

const char* in_words(Kind kind) {
  switch (kind) {
    case Kind::kStart:
      return "starting";
    case Kind::kLoad:
      return "loading";
    case Kind::kEncodeText:
      return "reading the prompt";
    case Kind::kStep:
      return "sampling";
    case Kind::kDecode:
      return "decoding";
    case Kind::kWrite:
      return "writing";
    case Kind::kDone:
      return "done";
    case Kind::kDownload:
      return "downloading";
    case Kind::kVerify:
      return "verifying";
    case Kind::kBench:
      return "timing";
  }
  return "";
}

double rounded(double seconds) { return std::round(seconds * 1000) / 1000; }

bool counts_bytes(Kind kind) { return kind == Kind::kDownload || kind == Kind::kVerify; }

/// "3 of 12", or "1.20 of 28.90 GB, 35.1 MB/s" for bytes that took `seconds`.
std::string describe_count(const Event& event, double seconds) {
  if (!counts_bytes(event.kind)) {
    return event.total > 0 ? std::to_string(event.done) + " of " + std::to_string(event.total) : "";
  }
  const bool large = event.total >= 1'000'000'000;
  const double unit = large ? 1e9 : 1e6;
  char text[96];
  std::snprintf(text, sizeof text, "%.2f of %.2f %s, %.1f MB/s", static_cast<double>(event.done) / unit,
                static_cast<double>(event.total) / unit, large ? "GB" : "MB",
                seconds > 0 ? static_cast<double>(event.done) / seconds / 1e6 : 0);
  return text;
}

/// Size, length, steps and seed of a clip.
std::string describe_settings(const Json& settings) {
  char rate[32];
  std::snprintf(rate, sizeof rate, "%g", settings.value("fps", 0.0));
  return std::to_string(settings.value("width", 0)) + "x" + std::to_string(settings.value("height", 0)) +
         ", " + std::to_string(settings.value("num_frames", 0)) + " frames at " + rate + " fps, " +
         std::to_string(settings.value("num_inference_steps", 0)) + " steps, seed " +
         settings.value("seed", "");
}

double seconds_since(std::chrono::steady_clock::time_point began) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

}  // namespace

double Progress::seconds() const { return seconds_since(began_); }

void Progress::on_event(const Event& event) {
  const std::lock_guard lock(mutex_);
  const double now = seconds();
  const std::optional<double> left = account(event, now);
  if (event.kind == Kind::kStart) {
    show_start(event);
  } else if (event.kind == Kind::kDone) {
    show_done(event);
  } else {
    show_phase(event, left, now);
  }
}

/// Adds the time since the last event to the phase that used it. Returns the seconds left of this phase. Its
/// first piece is not counted for that, because it includes the warm-up.
std::optional<double> Progress::account(const Event& event, double now) {
  phases_[event.done > 0 ? event.kind : current_].spent += now - last_event_;
  current_ = event.kind;
  last_event_ = now;
  Phase& phase = phases_[event.kind];
  if (event.done == 0) phase.began = now;
  if (event.done <= 1) {
    phase.first_done = now;
    return std::nullopt;
  }
  if (event.total < event.done) return std::nullopt;
  const double each = (now - phase.first_done) / static_cast<double>(event.done - 1);
  return each * static_cast<double>(event.total - event.done);
}

void Progress::set_clip(const std::optional<ClipOfBatch>& clip) {
  const std::lock_guard lock(mutex_);
  clip_ = clip;
  clip_began_ = seconds();
}

void Progress::set_counts(const BatchCounts& counts) {
  const std::lock_guard lock(mutex_);
  counts_ = counts;
}

/// Seconds left of the whole batch, if known.
std::optional<double> Progress::seconds_of_all() const {
  if (!clip_ || !clip_->left) return std::nullopt;
  return std::max(0.0, *clip_->left - (seconds() - clip_began_));
}

/// "t2v: ", or "t2v: [3/12] " for a clip of a batch.
std::string Progress::prefix() const {
  if (!clip_) return "t2v: ";
  return "t2v: [" + std::to_string(clip_->number) + '/' + std::to_string(clip_->count) + "] ";
}

void Progress::show_start(const Event& event) {
  const Json settings = Json::parse(event.detail, nullptr, /*allow_exceptions=*/false);
  if (options_.style == "json") {
    write_json("start", {{"settings", settings}});
  } else if (settings.is_object()) {
    started_ = describe_settings(settings);
    const std::optional<double> left = seconds_of_all();
    const std::string of_all = left ? "; " + format_seconds(*left) + " left of all" : "";
    if (!options_.quiet) write_line(prefix() + started_ + of_all);
  }
}

void Progress::show_done(const Event& event) {
  finished_ = event.detail;
  if (options_.style == "json") {
    write_json("done", {{"output", event.detail}});
  } else if (clip_ && !options_.quiet) {
    write_line(prefix() + "wrote " + escape_for_display(finished_) + " in " +
               format_seconds(seconds() - clip_began_));
  }
}

void Progress::show_phase(const Event& event, std::optional<double> left, double now) {
  const bool edge = event.done == 0 || event.done == event.total;
  const double pause = options_.style == "bar" ? kSecondsBetweenBars : kSecondsBetweenLines;
  const std::string count = describe_count(event, now - phases_[event.kind].began);
  const std::string left_text = left && *left > 0 ? ", " + format_seconds(*left) + " left" : "";
  if (options_.style == "json") {
    Json fields = {{"done", event.done}, {"total", event.total}, {"detail", event.detail}, {"left", nullptr}};
    if (left) fields["left"] = rounded(*left);
    write_json(event_name(event.kind), fields);
  } else if (options_.style == "none" || (!edge && now - last_shown_ < pause)) {
    return;
  } else if (options_.style == "bar") {
    draw_bar(event, count + left_text);
  } else {
    std::string line = prefix() + in_words(event.kind);
    if (!event.detail.empty()) line += ' ' + escape_for_display(event.detail);
    if (event.done > 0) line += ' ' + count;
    write_line(line + left_text);
  }
  last_shown_ = now;
}

void Progress::draw_bar(const Event& event, const std::string& count) {
  std::string line = in_words(event.kind);
  line.resize(20, ' ');
  if (clip_) line.insert(0, std::to_string(clip_->number) + '/' + std::to_string(clip_->count) + ' ');
  if (event.total > 0) {
    const double share = static_cast<double>(event.done) / static_cast<double>(event.total);
    const int filled = static_cast<int>(std::lround(std::clamp(share, 0.0, 1.0) * kBarWidth));
    line += '[' + std::string(filled, '#') + std::string(kBarWidth - filled, '.') + "] " + count;
  }
  if (const auto left = seconds_of_all()) line += "; " + format_seconds(*left) + " left of all";
  line.resize(std::min(line.size(), static_cast<size_t>(std::max(terminal_width(STDERR_FILENO) - 1, 0))));
  if (options_.color) line = "\033[32m" + line + "\033[0m";
  write_all(STDERR_FILENO, kClearLine + line);
  bar_drawn_ = true;
}

void Progress::log(const std::string& message) {
  const std::string line = in_flags(message);
  const std::lock_guard lock(mutex_);
  if (options_.style == "json") {
    write_json("log", {{"message", line}});
  } else {
    write_line(line);
  }
}

void Progress::note(const std::string& message) {
  if (!options_.quiet) log(message);
}

void Progress::fail(int code, const std::string& message) {
  const std::lock_guard lock(mutex_);
  if (options_.style == "json") {
    write_json("error", {{"code", code}, {"message", in_flags(message)}});
  } else {
    const std::string error = options_.color ? "\033[1;31merror:\033[0m " : "error: ";
    write_line("t2v: " + error + in_flags(message));
  }
}

void Progress::stop(int code, const std::string& message) {
  if (options_.style == "json") {
    fail(code, message);
  } else {
    log("t2v: " + message);
  }
}

void Progress::summarize(bool ok) {
  const std::lock_guard lock(mutex_);
  if (options_.style == "json") {
    if (phases_.empty() && !counts_) return;
    Json spent = Json::object();
    for (const auto& [kind, phase] : phases_) {
      if (kind != Kind::kDone) spent[event_name(kind)] = rounded(phase.spent);
    }
    Json fields = {{"ok", ok}, {"seconds", spent}};
    if (counts_) {
      fields["clips"] = {{"all", counts_->all},
                         {"written", counts_->written},
                         {"there", counts_->there},
                         {"failed", counts_->failed}};
    }
    write_json("summary", fields);
  } else if (counts_) {
    if (options_.quiet) return;
    const auto counted = [](int64_t count, const char* what) { return std::to_string(count) + what; };
    write_line("t2v: " + count_of_clips(static_cast<size_t>(counts_->all)) + ": " +
               counted(counts_->written, " written, ") + counted(counts_->there, " were there, ") +
               counted(counts_->failed, " failed; ") + format_seconds(seconds()));
  } else if (ok && finished_.empty()) {
    if (bar_drawn_) write_all(STDERR_FILENO, "\n");  // the bar stays on the screen
    bar_drawn_ = false;
  } else if (ok && !options_.quiet) {
    write_line("t2v: wrote " + escape_for_display(finished_) + " in " + format_seconds(seconds()) + ": " +
               started_);
  }
}

std::function<std::string()> Progress::stop_notice() const {
  return [style = options_.style, began = began_] {
    const std::string notice = "stopping at the next step; a second signal quits at once";
    if (style != "json") return (style == "bar" ? "\nt2v: " : "t2v: ") + notice + '\n';
    const Json line = {{"event", "log"},
                       {"version", kJsonVersion},
                       {"elapsed", rounded(seconds_since(began))},
                       {"message", notice}};
    return line.dump() + '\n';
  };
}

void Progress::write_json(const std::string& event, const Json& fields) {
  Json object = {{"event", event}, {"version", kJsonVersion}, {"elapsed", rounded(seconds())}};
  if (clip_) {
    object["clip"] = {
        {"number", clip_->number}, {"count", clip_->count}, {"output", clip_->output}, {"left", nullptr}};
    if (const auto left = seconds_of_all()) object["clip"]["left"] = rounded(*left);
  }
  object.update(fields);
  write_all(STDERR_FILENO, one_line(object) + '\n');
}

void Progress::write_line(const std::string& line) {
  write_all(STDERR_FILENO, (bar_drawn_ ? kClearLine : "") + line + '\n');
  bar_drawn_ = false;
}

RunControl make_run_control(Progress& progress) {
  stop_on_signals(progress.stop_notice());
  return {.on_event = [&progress](const Event& event) { progress.on_event(event); },
          .stop = &stop_requested()};
}

}  // namespace t2v
