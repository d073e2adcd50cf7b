#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "batch_errors.h"
#include "batch_keys.h"
#include "batch_names.h"
#include "batch_rows.h"
#include "cli/flags/generate_flags.h"
#include "t2v/checker.h"

namespace t2v {

/// What the command line of `batch` asks for, beside the flags that hold for every clip.
struct BatchOptions {
  std::filesystem::path prompts;  ///< "-" is standard input; empty: one row, all on the command line
  std::filesystem::path folder;
  int64_t clips_per_row = 1;
  std::vector<uint64_t> seeds;        ///< one clip of each row with each of them
  std::optional<uint64_t> seed_base;  ///< of the first clip; every clip's is one higher
  std::string name_template = "{index:04}-{words}-{seed}.mp4";
  std::filesystem::path sheet;  ///< a contact sheet of all clips; empty: none
  bool overwrite = false;       ///< the sheet; the rows say it of their clips
  bool skip_existing = false;   ///< a clip that is there with other settings stays
  bool fail_fast = false;
  bool gallery = false;
  bool dry_run = false;
};

/// One clip of a batch.
struct BatchJob {
  size_t row = 0;      ///< counted from 0
  int64_t sample = 0;  ///< of the row, counted from 0
  uint64_t seed = 0;
  std::string name;   ///< of the file in the folder
  double work = 0;    ///< about how long it takes beside others
  size_t model = 0;   ///< jobs with the same number use the same model in the same way,
  size_t shape = 0;   ///< and make clips of the same size and length;
  size_t kind = 0;    ///< with this one, they take as much memory and disk as well
  size_t inputs = 0;  ///< jobs with the same number begin with the same pictures and clips
};

/// Every clip of a batch: checked, with a seed and a name of its own.
class BatchPlan {
 public:
  /// `common`: what was given for all rows; `words`: the command line, for the settings. Error (kUsage,
  /// kInput, kOutput) for clips that cannot be made or two of one name, with the line of each row.
  BatchPlan(const BatchOptions& options, BatchRows rows, const std::vector<GivenFlag>& common,
            const std::vector<std::string>& words, Progress& progress);
  BatchPlan(const BatchPlan&) = delete;
  BatchPlan& operator=(const BatchPlan&) = delete;

  /// In the order of rendering: the model and the shape that come first in the file first, and of these by
  /// row.
  const std::vector<BatchJob>& jobs() const { return jobs_; }
  /// The checked request of a job, but for whether its output exists.
  CheckedRequest request(const BatchJob& job);
  /// "jobs.csv:3: "; "" where there is no file.
  std::string place(size_t row) const;
  /// The row of a job again, for this clip alone: with its seed, its name, and paths that hold in any folder.
  nlohmann::ordered_json row(const BatchJob& job);

 private:
  using Names = std::unordered_map<std::string_view, const BatchJob*>;

  bool is_flag(const std::string& name, const char* flag) const;
  bool gives(const std::vector<GivenFlag>& given, const char* flag) const;
  GenerateRequest ask(const std::string& place, const std::vector<GivenFlag>& given);
  CheckedRequest check(const std::string& place, const std::vector<GivenFlag>& given,
                       GenerateRequest request);
  bool names_any(const std::string& error, const std::vector<GivenFlag>& given) const;
  const std::string& common_error();
  const std::string& prompt_in(const std::filesystem::path& file, const std::string& place);
  void add_jobs(size_t row);
  BatchJob group(const CheckedRequest& request);
  void take_file(const std::string& place, const char* flag, const std::filesystem::path& file);
  bool is_in_sequence(const std::string& file, const Names& taken);
  std::vector<uint64_t> seeds_of(size_t row, const std::vector<GivenFlag>& given,
                                 const GenerateRequest& request, size_t count);
  void expect_free_names(BatchErrors& errors);
  void tell_unused(Progress& progress) const;
  void sort_jobs();

  BatchOptions options_;
  NameTemplate name_template_;
  std::vector<GivenFlag> common_;
  std::vector<std::string> words_;
  BatchRows rows_;
  Checker checker_;
  std::vector<BatchJob> jobs_;

  GenerateArguments arguments_;  ///< what groups_ write into
  std::vector<FlagGroup> groups_;
  std::map<std::string, GenerateArguments> defaults_;      ///< by the names of the flags that a row gives
  std::set<std::string> used_;                             ///< what some row leaves to the command line
  std::map<std::filesystem::path, std::string> prompts_;   ///< of --prompt-file
  std::optional<std::string> common_error_;                ///< what a row that gives nothing is refused with
  std::unordered_map<std::string, uint64_t> occurrences_;  ///< of a prompt
  std::string random_;                                     ///< that of the folder, where a seed is to be so
  std::map<ModelKey, size_t> models_;
  std::map<CheckedSize, size_t> shapes_;
  std::map<std::tuple<size_t, size_t, KindKey>, size_t> kinds_;      ///< of a model and a shape
  std::map<std::tuple<size_t, size_t, Conditions>, size_t> inputs_;  ///< of a model and a shape
  /// That are written beside the clips: by which row, and which flag.
  std::map<std::filesystem::path, std::pair<std::string, const char*>> files_;
};

}  // namespace t2v
