#pragma once

#include <compare>
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
#include "batch_names.h"
#include "batch_rows.h"
#include "batch_seeds.h"
#include "cli/flags/generate_flags.h"
#include "t2v/checked_request.h"
#include "t2v/checker.h"

namespace t2v {

/// Equal for clips that one loaded model renders.
using ModelKey = std::pair<ModelChoice, Machine>;
ModelKey model_of(const CheckedRequest& request);

/// Equal for clips of one size and length: the size without its frame rate.
CheckedSize shape_of(const CheckedRequest& request);

/// Equal for clips that take as much memory and disk, where model and size are equal too.
struct KindKey {
  std::string extension;
  Encoding encoding;
  StepCaching caching;
  std::string sampler;
  double fps;
  int64_t threads;
  bool vae_tiling, is_guided, makes_previews;
  Conditions conditions;  ///< with one name for every file: only which are given counts

  auto operator<=>(const KindKey&) const = default;
};
KindKey kind_of(const CheckedRequest& request);

/// One clip of a batch. Jobs with the same `model` use one loaded model in the same way, jobs with the same
/// `shape` make clips of one size and length.
struct BatchJob {
  size_t row = 0;      ///< counted from 0
  int64_t sample = 0;  ///< number of the clip in its row, counted from 0
  uint64_t seed = 0;
  std::string name;  ///< of the file in the folder
  double work = 0;   ///< about how long the clip takes, relative to others
  size_t model = 0;
  size_t shape = 0;
  size_t kind = 0;    ///< jobs of one kind need as much memory and disk as each other
  size_t inputs = 0;  ///< jobs with the same number read the same pictures and clips
};

/// Every clip of a batch: checked, with its own seed and name.
class BatchPlan {
 public:
  /// `common` are the flags of all rows; `words` are the command line, which the settings record. Error
  /// (kUsage, kInput, kOutput) for clips that cannot be rendered and for names that two clips have; it says
  /// the line of each row.
  BatchPlan(const BatchOptions& options, BatchRows rows, const std::vector<GivenFlag>& common,
            const std::vector<std::string>& words, Progress& progress);
  BatchPlan(const BatchPlan&) = delete;
  BatchPlan& operator=(const BatchPlan&) = delete;

  /// In the order of rendering: by model and shape, in the order in which the rows first name them, then by
  /// row.
  const std::vector<BatchJob>& jobs() const { return jobs_; }
  /// The checked request of a job. Its output may exist.
  CheckedRequest request(const BatchJob& job);
  /// The place of a row, for messages: "jobs.csv:3: "; "" without a file.
  std::string place(size_t row) const;
  /// A row that makes the clip of this job alone: with its seed, its name and absolute paths.
  nlohmann::ordered_json row(const BatchJob& job);

 private:
  using Names = std::unordered_map<std::string_view, const BatchJob*>;

  bool is_flag(const std::string& name, const char* flag) const;
  bool gives(const std::vector<GivenFlag>& given, const char* flag) const;
  GenerateRequest request_of(const std::string& place, const std::vector<GivenFlag>& given);
  CheckedRequest check(const std::string& place, const std::vector<GivenFlag>& given,
                       GenerateRequest request);
  bool names_any(const std::string& error, const std::vector<GivenFlag>& given) const;
  const std::string& common_error();
  const std::string& prompt_in(const std::filesystem::path& file, const std::string& place);
  void add_jobs(size_t row);
  BatchJob first_job(size_t row, const CheckedRequest& checked);
  std::vector<uint64_t> seeds_of(size_t row, const std::vector<GivenFlag>& given,
                                 const GenerateRequest& request, size_t count);
  void reserve_file(const std::string& place, const char* flag, const std::filesystem::path& file);
  bool is_in_sequence(const std::string& file, const Names& taken);
  void expect_free_names(BatchErrors& errors);
  void warn_unused(Progress& progress) const;
  void sort_jobs();

  BatchOptions options_;
  NameTemplate name_template_;
  std::vector<GivenFlag> common_;
  std::vector<std::string> words_;
  BatchRows rows_;
  Checker checker_;
  BatchSeeds seeds_;
  std::vector<BatchJob> jobs_;

  GenerateArguments arguments_;  ///< the flags in groups_ write into it
  std::vector<FlagGroup> groups_;
  std::map<std::string, GenerateArguments> defaults_;     ///< by the names of the flags that a row gives
  std::set<std::string> used_;                            ///< flags of the command line that some row uses
  std::map<std::filesystem::path, std::string> prompts_;  ///< by the file of --prompt-file
  std::optional<std::string> common_error_;               ///< the error of a row that only gives a prompt
  std::map<ModelKey, size_t> models_;
  std::map<CheckedSize, size_t> shapes_;
  std::map<std::tuple<size_t, size_t, KindKey>, size_t> kinds_;      ///< by model, shape and kind
  std::map<std::tuple<size_t, size_t, Conditions>, size_t> inputs_;  ///< by model, shape and conditions
  /// Files that are written beside the clips: place of the row, and flag.
  std::map<std::filesystem::path, std::pair<std::string, const char*>> files_;
};

}  // namespace t2v
