#include "batch_report.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <tuple>
#include <unordered_map>

#include <nlohmann/json.hpp>

#include "batch_names.h"
#include "cli/flags/sheet_and_preview.h"
#include "cli/screen/clip_messages.h"
#include "cli/screen/format.h"
#include "cli/screen/streams.h"
#include "core/text.h"
#include "media/formats/clip_files.h"
#include "t2v/inspect.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// A .jsonl file of a batch with one object for each clip, whose "output" names the clip.
class BatchRecords {
 public:
  /// Reads the file; a missing file is empty. Of two lines about a clip, the last one counts. Other lines are
  /// left out.
  explicit BatchRecords(const std::filesystem::path& file);

  bool has(const std::string& output) const { return lines_.contains(output); }

  /// Adds or replaces the object of a clip. Objects without "output" are ignored.
  void set(const nlohmann::ordered_json& object);
  void erase(const std::string& output);

  /// Whether the file on the disk has other content than text().
  bool changed() const { return changed_; }
  std::string text() const;

 private:
  std::vector<std::string> order_;  ///< clips, by the first line about each
  std::unordered_map<std::string, std::string> lines_;
  bool changed_ = false;
};

bool are_settings(const Json& settings) {
  return settings.is_object() && (!settings.contains("prompt") || settings["prompt"].is_string());
}

/// The clip that an object is about; "" if the object is not a record of a clip.
std::string output_of(const Json& object) {
  const bool named = object.is_object() && object.contains("output") && object["output"].is_string();
  if (!named || (object.contains("settings") && !are_settings(object["settings"]))) return "";
  return object["output"].get<std::string>();
}

Json parsed(const std::string& line) { return Json::parse(line, nullptr, /*allow_exceptions=*/false); }

BatchRecords::BatchRecords(const std::filesystem::path& file) {
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    const std::string output = output_of(parsed(line));
    changed_ = changed_ || output.empty() || has(output);
    if (output.empty()) continue;
    if (!has(output)) order_.push_back(output);
    lines_[output] = line;
  }
  if (stream.is_open() && order_.empty()) changed_ = true;  // an empty file, which a full disk left
}

void BatchRecords::set(const Json& object) {
  const std::string output = output_of(object);
  if (output.empty()) return;
  if (!has(output)) order_.push_back(output);
  lines_[output] = one_line(object);
  changed_ = true;
}

void BatchRecords::erase(const std::string& output) {
  if (lines_.erase(output) == 0) return;
  std::erase(order_, output);
  changed_ = true;
}

std::string BatchRecords::text() const {
  std::string text;
  for (const std::string& output : order_) text += lines_.at(output) + '\n';
  return text;
}

constexpr const char* kResults = "results.jsonl";
constexpr const char* kFailed = "failed.jsonl";
constexpr const char* kGallery = "index.html";
constexpr const char* kPosters = "posters";

/// A line of results.jsonl; `seconds` is null if the process of the clip died before it wrote the line.
Json result_of(const std::string& name, const Json& seconds, const Json& settings) {
  return {{"output", name}, {"seconds", seconds}, {"settings", settings}};
}

/// "9.mp4" comes before "10.mp4".
struct NaturalOrder {
  bool operator()(const std::string& a, const std::string& b) const {
    return ::strverscmp(a.c_str(), b.c_str()) < 0;
  }
};

}  // namespace

BatchReport::BatchReport(const BatchOptions& options, BatchPlan& plan, Progress& progress, bool json,
                         const SharedFolder& folder)
    : options_(options), plan_(plan), progress_(progress), json_(json), folder_(folder) {}

bool BatchReport::wants_sheet(const BatchOptions& options, const BatchOutcome& outcome) {
  const bool all_there = std::all_of(outcome.states.begin(), outcome.states.end(),
                                     [](JobState state) { return state == JobState::kExists; });
  std::error_code ignored;
  const bool stays = all_there && !options.overwrite && fs::exists(options.sheet, ignored);
  return !options.sheet.empty() && !stays;
}

void BatchReport::check_page(const BatchOptions& options) {
  if (options.gallery) expect_gallery_page(options.folder / kGallery);
}

void BatchReport::report_clip(const BatchJob& job, const CheckedRequest& request,
                              const GenerateResult& result, double seconds) const {
  const auto warn = [&](const std::string& trouble) {
    progress_.log("t2v: warning: the clip is written, but " + trouble);
  };
  try {
    folder_.append(kResults, one_line(result_of(job.name, seconds, Json::parse(result.settings))));
  } catch (const Error& error) {
    warn(std::string("not in results.jsonl: ") + error.what());
  }
  if (options_.gallery)
    make_poster(request.outputs.output, first_file(request.outputs.output, request.size.num_frames));
  if (!write_all(STDOUT_FILENO, clip_line(result, json_, seconds))) {
    warn(std::string("standard output is not: ") + std::strerror(errno));
  }
}

void BatchReport::report_failure(const Json& row) const {
  try {
    folder_.append(kFailed, one_line(row));
  } catch (const Error& error) {
    progress_.log(std::string("t2v: warning: ") + error.what());
  }
}

void BatchReport::expect_finished() const {
  if (error_) throw Error(*error_);
}

void BatchReport::finish(const BatchOutcome& outcome, const std::vector<std::string>& failures) {
  const auto attempt = [&](const std::function<void()>& step) {
    try {
      step();
    } catch (const std::exception& error) {
      progress_.log(std::string("t2v: warning: ") + error.what());
    }
  };
  attempt([&] { update_failed(outcome, failures); });
  attempt([&] { update_results(outcome); });
  const bool all_tried =
      std::find(outcome.states.begin(), outcome.states.end(), JobState::kPending) == outcome.states.end();
  const bool whole = all_tried && outcome.failed.empty();
  const auto require = [&](const std::function<void()>& step) {
    attempt([&] {
      try {
        step();
      } catch (const Error& error) {
        if (!whole || error_) throw;
        error_ = error;
      }
    });
  };
  if (options_.gallery) require([&] { write_page(outcome); });
  if (whole && wants_sheet(options_, outcome)) {
    require([&] { make_sheet(); });
  } else {
    note_missing_sheet(outcome);
  }
}

/// Notes why no contact sheet is written. Nothing if the user stopped the batch, which was reported.
void BatchReport::note_missing_sheet(const BatchOutcome& outcome) const {
  if (options_.sheet.empty()) return;
  const std::string sheet = escape_for_display(options_.sheet.string());
  if (!outcome.failed.empty()) {
    progress_.note("t2v: " + sheet + " is not made, because " + count_of_clips(outcome.failed.size()) +
                   " failed");
  } else if (!wants_sheet(options_, outcome)) {
    progress_.note("t2v: " + sheet + " is there already and stays as it is; --overwrite makes it again");
  }
}

/// Removes finished clips from failed.jsonl and adds published failures. Other rows stay: they may be of
/// other prompt files, or of failures that could not be published.
void BatchReport::update_failed(const BatchOutcome& outcome, const std::vector<std::string>& failures) const {
  BatchRecords failed(options_.folder / kFailed);
  for (size_t number = 0; number < outcome.states.size(); ++number) {
    const JobState state = outcome.states[number];
    if (state == JobState::kExists || state == JobState::kWritten)
      failed.erase(NameTemplate::literal(plan_.jobs()[number].name));
  }
  for (const std::string& row : failures) failed.set(Json::parse(row, nullptr, /*allow_exceptions=*/false));
  if (failed.changed()) folder_.replace(kFailed, failed.text());
}

/// Adds clips to results.jsonl whose processes died before they wrote the line.
void BatchReport::update_results(const BatchOutcome& outcome) const {
  BatchRecords results(options_.folder / kResults);
  std::vector<std::string> unknown;
  for (size_t number = 0; number < outcome.states.size(); ++number) {
    const BatchJob& job = plan_.jobs()[number];
    if (outcome.states[number] != JobState::kExists || results.has(job.name)) continue;
    try {
      const Inspection inspection = inspect(settings_file(plan_.request(job).outputs.output));
      results.set(result_of(job.name, nullptr, Json::parse(inspection.settings)));
    } catch (const Error&) {
      unknown.push_back(job.name);
    }
  }
  if (!unknown.empty()) {
    progress_.log("t2v: warning: not in results.jsonl: " + count_of_clips(unknown.size()) +
                  " without settings, such as " + escape_for_display(unknown[0]));
  }
  if (results.changed()) folder_.replace(kResults, results.text());
}

/// Writes the picture of a clip for the page, unless it exists and is newer than the clip. Returns its path
/// below the folder; "" if it could not be written. `first` is the clip's first file.
std::string BatchReport::make_poster(const fs::path& output, const fs::path& first) const {
  const std::string name = std::string(kPosters) + '/' + output.filename().string() + ".png";
  const fs::path poster = options_.folder / name;
  std::error_code error;
  const auto changed = fs::last_write_time(poster, error);
  if (!error && changed >= fs::last_write_time(first, error) && !error) return name;
  try {
    fs::create_directory(options_.folder / kPosters, error);
    write_poster(output, poster);
    return name;
  } catch (const Error& failure) {
    progress_.log(std::string("t2v: warning: no picture for the page: ") + failure.what());
    return "";
  }
}

/// Writes the page: every clip in the folder, and the clips of this batch that are missing.
void BatchReport::write_page(const BatchOutcome& outcome) const {
  std::map<std::string, GalleryClip, NaturalOrder> clips;
  std::error_code error;
  for (fs::directory_iterator entry(options_.folder, error), end; entry != end; entry.increment(error)) {
    if (std::optional<GalleryClip> clip = gallery_clip(entry->path())) clips[clip->file] = *clip;
  }
  for (size_t number = 0; number < outcome.states.size(); ++number) {
    const auto failure = outcome.failed.find(number);
    const GalleryClip clip =
        gallery_clip(plan_.jobs()[number], failure == outcome.failed.end() ? "" : failure->second);
    clips.try_emplace(clip.file, clip).first->second.failure = clip.failure;
  }
  std::vector<GalleryClip> in_order;
  for (auto& [name, clip] : clips) in_order.push_back(std::move(clip));
  check_page(options_);
  const std::string title = fs::absolute(options_.folder / "").parent_path().filename().string();
  folder_.replace(kGallery, gallery_page(title, in_order));
}

/// A clip of this batch that has no recorded settings, or is missing.
GalleryClip BatchReport::gallery_clip(const BatchJob& job, const std::string& failure) const {
  GalleryClip clip{.file = job.name, .failure = failure};
  try {
    const CheckedRequest request = plan_.request(job);
    const fs::path first = first_file(request.outputs.output, request.size.num_frames);
    std::error_code ignored;
    clip.file = first.filename().string();
    clip.prompt = request.prompt;
    clip.there = failure.empty() && fs::exists(first, ignored);
    if (clip.there) clip.poster = make_poster(request.outputs.output, first);
    if (!clip.there) clip.settings = settings_of(request);
  } catch (const Error&) {
    // An input of the clip is gone; the page shows the failure.
  }
  return clip;
}

/// The clip in a file of the folder, which may be the settings beside pictures; nothing for another file.
std::optional<GalleryClip> BatchReport::gallery_clip(const fs::path& file) const {
  try {
    std::error_code ignored;
    if (!fs::is_regular_file(file, ignored) || file.filename().string().starts_with('.')) return std::nullopt;
    const Inspection inspection = inspect(file);
    if (inspection.kind != Inspection::Kind::kClip) return std::nullopt;
    const Json settings = Json::parse(inspection.settings);
    fs::path output = file;
    if (file.extension() == ".json") output.replace_extension(".png");
    const fs::path first = first_file(output, settings.at("num_frames").get<int64_t>());
    if (!fs::exists(first, ignored)) return std::nullopt;
    return GalleryClip{.file = first.filename().string(),
                       .poster = make_poster(output, first),
                       .prompt = settings.at("prompt").get<std::string>(),
                       .settings = inspection.settings,
                       .there = true};
  } catch (const Error&) {
    return std::nullopt;
  } catch (const Json::exception&) {
    return std::nullopt;  // settings of another program
  }
}

void BatchReport::make_sheet() const {
  std::vector<const BatchJob*> jobs;
  for (const BatchJob& job : plan_.jobs()) jobs.push_back(&job);
  std::sort(jobs.begin(), jobs.end(), [](const BatchJob* a, const BatchJob* b) {
    return std::tie(a->row, a->sample) < std::tie(b->row, b->sample);
  });
  std::vector<SheetClip> clips;
  for (const BatchJob* job : jobs) {
    clips.push_back({.clip = options_.folder / job->name, .label = std::to_string(job->seed)});
  }
  write_sheet_of(clips, options_.sheet, options_.overwrite);
}

}  // namespace t2v
